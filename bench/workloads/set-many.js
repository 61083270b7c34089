// New documents, a thousand with one call.

import { chunks } from '../data.js';

const BATCH = 1000;

export default {
  name: 'setMany',
  title: 'setMany(1000)',
  per: 'new document, 1,000 with each call',
  needs: 'setMany',
  size: { full: 10_000, quick: 4_000 },
  floor: 1.5,

  prepare({ peer, entries, size, round }) {
    const fresh = entries.slice(0, size).map(({ value }, index) => ({ key: `load:${round}:${index}`, value }));
    const batches = chunks(fresh, BATCH);
    async function run() {
      const results = [];
      for (const batch of batches) results.push(await peer.setMany(batch));
      return results;
    }
    return { run, check: (results) => results.every((each) => peer.read.setMany(each)) };
  },
};
