// What a fuzzer starts from, where it would take long to come upon the form by itself. docs/bundles.md has that of bundles.

const ENTRIES = [
  '{"type":"namespace","namespace":"users","explicit":true,"metadata":{"a":1},"createdAt":1764100000000}',
  '{"type":"entry","namespace":"users","key":"ann","value":{"age":30,"tags":["a","b"]},"metadata":{"m":true},"createdAt":1764100000000,"updatedAt":1764100000001,"version":7}',
  '{"type":"entry","namespace":"default","key":"1","value":1.0}',
  '{"type":"entry","namespace":"default","key":"text","valueText":"{\\n}","metadataText":"{ }"}',
  '{"type":"delete","namespace":"users","key":"gone"}',
  '{"type":"index","namespace":"users","fields":[{"field":"age"},{"path":["a","b"]}],"unique":true}',
];
const MANIFEST = '{"format":"hyphadb-bundle","version":1,"createdAt":1764100000000,"parts":[{"name":"part-000001.jsonl","lines":2,"bytes":301,"crc32c":"1c291ca3"}],"crc":"8a9136aa"}';

/** By target. @type {Record<string, string[]>} */
export const SEEDS = {
  bundle: [
    MANIFEST,
    ...ENTRIES,
    [...ENTRIES, '{"type":"end"}', ''].join('\n'),
    [...ENTRIES, '{"type":"end","lines":7,"bytes":398,"crc32c":"1c291ca3","crc":"8a9136aa"}', ''].join('\r\n'),
    `\uFEFF${ENTRIES[2]}\n\n${ENTRIES[2]}\n{"type":"end"}`,
  ],
  json: ['{"a":[1,-0,1e400,12345678901234567890],"b":{"c":null,"d":"\\ud83d\\ude00\\u0000"},"a":true}', '["\\ud800",{"":{"__proto__":1}}]', ' {"x" : -1.5E+3}\n', '[[[[[[[[]]]]]]]]', '"\u2028é"'],
};
