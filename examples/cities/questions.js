// What the demo asks. No index helps: each query reads all the cities, on a thread of its own.

import { ask, grouped, say, sayList, step, table } from './show.js';

const PARIS = 'city:2988507';

export async function tenMostPopulous(cities) {
  const { answer, took } = await ask('The ten most populous cities', () =>
    cities.query([], { sort: { field: 'population', order: 'desc' }, limit: 10 }));
  table(answer.map(({ value }, index) => [index + 1, value.name, value.country, value.population]));
  say(`in ${took}`);
}

export async function beginWithPar(cities) {
  const { answer, took } = await ask('Cities in France whose name starts with "Par"', () =>
    cities.query([
      { field: 'country', operator: 'eq', value: 'FR' },
      { field: 'name', operator: 'startsWith', value: 'Par' },
    ]));
  sayList(answer.map(({ value }) => value.name));
  say(`${answer.length} of them, in ${took}`);
}

export async function countInUs(cities) {
  const { answer, took } = await ask('How many cities are in the US', () =>
    cities.count({ filter: { field: 'country', operator: 'eq', value: 'US' } }));
  say(`${grouped(answer)}, in ${took}`);
}

export async function pageOfKeys(cities) {
  const { answer, took } = await ask('The third page of the keys that begin with "city:29"', () =>
    cities.list({ pattern: 'city:29*', limit: 10, offset: 20 }));
  sayList(answer);
  say(`in ${took}`);
}

export async function readMetadata(cities) {
  const { answer, took } = await ask('What is noted about Paris, beside its value', () => cities.getMetadata('city:2988507'));
  say(`${JSON.stringify(answer)}, in ${took}`);
}

/** @param {import('hyphadb').Store} store @param {string} namespace */
export async function rollBack(store, namespace) {
  step('A transaction, rolled back', `const tx = await store.beginTransaction()
await tx.set('${PARIS}', { ...paris, population: 0 }, { namespace })
await tx.rollback()`);
  const population = async (reader) => (await reader.get(PARIS, { namespace })).population;
  const paris = await store.get(PARIS, { namespace });
  const tx = await store.beginTransaction();
  await tx.set(PARIS, { ...paris, population: 0 }, { namespace });
  const rows = [['inside the transaction', await population(tx)], ['outside, meanwhile', await population(store)]];
  await tx.rollback();
  say('people in Paris:');
  table([['before', paris.population], ...rows, ['after the rollback', await population(store)]]);
}
