// Queries that an index answers. The baseline reads everything for each of them, so it asks only twice.

const SHARES = { 'better-sqlite3': 0.004, 'better-sqlite3-scan': 0.008, 'live-objects': 0.2 };

function indexed({ name, title, returns, floor, question, size = 500 }) {
  return {
    name,
    title,
    per: `query over an indexed field of 20,000 documents, returning ${returns}`,
    data: 'indexed documents',
    needs: 'query',
    contractOnly: true,
    size: { full: size, quick: size / 2 },
    shares: SHARES,
    floor,
    prepare({ peer, size: times, random }) {
      const asked = Array.from({ length: times }, () => question(random));
      async function run() {
        const answers = [];
        for (const { filter, options } of asked) answers.push(await peer.query(filter, options));
        return answers;
      }
      return { run, check: (answers) => answers.every((answer) => peer.read.query(answer) === returns) };
    },
  };
}

const below = (random, end) => Math.floor(random() * end);

export default [
  indexed({
    name: 'indexedEq',
    title: 'indexed: equality, limit 10',
    returns: 10,
    floor: 2000,
    question: (random) => ({ filter: { field: 'group', operator: 'eq', value: below(random, 20) }, options: { limit: 10 } }),
  }),
  indexed({
    name: 'indexedRange',
    title: 'indexed: range, sorted, limit 10',
    returns: 10,
    floor: 1000,
    question: (random) => {
      const low = below(random, 800);
      const filter = [{ field: 'score', operator: 'gte', value: low }, { field: 'score', operator: 'lt', value: low + 100 }];
      return { filter, options: { sort: { field: 'score', order: 'asc' }, limit: 10 } };
    },
  }),
  // user12, user120 to user129, user1200 to ...: with four digits there are eleven, with three a hundred and eleven.
  indexed({
    name: 'indexedPrefix',
    title: 'indexed: startsWith, 11 rows',
    returns: 11,
    floor: 500,
    question: (random) => ({ filter: { field: 'email', operator: 'startsWith', value: `user${1000 + below(random, 1000)}` } }),
  }),
  indexed({
    name: 'indexedPrefixes',
    title: 'indexed: startsWith, 111 rows',
    returns: 111,
    question: (random) => ({ filter: { field: 'email', operator: 'startsWith', value: `user${100 + below(random, 100)}` } }),
  }),
];
