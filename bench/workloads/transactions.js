// Transactions: many updates at once, one after the other, one large one, and atomic operations.
//
// A transaction of better-sqlite3 is a function that runs to its end on the calling thread; here it is called for each
// piece of work. HyphaDB's transaction() may be awaited in, and pays for that with a wake-up of the writer's thread for
// each operation.

import { chunks, pick } from '../data.js';

const AT_ONCE = 500;
const store = 'hyphadb-store';

/** Different keys, so that no update of a burst waits for another. */
function distinct(entries, size, random) {
  const bursts = Math.max(1, Math.round(size / AT_ONCE));
  return Array.from({ length: bursts }, () => [...new Map(pick(entries, 2 * AT_ONCE, random).map((each) => [each.key, each])).values()].slice(0, AT_ONCE));
}

const older = (value) => ({ ...value, age: value.age + 1 });

const update = {
  name: 'update500',
  title: 'update(), 500 at once',
  per: 'update of a key of its own, 500 awaited together',
  needs: 'update',
  size: { full: 10_000, quick: 2_000 },
  of: store,
  floor: 2,
  prepare({ peer, entries, size, random }) {
    const bursts = distinct(entries, size, random);
    async function run() {
      const results = [];
      for (const burst of bursts) results.push(await Promise.all(burst.map(({ key }) => peer.update(key, older))));
      return results.flat();
    }
    return { run, check: (results) => results.length === size && results.every((each) => peer.read.update(each) > 18) };
  },
};

const interactive = {
  name: 'transaction',
  title: 'transaction() of a get and a set',
  per: 'transaction, one after the other',
  needs: 'update',
  size: { full: 2_000, quick: 500 },
  of: store,
  prepare({ peer, entries, size, random }) {
    const picked = pick(entries, size, random);
    async function run() {
      const results = [];
      for (const { key } of picked) results.push(await peer.transact(key, older));
      return results;
    }
    return { run, check: (results) => results.every((each) => peer.read.update(each) > 18) };
  },
};

/** @param {'together' | 'awaited'} how */
const large = (how, more) => ({
  needs: 'update',
  size: { full: 5_000, quick: 2_000 },
  of: store,
  ...more,
  prepare({ peer, entries, size, random }) {
    const transactions = chunks(pick(entries, size, random), 1000);
    async function run() {
      for (const entriesOfOne of transactions) await peer.setInOne(entriesOfOne, how);
      return transactions.at(-1).at(-1);
    }
    return { run, check: (last) => last !== undefined };
  },
});

const largeTogether = large('together', {
  name: 'transaction1000',
  title: 'a transaction of 1,000 sets',
  per: 'set, 1,000 in one transaction, awaited together',
  floor: 1.5,
});

const largeAwaited = large('awaited', {
  name: 'transaction1000awaited',
  title: 'the same, awaited one by one',
  per: 'set, 1,000 in one transaction, each awaited',
});

const atomic = {
  name: 'atomic500',
  title: 'atomic(), 500 at once',
  per: 'commit of one check and one set, 500 awaited together',
  needs: 'atomic',
  size: { full: 10_000, quick: 2_000 },
  of: store,
  against: 'deno-kv',
  floor: 4,
  prepare({ peer, size, round, random }) {
    const fresh = Array.from({ length: size }, (_, i) => ({ key: `atomic:${round}:${i}`, value: { n: random() } }));
    async function run() {
      const results = [];
      for (const burst of chunks(fresh, AT_ONCE)) results.push(await Promise.all(burst.map(({ key, value }) => peer.create(key, value))));
      return results.flat();
    }
    return { run, check: (results) => results.length === size && results.every(({ ok }) => ok) };
  },
};

export default [update, interactive, largeTogether, largeAwaited, atomic];
