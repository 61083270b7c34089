// From what the addon answers to what users see.

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

/** @param {string} key @param {RawEntry} raw @returns {Entry<any>} */
export function toEntry(key, [value, metadata, createdAt, updatedAt, version]) {
  return { key, value: JSON.parse(value), metadata: metadata === undefined ? {} : JSON.parse(metadata), createdAt, updatedAt, version };
}

/**
 * Parses the texts of a long result, no more than one a turn: a single JSON.parse of tens of megabytes holds the loop.
 * @param {string[]} chunks JSON arrays
 * @param {() => Promise<void>} nextTurn
 * @returns {Promise<any[]>} their elements
 */
export async function parseChunks(chunks, nextTurn) {
  if (chunks.length === 0) return [];
  const all = JSON.parse(chunks[0]);
  for (let i = 1; i < chunks.length; i++) {
    await nextTurn();
    for (const element of JSON.parse(chunks[i])) all.push(element);
  }
  return all;
}

/**
 * The same for arrays of strings. Texts without an escape, which most are, are split rather than parsed: JSON.parse looks
 * up each short string among all that it has ever seen.
 * @param {string[]} chunks
 * @param {() => Promise<void>} nextTurn
 * @returns {Promise<string[]>}
 */
export async function parseStrings(chunks, nextTurn) {
  /** @type {string[]} */
  let all = [];
  for (let i = 0; i < chunks.length; i++) {
    if (i > 0) await nextTurn();
    const list = chunks[i].includes('\\') ? JSON.parse(chunks[i]) : chunks[i].slice(2, -2).split('","');
    all = i === 0 ? list : all.concat(list);
  }
  return all;
}

/**
 * @param {string[]} keys as asked
 * @param {[values: string, present: string]} answer
 * @returns {Map<string, any>} the values present, in the order asked
 */
export function toMap(keys, [values, present]) {
  const list = JSON.parse(values);
  const map = new Map();
  let next = 0;
  for (let i = 0; i < keys.length; i++) if (present[i] === '1') map.set(keys[i], list[next++]);
  return map;
}
