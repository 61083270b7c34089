// 500 writes at once, all awaited together: a server under load.

import { chunks, pick } from '../data.js';

const AT_ONCE = 500;

export default {
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
