// How many documents a filter selects.

import { GROUPS } from '../data.js';

export default {
  name: 'count',
  title: 'count with a filter',
  per: 'count without an index over 20,000 documents',
  needs: 'count',
  size: { full: 8, quick: 4 },
  shares: { 'better-sqlite3': 0.25, 'better-sqlite3-scan': 0.25 },
  floor: 40,

  prepare({ peer, entries, size, round }) {
    const filter = { field: 'group', operator: 'in', value: [round % GROUPS, (round + 1) % GROUPS] };
    async function run() {
      let last;
      for (let done = 0; done < size; done++) last = await peer.count(filter);
      return last;
    }
    return { run, check: (last) => peer.read.count(last) === (2 * entries.length) / GROUPS };
  },
};
