// A hundred documents with one call.

import { chunks, pick } from '../data.js';

const BATCH = 100;

export default {
  name: 'getMany',
  title: 'getMany(100)',
  per: 'document, 100 with each call',
  needs: 'getMany',
  size: { full: 30_000, quick: 4_000 },
  floor: 2.5,

  prepare({ peer, entries, size, random }) {
    const batches = chunks(pick(entries, size, random).map(({ key }) => key), BATCH);
    async function run() {
      const results = [];
      for (const keys of batches) results.push(await peer.getMany(keys));
      return results;
    }
    // A key that was picked twice for one call may be answered once or twice.
    const isWhole = (result, index) => peer.read.getMany(result) >= new Set(batches[index]).size;
    return { run, check: (results) => results.every(isWhole) };
  },
};
