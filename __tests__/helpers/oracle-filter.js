// What a query has to answer, written down in plain JavaScript over live values: filters, sort and paging as the
// storage contract words them. Shares no code with lib/.

import { Buffer } from 'node:buffer';

/** @typedef {{ key: string, value: any, metadata: Record<string, any>, createdAt: number, updatedAt: number, version: number }} Entry */

const ABSENT = Symbol('absent');

const isContainer = (value) => typeof value === 'object' && value !== null;

/** The own property of an object or array, or ABSENT. */
const own = (value, name) => (isContainer(value) && Object.hasOwn(value, name) ? value[name] : ABSENT);

/** String(value). An object is '[object Object]' also when its data happens to hold a property called `toString`. */
export function textOf(value) {
  if (!isContainer(value)) return String(value);
  if (!Array.isArray(value)) return '[object Object]';
  return value.map((element) => (element === null ? '' : textOf(element))).join(',');
}

const primitiveOf = (value) => (isContainer(value) ? textOf(value) : value);

/** @param {any} term @param {Entry} entry */
function resolve(term, entry) {
  if ('system' in term) return entry[term.system];
  if ('metadata' in term) return own(entry.metadata, term.metadata);
  if ('path' in term) return term.path.reduce((value, name) => own(value, name), entry.value);
  if (term.field === 'value' || term.field === '$value') return entry.value;
  if (term.field === 'key' || term.field === '$key') return entry.key;
  const property = own(entry.value, term.field);
  return property === ABSENT ? own(entry.metadata, term.field) : property;
}

function globMatches(text, pattern) {
  const parts = pattern.split('*');
  if (parts.length === 1) return text === pattern;
  const first = parts.shift();
  const last = parts.pop();
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}

const operators = {
  eq: (a, v) => a === v,
  ne: (a, v) => a !== v,
  gt: (a, v) => primitiveOf(a) > v,
  gte: (a, v) => primitiveOf(a) >= v,
  lt: (a, v) => primitiveOf(a) < v,
  lte: (a, v) => primitiveOf(a) <= v,
  contains: (a, v) => textOf(a).includes(String(v)),
  startsWith: (a, v) => textOf(a).startsWith(String(v)),
  endsWith: (a, v) => textOf(a).endsWith(String(v)),
  in: (a, v) => Array.isArray(v) && v.includes(a),
  nin: (a, v) => Array.isArray(v) && !v.includes(a),
  between: (a, [low, high]) => primitiveOf(a) >= low && primitiveOf(a) <= high,
  like: (a, v) => globMatches(textOf(a), v),
  has: (a, v) => Array.isArray(a) && a.includes(v),
};

export const OPERATORS = [...Object.keys(operators), 'exists'];

/** @param {any} filter @param {Entry} entry @returns {boolean} */
export function matches(filter, entry) {
  if (Array.isArray(filter)) return filter.every((each) => matches(each, entry));
  if ('and' in filter) return filter.and.every((each) => matches(each, entry));
  if ('or' in filter) return filter.or.some((each) => matches(each, entry));
  if ('not' in filter) return !matches(filter.not, entry);
  const value = resolve(filter, entry);
  if (filter.operator === 'exists') return (value !== ABSENT) === filter.value;
  return value !== ABSENT && operators[filter.operator](value, filter.value);
}

/** The order of keys: by the bytes of their UTF-8. */
export const byKey = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

const isMissing = (value) => value === ABSENT || value === null || value === undefined;

function sortValue(sortKey, entry) {
  if (!('field' in sortKey)) return resolve(sortKey, entry);
  if (sortKey.field === 'key') return entry.key;
  const property = own(entry.value, sortKey.field);
  return isMissing(property) ? own(entry.metadata, sortKey.field) : property;
}

const RANKS = ['number', 'string', 'boolean', 'object'];
const rank = (value) => (isMissing(value) ? RANKS.length : RANKS.indexOf(typeof value));

function compare(a, b, descending) {
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (isMissing(a) || isContainer(a) || a === b) return 0;
  return a < b === !descending ? -1 : 1;
}

/** @param {any} sort one sort key, an array of them, or nothing */
function comparator(sort) {
  const keys = Array.isArray(sort) ? sort : sort ? [sort] : [];
  return (x, y) => {
    for (const each of keys) {
      const order = compare(sortValue(each, x), sortValue(each, y), each.order === 'desc');
      if (order !== 0) return order;
    }
    return byKey(x.key, y.key);
  };
}

/**
 * @param {Entry[]} entries
 * @param {any} filter
 * @param {{ sort?: any, limit?: number | null, offset?: number | null }} options
 * @returns {{ keys: string[], total: number }} the keys of the page, and how many entries match
 */
export function answer(entries, filter, { sort, limit, offset }) {
  const found = entries.filter((entry) => matches(filter, entry)).sort(comparator(sort));
  const start = offset ?? 0;
  const page = found.slice(start, limit == null ? undefined : start + limit);
  return { keys: page.map(({ key }) => key), total: found.length };
}

/** `*` matches any run, everything else is literal. @param {string[]} keys @param {any} options */
export function listKeys(keys, { pattern, prefix, after, limit, offset }) {
  const found = keys
    .filter((key) => pattern == null || globMatches(key, pattern))
    .filter((key) => prefix == null || key.startsWith(prefix))
    .filter((key) => after == null || byKey(key, after) > 0)
    .sort(byKey);
  const start = offset ?? 0;
  return found.slice(start, limit == null ? undefined : start + limit);
}
