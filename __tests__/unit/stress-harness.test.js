// That the stress runs would see a fault: their clients and checks on stores that have one, and on one that has none.

import { checkHistory } from '../../scripts/stress/checker/check.js';
import { ACCOUNTS, BALANCE, Client, now } from '../../scripts/stress/client.js';
import { checkBank, checkCodes, checkCounter, checkFairness, checkQueue } from '../../scripts/stress/models.js';
import { FaultyStore } from '../helpers/faulty-store.js';

const CLIENTS = 6;
const STEPS = 400;
/** Until a fault is found. */
const RUNS = 10;
const ns = 'r';
const accounts = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`);

/** @param {import('../helpers/faulty-store.js').Fault} fault @returns {Promise<string[]>} the kinds of faults that were found */
async function findFaults(fault, seed) {
  const store = new FaultyStore('none');
  for (const key of accounts) await store.set(key, BALANCE, { namespace: ns });
  await store.set('counter', 0, { namespace: ns });
  store.fault = fault;
  const lines = [];
  const clients = Array.from({ length: CLIENTS }, (_, number) => new Client(store, {
    name: `c${number}`, number, clients: CLIENTS, ns, seed: seed + number, record: (line) => lines.push(line),
  }));
  await Promise.all(clients.map(async (client) => {
    for (let i = 0; i < STEPS; i++) await client.step();
  }));
  store.fault = 'none';
  const start = now();
  const keys = [...new Set(lines.flatMap(({ ops = [] }) => ops.map(([, key]) => key)))];
  const found = await store.getMany(keys, { namespace: ns });
  lines.push({ client: 'final', status: 'ok', start, end: now(), ops: keys.map((key) => ['r', key, found.get(key) ?? []]) });
  const final = {
    accounts: [...(await store.getMany(accounts, { namespace: ns })).values()],
    counter: await store.get('counter', { namespace: ns }),
    jobs: await store.transaction((tx) => tx.list({ namespace: `${ns}-jobs` })),
  };
  const models = { bank: checkBank(lines, final), counter: checkCounter(lines, final), queue: checkQueue(lines, final) };
  return [
    ...new Set(checkHistory(lines.filter(({ ops }) => ops)).anomalies.map(({ type }) => type)),
    ...Object.entries(models).filter(([, faults]) => faults.length > 0).map(([name]) => name),
    ...checkCodes(clients.map((client) => client.summary())),
  ];
}

describe('the clients and checks of the stress runs', () => {
  const seed = Number(process.env.HYPHA_SEED ?? Math.floor(Math.random() * 1e6));
  beforeAll(() => console.log(`HYPHA_SEED=${seed}`));

  it('find nothing wrong with a store that is right', async () => expect(await findFaults('none', seed)).toEqual([]));

  it.each([
    ['transactions do not wait', 'lost update'],
    ['reads are dirty', 'G1a', 'G1b', 'G-single', 'incompatible order'],
    ['reads are old', 'stale read'],
    ['commits are torn', 'G-single', 'bank'],
    ['acknowledged writes vanish', 'lost append'],
    ['versions are not compared', 'lost update'],
  ])('find that %s', async (fault, ...kinds) => {
    // Which of them shows is up to the schedule, and in some runs none does.
    const found = new Set();
    for (let run = 0; run < RUNS && !kinds.some((kind) => found.has(kind)); run++) {
      for (const kind of await findFaults(/** @type {any} */ (fault), seed + run)) found.add(kind);
    }
    expect([...found].filter((kind) => kinds.includes(kind))).not.toEqual([]);
  });

  it('find a client that starves, and a code that should not be', () => {
    const summary = (client, done, codes = {}) => ({ client, role: 'clients', done, codes });
    expect(checkFairness([summary('a', 1000), summary('b', 11)])).toEqual([]);
    expect(checkFairness([summary('a', 1000), summary('b', 4)])).toHaveLength(1);
    expect(checkFairness([summary('a', 190), summary('b', 0)])).toEqual([]);
    expect(checkFairness([summary('a', 200), summary('b', 0)])).toHaveLength(1);
    expect(checkCodes([summary('a', 1, { 'HYPHA_BUSY after busyTimeout': 1 })])).toEqual([]);
    expect(checkCodes([summary('a', 1, { HYPHA_BUSY: 1 })])).toEqual(['a: HYPHA_BUSY, 1 times']);
  });
});
