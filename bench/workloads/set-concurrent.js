// 500 writes at once, all awaited together: a server under load.

import { chunks, pick } from '../data.js';

const AT_ONCE = 500;

const plain = {
  name: 'set500',
  title: 'set, 500 at once',
  per: 'set, 500 awaited together',
  needs: 'set',
  size: { full: 20_000, quick: 4_000 },
  floor: 4,

  prepare({ peer, entries, size, random }) {
    const bursts = chunks(pick(entries, size, random), AT_ONCE);
    async function run() {
      const results = [];
      for (const burst of bursts) results.push(await Promise.all(burst.map(({ key, value }) => peer.set(key, value))));
      return results.flat();
    }
    return { run, check: (results) => results.every((each) => peer.read.set(each)) };
  },
};

const synced = {
  ...plain,
  name: 'set500full',
  title: 'set, 500 at once, synced',
  per: 'set, 500 awaited together, each answered when it is on the disk',
  data: 'synced documents',
  contractOnly: true, // the others do not sync by default
  size: { full: 5_000, quick: 1_000 },
  shares: { 'better-sqlite3': 0.2 },
  floor: 5,
};

export default [plain, synced];
