// A query over a field that has no index, and the 5 % of the documents that answer it.

import { GROUPS } from '../data.js';

export default {
  name: 'filter',
  title: 'filter, 5 % of 20,000',
  per: 'query without an index, returning 1,000 documents',
  needs: 'query',
  size: { full: 8, quick: 4 },
  shares: { 'better-sqlite3': 0.25, 'better-sqlite3-scan': 0.25 },
  floor: 30,

  prepare({ peer, entries, size, round }) {
    const filter = { field: 'group', operator: 'eq', value: round % GROUPS };
    async function run() {
      let last;
      for (let done = 0; done < size; done++) last = await peer.query(filter);
      return last;
    }
    return { run, check: (last) => peer.read.query(last) === entries.length / GROUPS };
  },
};
