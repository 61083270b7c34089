// Random documents, filters and sort keys, with the values that trip up translations from JavaScript to SQL.

import { OPERATORS } from './oracle-filter.js';

/** @typedef {import('./oracle-random.js').Random} Random */

export const NAMES = [
  'a', 'b', 'c', 'n', 'A', '', 'a.b', 'a"b', 'a\\b', '[0]', 'a[0]', '0', '1', '01', '-0', '4294967295', 'length', '$.a', '$',
  '__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'key', 'value', '$key', '$value', 'ключ', '😀', '\0',
  'a\0', '\ud800', '\ude00', 'e\u0301', 'é',
];

const NUMBERS = [
  0, -0, 1, -1, 2, 3, 9, 10, 16, 0.1, -0.5, 100, 1e21, 1e-7, 1e308, -1e308, 5e-324, Number.MAX_VALUE, 2 ** 53 - 1, 2 ** 53,
  2 ** 53 + 2, -(2 ** 53), 2 ** 60, -(2 ** 60), 2 ** 63, 2 ** 64, 123456789.125, 0.1 + 0.2, 1.7976931348623155e308, 4e-320,
];

const TEXTS = [
  '', ' ', '0', '10', '9', '5', 'abc', 'ABC', 'ab', 'a%', 'a_b', 'axb', '😀', '😀😀', '\uffee', '\ufb01', '\ud800', '\udc00x', 'x\ud83d',
  'a\0b', '\0', 'Infinity', '-Infinity', 'NaN', 'null', 'true', 'undefined', '1e21', '1e+21', '1152921504606846976',
  '1152921504606847000', ' 0x10 ', '0b11', '0o7', '1_000', '.5', '5.', '+5', '--5', '1e400', '\u00a05\ufeff', '\n7\t', '\u180e7',
  'é', 'e\u0301', 'ß', '[object Object]', '1,,x', '1,2', ',', '__proto__', 'constructor', '*', 'a*b', '**', '"', '\\', '\\u0041',
  '2020-01-01T00:00:00.000Z', 'x'.repeat(300), '9007199254740993', '0.30000000000000004', '5e-324', '\u2028',
];

const KEY_PARTS = ['a', 'b', 'A', 'k:', 'é', '😀', '\uffee', '\0', '%', '_', '[0]', '__proto__', '"', '\\', '*', '10', ' ', '\u{10ffff}', '\x7f', '\u0800', '.'];

/** @param {Random} random */
export function scalar(random) {
  const kind = random.below(10);
  if (kind < 3) return random.pick(NUMBERS);
  if (kind < 4) return random.between(-12, 12);
  if (kind < 5) return (random.next() - 0.5) * 10 ** random.between(-30, 30);
  if (kind < 8) return random.pick(TEXTS);
  return random.pick([null, null, true, false]);
}

/** @param {Random} random @param {number} depth */
function value(random, depth) {
  const kind = random.below(12);
  if (depth === 0 || kind < 7) return scalar(random);
  if (kind === 7) return new Date(random.between(-1e9, 2e9) * 1000);
  if (kind < 10) return random.some(4, () => value(random, depth - 1));
  return object(random, depth - 1, 4);
}

/** @param {Random} random @param {number} depth @param {number} most */
function object(random, depth, most) {
  // Object.fromEntries defines own properties, `__proto__` too.
  return Object.fromEntries(random.some(most, () => [random.pick(NAMES), value(random, depth)]));
}

/** @param {Random} random @param {number} count @returns {{ key: string, value: any, metadata?: object }[]} keys all differ */
export function documents(random, count) {
  const used = new Set();
  while (used.size < count) {
    const key = random.some(4, () => random.pick(KEY_PARTS)).join('') + (random.chance(0.7) ? random.below(4 * count) : '');
    if (key.trim() !== '') used.add(key);
  }
  return [...used].map((key) => {
    const entry = { key, value: random.chance(0.75) ? object(random, 2, 8) : value(random, 2) };
    return random.chance(0.5) ? { ...entry, metadata: object(random, 2, 5) } : entry;
  });
}

/** A value that some document holds somewhere, so that comparisons meet. */
function heldValue(random, entries) {
  let held = random.pick(entries);
  held = random.chance(0.15) ? held.key : random.chance(0.2) ? held.metadata : held.value;
  for (let depth = 0; depth < 4 && typeof held === 'object' && held !== null; depth++) {
    const values = Object.values(held);
    if (values.length === 0) return scalar(random);
    held = random.pick(values);
  }
  return typeof held === 'object' ? scalar(random) : held;
}

function operand(random, entries) {
  if (random.chance(0.1)) return random.pick([NaN, Infinity, -Infinity, undefined, -0, '\ud83d', '\ude00']);
  return random.chance(0.55) ? heldValue(random, entries) : scalar(random);
}

function part(random, text) {
  const start = random.below(text.length + 1);
  return text.slice(random.chance(0.4) ? 0 : start, random.chance(0.4) ? undefined : start + random.below(4));
}

function pattern(random, entries) {
  const text = String(operand(random, entries)).slice(0, 60);
  const pieces = random.some(3, () => part(random, text));
  return random.pick(['', '*']) + pieces.join('*') + random.pick(['', '*', '**']);
}

function operandFor(operator, random, entries) {
  const one = () => operand(random, entries);
  switch (operator) {
    case 'exists': return random.chance(0.5);
    case 'like': return pattern(random, entries);
    case 'between': return [one(), one()];
    case 'in':
    case 'nin': return random.chance(0.1) ? one() : random.some(random.chance(0.1) ? 60 : 5, one);
    case 'contains':
    case 'startsWith':
    case 'endsWith': return random.chance(0.7) ? part(random, String(one())) : one();
    default: return one();
  }
}

function place(random, entries) {
  const kind = random.below(20);
  if (kind < 9) return { field: random.pick(NAMES) };
  if (kind < 11) return { field: random.pick(['a', 'b', 'c', 'n']) };
  if (kind < 13) return { field: random.pick(['key', '$key']) };
  if (kind < 15) return { field: random.pick(['value', '$value']) };
  if (kind < 17) return { path: [random.pick(NAMES), ...random.some(2, () => random.pick([...NAMES.slice(0, 4), '0', '1', 'length']))] };
  if (kind < 18 || entries.length === 0) return { metadata: random.pick(NAMES) };
  return { system: random.pick(['createdAt', 'updatedAt', 'version']) };
}

/** A term on a given place, with an operand that suits the operator. @param {Random} random @param {any[]} entries @param {object} where */
export function termOn(random, entries, where) {
  const operator = random.pick(OPERATORS);
  return { ...where, operator, value: operandFor(operator, random, entries) };
}

function term(random, entries) {
  const where = place(random, entries);
  if ('system' in where && random.chance(0.8)) {
    const at = random.pick(entries)[where.system] + random.between(-1, 1);
    return { ...where, operator: random.pick(['eq', 'ne', 'gt', 'gte', 'lt', 'lte']), value: at };
  }
  return termOn(random, entries, where);
}

/** @param {Random} random @param {any[]} entries @param {number} depth */
export function filter(random, entries, depth = 3) {
  const kind = depth === 0 ? 0 : random.below(12);
  const children = () => random.some(3, () => filter(random, entries, depth - 1));
  switch (kind) {
    case 8: return children();
    case 9: return { and: children() };
    case 10: return { or: children() };
    case 11: return { not: filter(random, entries, depth - 1) };
    default: return term(random, entries);
  }
}

function sortKey(random, entries) {
  const where = random.chance(0.3) ? { field: random.pick(['a', 'b', 'c', 'key']) } : place(random, entries);
  const order = random.pick(['asc', 'desc', undefined, 'DESC']);
  return order === undefined ? where : { ...where, order };
}

/** @param {Random} random @param {any[]} entries @returns {{ sort?: any, limit?: any, offset?: any }} */
export function queryOptions(random, entries) {
  const options = {};
  const sort = random.below(4);
  if (sort === 1) options.sort = sortKey(random, entries);
  if (sort > 1) options.sort = random.some(3, () => sortKey(random, entries));
  if (random.chance(0.4)) options.limit = random.pick([null, 0, 1, 2, 5, 20, random.below(entries.length + 2), Number.MAX_SAFE_INTEGER]);
  if (random.chance(0.3)) options.offset = random.pick([null, 0, 1, 3, random.below(entries.length + 2), Number.MAX_SAFE_INTEGER]);
  return options;
}
