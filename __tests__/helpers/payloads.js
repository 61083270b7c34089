// Strings that break out of SQL, JSON, JSON paths, patterns, files, logs and templates where somebody joins text.

const heads = ['', 'x', '"', '\'', '`', '\\', '$', '$.', '%', '*', '\0', ']', ');', '/*'];
const tails = [
  '\'; DROP TABLE hypha_entries; --', '" OR 1=1 --', '\') UNION SELECT value FROM hypha_entries --', '.a', '[0]', '[#-1]', '"."x', '\\"',
  '{"__proto__":1}', '${1}', '?1', ':name', '\n\r\tx', '\u202e\ufeff', '../../etc/passwd', ';ATTACH DATABASE \'x.db\' AS y;',
];

/** 224 different ones. */
export const PAYLOADS = heads.flatMap((head) => tails.map((tail) => head + tail));
