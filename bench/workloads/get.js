// One document at a time, each awaited before the next: what a request handler does.

import { pick } from '../data.js';

export default {
  name: 'get',
  title: 'get',
  per: 'get, awaited one by one',
  needs: 'get',
  size: { full: 30_000, quick: 4_000 },
  floor: 2,
  notSlowerThan: ['lmdb', 'classic-level'],

  prepare({ peer, entries, size, random }) {
    const picked = pick(entries, size, random);
    async function run() {
      let last;
      for (const { key } of picked) last = await peer.get(key);
      return last;
    }
    return { run, check: (last) => peer.read.get(last).email === picked.at(-1).value.email };
  },
};
