// Every public method in every state of its object's life has a defined answer: the value of methods.js, or a code.

import { copyFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import v8 from 'node:v8';
import vm from 'node:vm';
import { open, Store } from '../../../lib/index.js';
import { Transaction } from '../../../lib/transaction.js';
import { MyceliaStorageBackend } from '../../../lib/mycelia/index.js';
import { useFolder } from '../../helpers/folders.js';
import { BACKEND_STATES } from './backend-states.js';
import { BACKEND_METHODS, DATA_METHODS, STORE_METHODS, TRANSACTION_METHODS, publicNames, seed } from './methods.js';
import { STORE_STATES, TRANSACTION_STATES, VALUE, freshStore, outcome, untilCollected } from './states.js';

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

const folder = useFolder();
/** A database that nobody has open, to be copied. */
let seeded;
beforeAll(async () => {
  seeded = folder.path('seeded');
  const store = await open({ path: seeded });
  await seed(store);
  await store.close();
});

function seededFile() {
  const path = folder.next();
  copyFileSync(seeded, path);
  return path;
}

/** All cells of one state at once, so that a failure shows each that is wrong. */
async function checkState(methods, { answer, expected }) {
  const answers = {};
  const wanted = {};
  for (const [name, { kind, call, gives }] of Object.entries(methods)) {
    answers[name] = await answer(call, seededFile);
    const cell = expected[name] ?? expected[kind];
    wanted[name] = cell === VALUE ? { value: gives } : { code: cell };
  }
  expect(answers).toEqual(wanted);
}

describe('the table of methods', () => {
  it.each([['Store', Store, STORE_METHODS], ['Transaction', Transaction, TRANSACTION_METHODS]])('has every one of %s', (_, type, methods) => {
    expect(Object.keys(methods).sort()).toEqual(publicNames(type));
  });

  it('has every one of MyceliaStorageBackend', () => {
    expect(Object.keys(BACKEND_METHODS).sort()).toEqual(publicNames(MyceliaStorageBackend));
  });
});

describe('every method of a store', () => {
  it.each(Object.entries(STORE_STATES))('%s', (_, state) => checkState(STORE_METHODS, state), 60_000);

  it('closed and opened again, of which the old handle stays closed', async () => {
    for (const [name, { call, gives, kind }] of Object.entries(STORE_METHODS)) {
      const path = seededFile();
      const old = await open({ path });
      await old.close();
      const store = await open({ path });
      expect([name, await outcome(() => call(old))]).toEqual([name, kind === 'end' ? { value: gives } : { code: 'HYPHA_CLOSED' }]);
      expect([name, await outcome(() => call(store))]).toEqual([name, { value: gives }]);
      await store.close();
    }
  }, 60_000);
});

describe('every method of a transaction', () => {
  it.each(Object.entries(TRANSACTION_STATES))('%s', (_, state) => checkState(TRANSACTION_METHODS, state), 60_000);
});

describe('every method of the Mycelia backend', () => {
  it.each(Object.entries(BACKEND_STATES))('%s', (_, state) => checkState(BACKEND_METHODS, state), 120_000);
});

describe('every method of a child whose store has been collected', () => {
  /** @param {(store: any) => any} makeChild @returns {Promise<[child: any, store: WeakRef<object>]>} */
  async function orphan(makeChild) {
    const store = await freshStore();
    return [await makeChild(store), new WeakRef(store)];
  }

  it.each([
    ['a namespace view', (store) => store.namespace('default'), DATA_METHODS],
    ['a transaction', (store) => store.beginTransaction(), TRANSACTION_METHODS],
  ])('%s', async (_, makeChild, methods) => {
    const answers = {};
    for (const [name, { call }] of Object.entries(methods)) {
      const [child, store] = await orphan(makeChild);
      await untilCollected(store, gc);
      answers[name] = await outcome(() => call(child));
    }
    expect(answers).toEqual(Object.fromEntries(Object.entries(methods).map(([name, { gives }]) => [name, { value: gives }])));
  }, 60_000);

  it('an iterator that nothing but the loop holds, which keeps its store', async () => {
    const [iterator] = await orphan((each) => each.entries({ batch: 1 }));
    for (let i = 0; i < 5; i++) {
      await setImmediate();
      gc();
    }
    expect((await iterator.next()).value).toMatchObject({ key: 'k', value: 1 });
    expect((await iterator.next()).done).toBe(true);
  });

  it('an atomic() that was begun', async () => {
    const [atomic, store] = await orphan((each) => each.atomic().sum('k', 1));
    await untilCollected(store, gc);
    expect(await atomic.commit()).toMatchObject({ ok: true });
  });
});
