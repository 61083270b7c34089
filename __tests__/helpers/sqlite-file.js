// Files of the kernel's own layout (version 1), made and read with another SQLite, in another process.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const place = (path) => fileURLToPath(new URL(path, import.meta.url));
// The package's binary needs Node 22: on Node 20 the Node 24 among our dependencies runs it.
const node = Number(process.versions.node.split('.')[0]) >= 22 ? process.execPath : place('../../node_modules/node24/bin/node');

/** @param {string} path @param {{ run?: string[], all?: string[], values?: unknown[][] }} request @returns {unknown[][][]} */
export function sqlite(path, request) {
  // eslint-disable-next-line no-unused-vars -- Jest's own flags are not the child's
  const { NODE_OPTIONS, ...env } = process.env;
  const options = { input: JSON.stringify({ path, ...request }), env, maxBuffer: 256 * 1024 * 1024, timeout: 20_000 };
  return JSON.parse(execFileSync(node, [place('./sqlite-child.cjs')], options).toString());
}

const LONG_KEY = 'k'.repeat(5000);
const DEEP = `${'['.repeat(3000)}${']'.repeat(3000)}`;

/** Rows that an entry can represent: `[namespace, key, value, metadata, created_at, updated_at]`. */
export function goodRows() {
  const rows = Array.from({ length: 960 }, (_, i) => [
    ['default', 'auth', 'sessions'][i % 3], `key-${i}`, JSON.stringify({ n: i, text: `text ${i}`, tags: ['a', i] }),
    i % 4 === 0 ? JSON.stringify({ owner: `o${i % 7}` }) : null, 1_700_000_000_000 + i, 1_700_000_100_000 + 2 * i,
  ]);
  const values = ['null', '""', '0', '-0', '1e400', '"\\ud800"', '{"a":1,"a":2}', ' {"padded" : 1} ', DEEP, '"\\u0000"', JSON.stringify('x'.repeat(1024 * 1024)), '{"__proto__":1}'];
  values.forEach((value, i) => rows.push(['awkward', `value-${i}`, value, null, i, i]));
  const keys = ['5.0', '😀', '\uffee', 'a\0b', '%', '*', "it's", '__proto__', 'k'.repeat(4096)];
  keys.forEach((key, i) => rows.push(['awkward keys', key, `{"n":${i}}`, '{}', 1, 2]));
  return rows;
}

/** Rows that no entry can represent, as values of an INSERT. */
const AWKWARD = [
  `(9001, 'default', '', '1', NULL, 1, 1)`,
  `(9002, 'default', '  ', '1', NULL, 1, 1)`,
  `(9003, '', 'no-namespace', '1', NULL, 1, 1)`,
  `(9004, 'default', 'broken', '{oops', NULL, 1, 1)`,
  `(9005, 'default', 'empty', '', NULL, 1, 1)`,
  `(9006, 'default', 'not-a-number', 'NaN', NULL, 1, 1)`,
  `(9007, 'default', '${LONG_KEY}', '1', NULL, 1, 1)`,
  `(9008, 'default', x'0102', '1', NULL, 1, 1)`,
  `(9009, 'default', 'blob', x'7b7d', NULL, 1, 1)`,
  `(9010, 'default', 'bad-metadata', '1', '{oops', 1, 1)`,
  `(9011, 'default', 'array-metadata', '1', '[1]', 1, 1)`,
  `(9012, 'default', 'bad-time', '1', NULL, 'yesterday', 1)`,
  `(9013, 'default', CAST(x'6bff' AS TEXT), '1', NULL, 1, 1)`,
  `(9014, 'default', 'bad-utf8', CAST(x'22ff22' AS TEXT), NULL, 1, 1)`,
];
export const AWKWARD_ROWS = AWKWARD.length;

/** @param {string} path makes a kernel file there: at least 960 good rows, awkward ones, and a table of the user's own */
export function makeKernelFile(path) {
  const layout = readFileSync(place('../../schema/0001_kernel_layout.up.sql'), 'utf8');
  sqlite(path, {
    run: [
      'PRAGMA journal_mode = WAL', layout, 'INSERT INTO schema_version VALUES (1, 1700000000000)',
      `INSERT INTO storage_namespaces VALUES ('auth', '{"purpose":"logins"}', 5), ('empty', NULL, 6), (NULL, '{"no":"name"}', 7)`,
      `INSERT INTO storage_entries(id, namespace, key, value, metadata, created_at, updated_at) VALUES ${AWKWARD.join(', ')}`,
      `CREATE TABLE mine(a, b); INSERT INTO mine VALUES (1, 'untouched')`,
    ],
    values: goodRows(),
  });
}

const COLUMNS = ['id', 'namespace', 'key', 'value', 'metadata', 'created_at', 'updated_at'];

/** @param {string} path @returns {unknown[][][]} everything a kernel file holds, each cell as a SQL literal */
export function dumpKernelFile(path) {
  return sqlite(path, {
    all: [
      `SELECT ${COLUMNS.map((name) => `quote(${name})`)} FROM storage_entries ORDER BY id`,
      'SELECT quote(name), quote(metadata), created_at FROM storage_namespaces ORDER BY created_at',
      'SELECT version FROM schema_version ORDER BY version',
      'SELECT * FROM mine',
      `SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE 'quarantine' ORDER BY name`,
    ],
  });
}
