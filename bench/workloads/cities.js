// Questions to 135,233 real documents, none of them with an index.

function question(name, title, needs, ask, expected) {
  return {
    name,
    title,
    per: 'answer from 135,233 cities',
    data: 'cities',
    needs,
    contractOnly: true,
    rounds: { full: 3, quick: 1 },
    size: { full: 1, quick: 1 },
    prepare: ({ peer }) => ({ run: () => ask(peer), check: (answer) => peer.read[needs](answer) === expected }),
  };
}

const TOP_TEN = { sort: { field: 'population', order: 'desc' }, limit: 10 };
const IN_FRANCE = { field: 'country', operator: 'eq', value: 'FR' };
const IN_USA = { field: 'country', operator: 'eq', value: 'US' };
const BEGINS_PAR = { field: 'name', operator: 'startsWith', value: 'Par' };

export default [
  question('topTen', 'ten most populous cities', 'query', (peer) => peer.query([], TOP_TEN), 10),
  question('france', 'cities in FR, name "Par*"', 'query', (peer) => peer.query([IN_FRANCE, BEGINS_PAR]), 16),
  question('countUs', 'count of the cities in US', 'count', (peer) => peer.count(IN_USA), 16_677),
  question('cityKeys', 'list city:29*, 8,050 keys', 'list', (peer) => peer.list('city:29'), 8_050),
];
