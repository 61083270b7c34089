// Documents replaced one at a time, each write acknowledged before the next.

import { pick } from '../data.js';

export default {
  name: 'set',
  title: 'set',
  per: 'set, awaited one by one',
  needs: 'set',
  size: { full: 4_000, quick: 1_000 },
  floor: 1.5,

  prepare({ peer, entries, size, random }) {
    const picked = pick(entries, size, random);
    async function run() {
      const results = [];
      for (const { key, value } of picked) results.push(await peer.set(key, value));
      return results;
    }
    return { run, check: (results) => results.every((each) => peer.read.set(each)) };
  },
};
