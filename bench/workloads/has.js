// Is the key there? Half of the keys are not.

import { pick } from '../data.js';

export default {
  name: 'has',
  title: 'has',
  per: 'has, awaited one by one',
  needs: 'has',
  size: { full: 30_000, quick: 4_000 },
  floor: 2,

  prepare({ peer, entries, size, random }) {
    const keys = pick(entries, size, random).map(({ key }, index) => (index % 2 === 0 ? key : `${key}-absent`));
    async function run() {
      const found = [];
      for (const key of keys) found.push(await peer.has(key));
      return found;
    }
    return { run, check: (found) => found.every((each, index) => peer.read.has(each) === (index % 2 === 0)) };
  },
};
