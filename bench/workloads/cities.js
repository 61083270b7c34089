// Questions to 135,233 real documents, none of them with an index.

function question({ name, title, needs, ask, expected, times = 1, ...more }) {
  return {
    name,
    title,
    per: 'answer from 135,233 cities',
    data: 'cities',
    needs,
    contractOnly: true,
    rounds: { full: 3, quick: 1 },
    size: { full: times, quick: times },
    ...more,
    prepare({ peer, size }) {
      async function run() {
        let last;
        for (let done = 0; done < size; done++) last = await ask(peer);
        return last;
      }
      return { run, check: (last) => peer.read[needs](last) === expected };
    },
  };
}

const TOP_TEN = { sort: { field: 'population', order: 'desc' }, limit: 10 };
const IN_FRANCE = { field: 'country', operator: 'eq', value: 'FR' };
const IN_USA = { field: 'country', operator: 'eq', value: 'US' };
const BEGINS_PAR = { field: 'name', operator: 'startsWith', value: 'Par' };

export default [
  question({
    name: 'topTen',
    title: 'ten most populous cities',
    needs: 'query',
    ask: (peer) => peer.query([], TOP_TEN),
    expected: 10,
    floor: 25,
  }),
  question({
    name: 'topTenIndexed',
    title: 'indexed: most populous cities',
    per: 'answer from 135,233 cities, with an index on the population',
    data: 'indexed cities',
    needs: 'query',
    ask: (peer) => peer.query([], TOP_TEN),
    expected: 10,
    floor: 1000,
    times: 500,
    shares: { 'better-sqlite3': 0.002, 'better-sqlite3-scan': 0.002, 'live-objects': 0.02 },
  }),
  question({
    name: 'france',
    title: 'cities in FR, name "Par*"',
    needs: 'query',
    ask: (peer) => peer.query([IN_FRANCE, BEGINS_PAR]),
    expected: 16,
  }),
  question({
    name: 'countUs',
    title: 'count of the cities in US',
    needs: 'count',
    ask: (peer) => peer.count(IN_USA),
    expected: 16_677,
  }),
  question({
    name: 'cityKeys',
    title: 'list city:29*, 8,050 keys',
    needs: 'list',
    ask: (peer) => peer.list('city:29'),
    expected: 8_050,
    times: 5,
  }),
];
