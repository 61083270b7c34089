// Bundles written by hand: what a program other than HyphaDB may hand in.

import { writeFileSync } from 'node:fs';

export const HEADER = '{"type":"bundle","format":"hyphadb-bundle","version":1}';
export const END = '{"type":"end"}';

/** @param {string} key @param {string} value JSON text @param {string} [more] */
export const entryLine = (key, value, more = '') => `{"type":"entry","namespace":"default","key":${JSON.stringify(key)},"value":${value}${more}}`;

/** @param {number} count @returns {string[]} */
export const entryLines = (count) => Array.from({ length: count }, (_, i) => entryLine(`key-${String(i).padStart(5, '0')}`, `{"n":${i}}`));

/**
 * @param {string} path
 * @param {(string | Buffer)[]} lines without header and end
 * @param {{ newline?: string, start?: string, header?: string, end?: string | null }} [how]
 * @returns {string} the path
 */
export function writeBundle(path, lines, { newline = '\n', start = '', header = HEADER, end = END } = {}) {
  const all = [header, ...lines, ...(end === null ? [] : [end])];
  const pieces = all.flatMap((line) => [typeof line === 'string' ? Buffer.from(line) : line, Buffer.from(newline)]);
  writeFileSync(path, Buffer.concat([Buffer.from(start), ...pieces]));
  return path;
}
