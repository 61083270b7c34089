// Checks and conversions of keys, namespaces, values and metadata.

import { Buffer } from 'node:buffer';
import { isAbsolute } from 'node:path';
import process from 'node:process';

import { StorageError } from './errors.js';

/** @typedef {import('./options.js').Limits} Limits */

/** @param {string} text @param {number} limit @returns {boolean} whether its UTF-8 form is longer than the limit */
const isLonger = (text, limit) => text.length * 3 > limit && Buffer.byteLength(text) > limit;

/** @param {string} what @param {string} limit @param {number} bytes @returns {StorageError} */
const tooLarge = (what, limit, bytes) =>
  new StorageError('HYPHA_TOO_LARGE', `${what} is larger than limits.${limit} (${bytes} bytes)`);

/**
 * @param {string} text
 * @returns {boolean} whether the string holds half of a surrogate pair, which UTF-8 cannot express
 */
export const isMalformed = (text) => !(/** @type {any} */ (text).isWellFormed());

/**
 * @param {unknown} key
 * @param {Limits} limits
 * @returns {asserts key is string}
 */
export function checkKey(key, limits) {
  if (typeof key !== 'string' || key.length === 0 || key.trim() === '') {
    throw new StorageError('HYPHA_INVALID_KEY', 'key must be a non-empty string');
  }
  if (isMalformed(key)) throw new StorageError('HYPHA_INVALID_KEY', 'key must not hold a lone surrogate');
  if (isLonger(key, limits.keyBytes)) throw tooLarge('key', 'keyBytes', limits.keyBytes);
}

/**
 * @param {unknown} name
 * @param {Limits} limits
 * @returns {asserts name is string}
 */
export function checkNamespace(name, limits) {
  if (typeof name !== 'string' || name.trim() === '') {
    throw new StorageError('HYPHA_INVALID_NAMESPACE', 'namespace must be a non-empty string');
  }
  if (isMalformed(name)) throw new StorageError('HYPHA_INVALID_NAMESPACE', 'namespace must not hold a lone surrogate');
  if (isLonger(name, limits.namespaceBytes)) throw tooLarge('namespace', 'namespaceBytes', limits.namespaceBytes);
}

/** @param {unknown} value @param {string} what @returns {string} */
function stringify(value, what) {
  let text;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new StorageError('HYPHA_INVALID_VALUE', `${what} cannot be represented as JSON`, { cause });
  }
  if (text === undefined) throw new StorageError('HYPHA_INVALID_VALUE', `${what} cannot be represented as JSON`);
  return text;
}

/**
 * @param {unknown} value
 * @param {Limits} limits
 * @returns {string} what JSON.stringify makes of it
 */
export function valueToJson(value, limits) {
  const text = stringify(value, 'value');
  if (isLonger(text, limits.valueBytes)) throw tooLarge('value', 'valueBytes', limits.valueBytes);
  return text;
}

/**
 * @param {unknown} metadata
 * @param {Limits} limits
 * @returns {string | undefined} its JSON text, undefined when none is given
 */
export function metadataToJson(metadata, limits) {
  if (metadata === undefined || metadata === null) return undefined;
  // Maps, dates and the like would come back as something else; objects of another realm are as good as ours.
  if (Object.prototype.toString.call(metadata) !== '[object Object]') {
    throw new StorageError('HYPHA_INVALID_VALUE', 'metadata must be a plain object');
  }
  const text = stringify(metadata, 'metadata');
  if (text[0] !== '{') throw new StorageError('HYPHA_INVALID_VALUE', 'metadata must be a plain object');
  if (isLonger(text, limits.metadataBytes)) throw tooLarge('metadata', 'metadataBytes', limits.metadataBytes);
  return text;
}

/** @param {number} batchEntries */
export const tooManyEntries = (batchEntries) =>
  new StorageError('HYPHA_TOO_LARGE', `the batch has more entries than limits.batchEntries (${batchEntries})`);

/**
 * @param {unknown} list
 * @param {string} name
 * @param {number} batchEntries it is taken no further than this: a longer list, or one without an end, would hold the event loop
 * @returns {unknown[]}
 */
export function toArray(list, name, batchEntries) {
  const isIterable = list !== null && typeof list === 'object' && typeof (/** @type {any} */ (list)[Symbol.iterator]) === 'function';
  if (!isIterable) throw new StorageError('HYPHA_INVALID_ARGUMENT', `${name} must be iterable`);
  const taken = [];
  for (const each of /** @type {Iterable<unknown>} */ (list)) {
    if (taken.length === batchEntries) throw tooManyEntries(batchEntries);
    taken.push(each);
  }
  return taken;
}

/** @param {string} pattern @param {Limits} limits @param {string} name */
export function checkPattern(pattern, limits, name) {
  if (isLonger(pattern, limits.patternBytes)) throw tooLarge(name, 'patternBytes', limits.patternBytes);
}

/** @param {unknown} path @param {string} name @returns {asserts path is string} a path that may be passed on */
export function checkPath(path, name) {
  if (typeof path !== 'string' || path === '') throw new StorageError('HYPHA_INVALID_ARGUMENT', `${name} must be a non-empty string`);
  if (path.includes('\0') || isMalformed(path)) throw new StorageError('HYPHA_INVALID_ARGUMENT', `${name} must hold no NUL and no lone surrogate`);
}

/**
 * A path that stays what it is when the process goes to another folder. Not resolve(): what `..` means behind a link only
 * the system knows.
 * @param {string} path @returns {string}
 */
export function fixedPath(path) {
  if (isAbsolute(path)) return path;
  try {
    return `${process.cwd().replace(/\/$/, '')}/${path}`;
  } catch (cause) {
    throw new StorageError('HYPHA_CANT_OPEN', `${path} is relative, and the folder of the process is gone`, { cause });
  }
}
