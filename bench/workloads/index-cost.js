// What an index costs those who write: new documents by the thousand into a namespace that has one, against the same
// into one that has none, in turns.

import { chunks } from '../data.js';

const BATCH = 1000;

export default {
  name: 'indexCost',
  title: 'setMany(1000) with an index',
  per: 'time of the same without an index',
  unit: 'times',
  needs: 'createIndex',
  size: { full: 10_000, quick: 5_000 },
  below: 1.6,

  prepare({ peer, entries, size, round }) {
    const fresh = entries.slice(0, size).map(({ value }, index) => ({ key: `load:${round}:${index}`, value }));
    const batches = chunks(fresh, BATCH);
    async function timed(batch, namespace) {
      const startedAt = performance.now();
      const result = await peer.setMany(batch, { namespace });
      if (!peer.read.setMany(result)) throw new Error('the batch was not written');
      return performance.now() - startedAt;
    }
    async function run() {
      await peer.createIndex('with an index', 'score');
      let [plain, indexed] = [0, 0];
      for (const batch of batches) {
        plain += await timed(batch, 'without an index');
        indexed += await timed(batch, 'with an index');
      }
      return indexed / plain;
    }
    return { run, check: (ratio) => ratio > 0, value: (ratio) => ratio };
  },
};
