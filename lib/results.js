// From what the addon answers to what users see.

import { StorageError } from './errors.js';
import { native } from './native.js';

/** @typedef {import('./native.js').RawEntry} RawEntry */

/**
 * @template [T=unknown]
 * @typedef {object} Entry
 * @property {string} key
 * @property {T} value
 * @property {Record<string, unknown>} metadata `{}` when there is none
 * @property {number} createdAt milliseconds since 1970, UTC
 * @property {number} updatedAt the same
 * @property {number} version a positive integer that no other change of the store has had
 */

/**
 * The value of a text that the database holds. It was JSON when it was written.
 * @param {string} text
 * @returns {any}
 */
export function parseStored(text) {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message would quote the text.
    throw new StorageError('HYPHA_CORRUPT', 'a stored value is not JSON');
  }
}

/** @param {string} key @param {RawEntry} raw @returns {Entry<any>} */
export function toEntry(key, [value, metadata, createdAt, updatedAt, version]) {
  return { key, value: parseStored(value), metadata: metadata === undefined ? {} : parseStored(metadata), createdAt, updatedAt, version };
}

// Parsing goes on in a later turn of the event loop after this long. A text of the addon takes less, unless one entry is long.
const SLICE_MS = 1;

/**
 * The texts of a result one by one, in slices of a turn each: making and parsing tens of megabytes at once would hold the
 * event loop. A number at the end of the list stands for the rest, which the addon keeps.
 * @param {(string | number)[]} chunks
 * @param {() => Promise<void>} nextTurn
 * @param {(text: string) => void} use
 */
async function eachChunk(chunks, nextTurn, use) {
  let sliceEnds = performance.now() + SLICE_MS;
  for (let i = 0; i < chunks.length; i++) {
    const chunk = chunks[i];
    let text = typeof chunk === 'string' ? chunk : native.takeChunk(chunk);
    while (text !== undefined) {
      if (performance.now() >= sliceEnds) {
        await nextTurn();
        sliceEnds = performance.now() + SLICE_MS;
      }
      use(text);
      text = typeof chunk === 'string' ? undefined : native.takeChunk(chunk);
    }
  }
}

/**
 * @param {(string | number)[]} chunks JSON arrays
 * @param {() => Promise<void>} nextTurn
 * @returns {Promise<any[]>} their elements
 */
export async function parseChunks(chunks, nextTurn) {
  if (chunks.length === 0) return [];
  if (chunks.length === 1) return parseStored(/** @type {string} */ (chunks[0]));
  /** @type {any[]} */
  const all = [];
  await eachChunk(chunks, nextTurn, (text) => {
    for (const element of parseStored(text)) all.push(element);
  });
  return all;
}

/**
 * @param {string} text JSON array of one string at least, without an escape
 * @param {string[]} into
 */
function splitStrings(text, into) {
  const end = text.length - 2;
  for (let from = 2; from <= end; ) {
    const quote = text.indexOf('"', from);
    into.push(text.slice(from, quote));
    from = quote + 3;
  }
}

/**
 * The same for arrays of strings. Texts without an escape, which most are, are cut rather than parsed: JSON.parse looks
 * up each short string among all that it has ever seen.
 * @param {(string | number)[]} chunks
 * @param {() => Promise<void>} nextTurn
 * @returns {Promise<string[]>}
 */
export async function parseStrings(chunks, nextTurn) {
  /** @type {string[]} */
  const all = [];
  await eachChunk(chunks, nextTurn, (text) => {
    if (!text.includes('\\')) return splitStrings(text, all);
    for (const each of JSON.parse(text)) all.push(each);
  });
  return all;
}

/**
 * @param {string[]} keys as asked
 * @param {any[]} values those present
 * @param {string} present '1' or '0' for each key
 * @returns {Map<string, any>} the values present, in the order asked; a key asked twice has one value
 */
export function toMap(keys, values, present) {
  const map = new Map();
  let next = 0;
  for (let i = 0; i < keys.length; i++) if (present[i] === '1') map.set(keys[i], values[next++]);
  return map;
}
