// No store at all: the documents as objects in the heap, filtered and sorted in JavaScript. What a query can cost at
// least without an index, on the thread that everything else needs.

import { compareBy, matchesAll } from './plain-filter.js';

export async function open() {
  const entries = [];
  function matching(filter) {
    return entries.filter((entry) => matchesAll(filter, entry));
  }
  return {
    async setMany(given) {
      for (const { key, value } of given) entries.push({ key, value: structuredClone(value), metadata: {} });
      return true;
    },
    async query(filter, { sort, limit } = {}) {
      const found = matching(filter);
      if (sort) found.sort(compareBy(sort));
      return found.slice(0, limit);
    },
    count: async (filter) => matching(filter).length,
    close: async () => {},
    read: { setMany: (done) => done, query: (found) => found.length, count: (count) => count },
  };
}
