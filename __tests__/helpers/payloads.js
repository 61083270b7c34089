// Strings that break out of SQL, JSON, JSON paths, patterns, files, logs and templates where somebody joins text.

const heads = ['', 'x', '"', '\'', '`', '\\', '$', '$.', '%', '*', '\0', ']', ');', '/*'];
const tails = [
  '\'; DROP TABLE hypha_entries; --', '" OR 1=1 --', '\') UNION SELECT value FROM hypha_entries --', '.a', '[0]', '[#-1]', '"."x', '\\"',
  '{"__proto__":1}', '${1}', '?1', ':name', '\n\r\tx', '\u202e\ufeff', '../../etc/passwd', ';ATTACH DATABASE \'x.db\' AS y;',
];

/** What is special to one of the languages that a text passes through, by that language. */
const SPECIAL = {
  sql: [
    '\' OR \'1\'=\'1', '\'\'', '"";--', '1; DELETE FROM hypha_meta', ') OR (1=1', 'x\' || (SELECT value FROM hypha_entries) || \'', 'CASE WHEN 1 THEN 2 END', 'NULL', 'rowid', '_rowid_', 'oid', 'ns_id',
    'hypha_entries', 'sqlite_schema', 'main.hypha_entries', '"main"."hypha_meta"', 'EXISTS(SELECT 1)', 'load_extension(\'x\')', 'PRAGMA writable_schema=ON', 'randomblob(1000000000)', 'x\'41\'', '@p', '$p::x(y)', '?2', '-- x', '/**/',
    'COLLATE NOCASE', 'IS NOT DISTINCT FROM', '\u02bc OR 1=1', '\uff07 OR 1=1', 'hypha_extract(value,\'$\')',
  ],
  path: ['$', '$.a', '$[0]', '$[#]', '$[last]', '$**', '$.*', '$."a"."b"', '."a', 'a.b.c', 'a[0].b', '[]', '["a"]', '[\'a\']', '.."', '$.a?(@.b)', '->', '->>', '#-1', '0', '-1', '00', '1e3', '$[9223372036854775808]', '.length', '"', '\\u0022', '\\x22'],
  json: ['null', 'true', '[]', '{}', '{"a":1}', '"text"', '\\u0000', '\\ud800', '{"a":1,"a":2}', ']}', ',', '1e999', '-0', 'NaN', 'Infinity', '0x10', '/', '\\/', '\b\f', 'a\u2028', '\u2029b'],
  pattern: ['%', '_', '%_%', '\\%', '\\_', '[a-z]', '[!a]', '[^a]', '?', 'a{1,2}', '(a+)+$', '^', '.*', 'a|b', '\\', '\\\\', '%%%%%%%%%%%%', '~', '!', '#'],
  unicode: [
    'e\u0301', '\u00e9', '\u212b', '\u00c5', 'ﬁ', 'ß', 'ẞ', 'İ', 'ı', '\u200b', '\u200d', '\u200e', '\u2066', '\ufffd', '\uffff', '\ud83d\ude00', '\ud83d\udc68\u200d\ud83d\udc69', '\u1e9b\u0323', '\u0130', '\ufdfa', '\u0660', '資料', 'ｓｅｌｅｃｔ', 'a\u00a0', '\u3000b', '\u0085',
    '\u007f', '\u0080', '\u0001', '\u001b[31m', '\u0007', '\udbff\udfff',
  ],
  files: ['/etc/passwd', '/proc/self/fd/3', '..\\..\\x', 'C:\\x', '\\\\host\\x', 'file:x?mode=memory', '~', '~root', '.', '..', 'x.db-wal', 'CON', 'x/../y', '%2e%2e%2f', '\u0000.db', '-rf'],
  templates: ['{{7*7}}', '<%= 1 %>', '#{1}', '%s%n', '%1$s', '$(id)', '`id`', '&& id', '| id', '<script>', '&amp;', '\r\nSet-Cookie: x', '{0}', '__dirname', 'constructor.prototype', '[object Object]', 'undefined', 'function(){}', '=1+1', '@SUM(1)'],
};

/** As it is, and where a text may be quoted or follow another. */
const wrap = (text) => [text, `x${text}"${text}`, `'${text}`];

/** More than 500 different ones. */
export const PAYLOADS = [...new Set([...heads.flatMap((head) => tails.map((tail) => head + tail)), ...Object.values(SPECIAL).flat().flatMap(wrap)])];
