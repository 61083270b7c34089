// An operation sees the effect of every operation issued before it on the same store, awaited or not.

import process from 'node:process';
import { open } from '../../lib/index.js';
import { within } from '../helpers/child-run.js';
import { byKey } from '../helpers/oracle-filter.js';
import { Random, runSeed } from '../helpers/oracle-random.js';

const seed = runSeed();
const KEYS = ['a', 'b', 'c', 'd'];
const NAMESPACES = ['one', 'two'];
const ROUNDS = Number(process.env.HYPHA_ROUNDS ?? 60);
const STEPS = 60;

/** The state after each call issued so far. */
class History {
  states = [{ one: {}, two: {} }];

  change(how) {
    const next = structuredClone(this.states.at(-1));
    how(next);
    this.states.push(next);
  }

  get now() {
    return this.states.at(-1);
  }
}

const keysOf = (entries) => Object.keys(entries).sort(byKey);

/** Reads: what to ask, and what it answers in a given state. */
const reads = {
  get: (store, namespace, key) => [store.get(key, { namespace }), (state) => state[namespace][key]],
  has: (store, namespace, key) => [store.has(key, { namespace }), (state) => key in state[namespace]],
  getEntry: (store, namespace, key) => [store.getEntry(key, { namespace }).then((entry) => entry?.value), (state) => state[namespace][key]],
  getMany: (store, namespace) => [
    store.getMany(KEYS, { namespace }).then((map) => Object.fromEntries(map)),
    (state) => Object.fromEntries(keysOf(state[namespace]).map((key) => [key, state[namespace][key]])),
  ],
  list: (store, namespace) => [store.list({ namespace }), (state) => keysOf(state[namespace])],
  count: (store, namespace) => [store.count({ namespace }), (state) => keysOf(state[namespace]).length],
  query: (store, namespace) => [
    store.query([{ field: 'n', operator: 'gte', value: 0 }], { namespace }).then((entries) => entries.map(({ value }) => value.n)),
    (state) => keysOf(state[namespace]).map((key) => state[namespace][key].n),
  ],
};

const same = (a, b) => JSON.stringify([a]) === JSON.stringify([b]);

async function round(store, random) {
  await store.clear();
  const history = new History();
  const checks = [];
  let n = 0;

  const read = () => {
    const name = random.pick(Object.keys(reads));
    const issuedAt = history.states.length - 1;
    const [answer, project] = reads[name](store, random.pick(NAMESPACES), random.pick(KEYS));
    checks.push(async () => {
      const actual = await answer;
      // Later changes may be seen as well; a state before the call may not.
      const allowed = history.states.slice(issuedAt).map(project);
      if (!allowed.some((each) => same(each, actual))) {
        throw new Error(`HYPHA_SEED=${seed}: ${name} answered ${JSON.stringify(actual)}; when it was called: ${JSON.stringify(allowed[0])}`);
      }
    });
  };
  const expectExactly = (answer, expected) => checks.push(async () => expect(await answer).toEqual(expected));

  const steps = {
    set: (namespace, key) => {
      const value = { n: n++ };
      store.set(key, value, { namespace });
      history.change((state) => (state[namespace][key] = { ...value }));
      value.n = -1; // captured at the call
    },
    delete: (namespace, key) => {
      expectExactly(store.delete(key, { namespace }), key in history.now[namespace]);
      history.change((state) => delete state[namespace][key]);
    },
    setMany: (namespace) => {
      const entries = random.some(4, () => ({ key: random.pick(KEYS), value: { n: n++ } }));
      store.setMany(entries, { namespace });
      history.change((state) => entries.forEach(({ key, value }) => (state[namespace][key] = { ...value })));
    },
    clear: (namespace) => {
      expectExactly(store.clear({ namespace }), keysOf(history.now[namespace]).length);
      history.change((state) => (state[namespace] = {}));
    },
    transaction: async (namespace) => {
      const tx = await store.beginTransaction();
      const key = random.pick(KEYS);
      const value = { n: n++ };
      tx.set(key, value, { namespace });
      if (random.chance(0.7)) {
        tx.commit();
        history.change((state) => (state[namespace][key] = value));
      } else {
        tx.rollback();
      }
    },
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  };
  const mix = ['set', 'set', 'set', 'set', 'delete', 'setMany', 'clear', 'transaction', 'turn', ...Array.from({ length: 9 }, () => 'read')];
  for (let i = 0; i < STEPS; i++) {
    const name = random.pick(mix);
    if (name === 'read') read();
    else await steps[name](random.pick(NAMESPACES), random.pick(KEYS));
  }
  await within('answer everything', Promise.all(checks.map((check) => check())));
  return checks.length;
}

describe('calls that nobody awaits', () => {
  for (const options of [{ mode: 'memory' }, { mode: 'memory', readers: 1, limits: { transactionTimeout: 5000 } }]) {
    it(`take effect in the order in which they were issued (${ROUNDS} random interleavings, ${JSON.stringify(options)})`, async () => {
      process.stderr.write(`HYPHA_SEED=${seed}\n`);
      const random = new Random(seed);
      const store = await open(options);
      let checked = 0;
      for (let i = 0; i < ROUNDS; i++) checked += await round(store, random);
      await store.close();
      expect(checked).toBeGreaterThan(ROUNDS * 20);
    });
  }
});

describe('what a call is given', () => {
  let store;
  beforeAll(async () => (store = await open({ mode: 'memory' })));
  afterAll(() => store.close());

  it('is captured at the call: values, metadata, entries and keys', async () => {
    const value = { n: 1, inner: { m: [1] } };
    const metadata = { tag: 'before' };
    const entries = [{ key: 'c', value: { n: 3 } }];
    const keys = ['a'];
    const writes = [store.set('a', value, { metadata }), store.set('b', value), store.setMetadata('b', metadata), store.setMany(entries)];
    value.inner.m.push(2);
    metadata.tag = 'after';
    entries[0].value.n = 4;
    entries.push({ key: 'd', value: 1 });
    const many = store.getMany(keys);
    keys[0] = 'b';
    keys.push('c');
    await Promise.all(writes);
    expect(await store.getEntry('a')).toMatchObject({ value: { n: 1, inner: { m: [1] } }, metadata: { tag: 'before' } });
    expect(await store.getMetadata('b')).toEqual({ tag: 'before' });
    expect(await store.get('c')).toEqual({ n: 3 });
    expect(await store.has('d')).toBe(false);
    expect([...(await many).keys()]).toEqual(['a']);
  });

  it('is captured at the call: filters, sort keys and options', async () => {
    await store.clear();
    await store.setMany([1, 2, 3].map((n) => ({ key: `k${n}`, value: { n } })));
    store.set('k4', { n: 4 }); // makes the reads wait
    const filter = [{ field: 'n', operator: 'in', value: [1, 3] }];
    const options = { sort: { field: 'n', order: 'desc' }, limit: 5 };
    const count = { filter };
    const listing = { pattern: 'k*' };
    const answers = [store.query(filter, options), store.count(count), store.list(listing)];
    filter[0].value.push(2);
    filter[0].field = 'other';
    options.sort.order = 'asc';
    options.limit = 0;
    count.filter = [];
    listing.pattern = 'nothing';
    const [found, counted, listed] = await Promise.all(answers);
    expect(found.map(({ key }) => key)).toEqual(['k3', 'k1']);
    expect(counted).toBe(2);
    expect(listed).toEqual(['k1', 'k2', 'k3', 'k4']);
  });

  it('gives back fresh values that nobody else holds', async () => {
    await store.set('shared', { list: [] });
    const [first, second] = await Promise.all([store.get('shared'), store.get('shared')]);
    first.list.push('changed');
    expect(second).toEqual({ list: [] });
    expect(await store.get('shared')).toEqual({ list: [] });
  });
});
