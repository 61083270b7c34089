// Filters and sort keys: from what users write to the tree that the engine reads.

import { StorageError, invalidArgument } from './errors.js';
import { native } from './native.js';
import { unknownOption } from './options.js';
import { checkPattern } from './validate.js';

/** @typedef {import('./options.js').Limits} Limits */
/** @typedef {'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'contains' | 'startsWith' | 'endsWith' | 'in' | 'nin' | 'exists' | 'between' | 'like' | 'has'} Operator */

/**
 * One comparison. `field` names an own property of the value, else of the metadata; 'value' and 'key' (or '$value' and
 * '$key') are the whole value and the entry's key.
 * @typedef {{ field: string, operator: Operator, value?: unknown }
 *   | { path: string[], operator: Operator, value?: unknown }
 *   | { metadata: string, operator: Operator, value?: unknown }
 *   | { system: 'createdAt' | 'updatedAt' | 'version', operator: Operator, value?: unknown }} FilterTerm
 */

/** @typedef {{ and: Filter[] } | { or: Filter[] } | { not: Filter }} FilterBranch */
/** @typedef {{ readonly [index: number]: Filter, readonly length: number }} FilterList an array: AND; an empty one matches everything */
/** @typedef {FilterTerm | FilterBranch | FilterList} Filter */

/**
 * The kernel's StorageQuery, recognised by its methods.
 * @typedef {{ getFilters(): Filter[], getLimit?(): number | null | undefined, getOffset?(): number | null | undefined, getSort?(): SortKey | null | undefined }} StorageQuery
 */

/**
 * @typedef {{ field?: string, path?: string[], metadata?: string, system?: string, order?: 'asc' | 'desc' }} SortKey
 */

/** @typedef {unknown[]} FilterNode ['and' | 'or' | 'not', child, ...] or ['term', source, path, operator, operand] */

const operators = new Map(native.operators.map((name, index) => [name, index]));
const sources = new Map(native.sources.map((name, index) => [name, index]));
const SYSTEM = ['createdAt', 'updatedAt', 'version'];
const TERM_KEYS = ['field', 'path', 'metadata', 'system', 'operator', 'value'];
const PLACES = ['field', 'path', 'metadata', 'system'];

/** @param {string} where @param {string} problem @returns {StorageError} */
const invalid = (where, problem) => new StorageError('HYPHA_INVALID_FILTER', `${where} ${problem}`);

/** @param {string} name @returns {number} */
const source = (name) => /** @type {number} */ (sources.get(name));

/** Reads one filter, counting its nodes. */
class FilterReader {
  /** @type {Limits} */ #limits;
  #nodes = 0;

  /** @param {Limits} limits */
  constructor(limits) {
    this.#limits = limits;
  }

  /**
   * @param {any} filter
   * @param {string} where
   * @param {number} depth
   * @returns {FilterNode}
   */
  node(filter, where, depth) {
    if (++this.#nodes > this.#limits.filterNodes) {
      throw new StorageError('HYPHA_TOO_LARGE', `${where}: more nodes than limits.filterNodes (${this.#limits.filterNodes})`);
    }
    if (depth > this.#limits.filterDepth) {
      throw new StorageError('HYPHA_TOO_LARGE', `${where}: deeper than limits.filterDepth (${this.#limits.filterDepth})`);
    }
    if (Array.isArray(filter)) return this.#list('and', filter, where, depth);
    if (typeof filter !== 'object' || filter === null) throw invalid(where, 'must be a filter object or an array of them');
    for (const kind of ['and', 'or']) {
      if (Object.hasOwn(filter, kind)) return this.#branch(kind, filter, where, depth);
    }
    if (Object.hasOwn(filter, 'not')) {
      this.#only('not', filter, where);
      return ['not', this.node(filter.not, `${where}.not`, depth + 1)];
    }
    return this.#term(filter, where);
  }

  /** @param {string} kind @param {any} filter @param {string} where @param {number} depth @returns {FilterNode} */
  #branch(kind, filter, where, depth) {
    this.#only(kind, filter, where);
    if (!Array.isArray(filter[kind])) throw invalid(`${where}.${kind}`, 'must be an array');
    return this.#list(kind, filter[kind], `${where}.${kind}`, depth);
  }

  /** @param {string} kind @param {object} filter @param {string} where */
  #only(kind, filter, where) {
    const other = Object.keys(filter).find((name) => name !== kind);
    if (other !== undefined) throw invalid(where, `has "${other}" beside "${kind}"`);
  }

  /** @param {string} kind @param {any[]} list @param {string} where @param {number} depth @returns {FilterNode} */
  #list(kind, list, where, depth) {
    const node = [/** @type {unknown} */ (kind)];
    for (let i = 0; i < list.length; i++) node.push(this.node(list[i], `${where}[${i}]`, depth + 1));
    return node;
  }

  /** @param {any} term @param {string} where @returns {FilterNode} */
  #term(term, where) {
    // The kernel's own form may carry more, which the kernel ignores.
    for (const name of Object.hasOwn(term, 'field') ? [] : Object.keys(term)) {
      if (!TERM_KEYS.includes(name)) throw invalid(where, unknownOption(name, 'the filter', TERM_KEYS).message);
    }
    const [from, path] = readPlace(term, where, invalid);
    const operator = Object.hasOwn(term, 'operator') ? operators.get(term.operator) : undefined;
    if (operator === undefined) {
      throw invalid(`${where}.operator`, `must be one of ${native.operators.join(', ')}`);
    }
    const given = Object.hasOwn(term, 'value') ? term.value : undefined;
    const operand = Array.isArray(given) ? this.#takeList(given) : given;
    this.#checkOperand(term.operator, operand, `${where}.value`);
    return ['term', from, path, operator, operand];
  }

  /**
   * Taken now, as everything of a call is, and no further than shows that it is too long.
   * @param {unknown[]} list
   */
  #takeList(list) {
    return Array.from({ length: Math.min(list.length, this.#limits.inList + 1) }, (_, i) => list[i]);
  }

  /** @param {string} operator @param {any} operand @param {string} where */
  #checkOperand(operator, operand, where) {
    if (operator === 'exists' && typeof operand !== 'boolean') throw invalid(where, 'must be a boolean for "exists"');
    if (operator === 'like') {
      if (typeof operand !== 'string') throw invalid(where, 'must be a string for "like"');
      checkPattern(operand, this.#limits, where);
    }
    if (operator === 'between' && !(Array.isArray(operand) && operand.length === 2)) {
      throw invalid(where, 'must be an array of two for "between"');
    }
    if (Array.isArray(operand) && ['in', 'nin', 'between'].includes(operator)) {
      if (operand.length > this.#limits.inList) {
        throw new StorageError('HYPHA_TOO_LARGE', `${where}: longer than limits.inList (${this.#limits.inList})`);
      }
      for (let i = 0; i < operand.length; i++) checkScalar(operand[i], `${where}[${i}]`);
    } else {
      checkScalar(operand, where);
    }
  }
}

/** @param {unknown} value @param {string} where */
function checkScalar(value, where) {
  if (value === null) return;
  const type = typeof value;
  if (type === 'object' || type === 'function' || type === 'symbol' || type === 'bigint') {
    throw invalid(where, 'must be a string, number, boolean, null or undefined');
  }
}

/**
 * Where a term or a sort key reads from.
 * @param {any} term
 * @param {string} where
 * @param {(where: string, problem: string) => Error} fail
 * @returns {[source: number, path: string[]]}
 */
function readPlace(term, where, fail) {
  const given = PLACES.filter((name) => Object.hasOwn(term, name));
  if (given.length !== 1) throw fail(where, 'must have exactly one of field, path, metadata, system');
  const value = term[given[0]];
  if (given[0] === 'path') {
    if (!Array.isArray(value) || value.length === 0 || !value.every((part) => typeof part === 'string')) {
      throw fail(`${where}.path`, 'must be a non-empty array of strings');
    }
    return [source('path'), value.slice()];
  }
  if (typeof value !== 'string') throw fail(`${where}.${given[0]}`, 'must be a string');
  if (given[0] === 'metadata') return [source('metadata'), [value]];
  if (given[0] === 'system') {
    if (!SYSTEM.includes(value)) throw fail(`${where}.system`, `must be one of ${SYSTEM.join(', ')}`);
    return [source(value), []];
  }
  if (value === 'value' || value === '$value') return [source('value'), []];
  if (value === 'key' || value === '$key') return [source('key'), []];
  return [source('field'), [value]];
}

/**
 * @param {unknown} filter undefined and null match everything
 * @param {Limits} limits
 * @returns {FilterNode}
 */
export function readFilter(filter, limits) {
  if (filter === undefined || filter === null) return ['and'];
  return new FilterReader(limits).node(isStorageQuery(filter) ? filter.getFilters() : filter, 'filter', 1);
}

/** A StorageQuery has its methods from its class; what every object has makes none. @type {any} */
const ANY_OBJECT = Object.prototype;

/** @param {any} filter @returns {filter is StorageQuery} */
export const isStorageQuery = (filter) =>
  typeof filter === 'object' && filter !== null && typeof filter.getFilters === 'function' && filter.getFilters !== ANY_OBJECT.getFilters;

/**
 * In a sort key only 'key' is special: any other field is a property of the value, else of the metadata.
 * @param {any} key
 * @param {string} where
 * @returns {[source: number, path: string[]]}
 */
function readSortPlace(key, where) {
  if (Object.hasOwn(key, 'field') && typeof key.field === 'string') {
    return key.field === 'key' ? [source('key'), []] : [source('field'), [key.field]];
  }
  return readPlace(key, where, (place, problem) => new StorageError('HYPHA_INVALID_ARGUMENT', `${place} ${problem}`));
}

/**
 * @param {unknown} sort a SortKey, an array of them, or nothing
 * @returns {[source: number, path: string[], descending: number][]}
 */
export function readSort(sort) {
  if (sort === undefined || sort === null) return [];
  const keys = Array.isArray(sort) ? sort : [sort];
  return keys.map((key, i) => {
    const where = Array.isArray(sort) ? `sort[${i}]` : 'sort';
    if (typeof key !== 'object' || key === null) throw invalidArgument(where, 'an object { field, order }');
    for (const name of Object.keys(key)) {
      if (![...PLACES, 'order'].includes(name)) throw unknownOption(name, where, [...PLACES, 'order']);
    }
    const [from, path] = readSortPlace(key, where);
    return [from, path, Object.hasOwn(key, 'order') && key.order === 'desc' ? 1 : 0];
  });
}
