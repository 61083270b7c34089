// How a store comes into each state of its life, and what a method answers in it.
//
// `answer` calls the method in that state and gives its outcome; `expected` says for each kind of method: VALUE, or a
// code. What is said of a method by name wins.

import { setImmediate } from 'node:timers/promises';
import { open } from '../../../lib/index.js';
import { within } from '../../helpers/child-run.js';
import { seed } from './methods.js';

export const VALUE = Symbol('the value of the table');

/** @param {() => any} call @returns {Promise<{ value: any } | { code: string }>} */
export async function outcome(call) {
  try {
    return { value: await within('a call', Promise.resolve(call())) };
  } catch (error) {
    return { code: error.code ?? `${error}` };
  }
}

export const all = (result) => ({ point: result, scan: result, write: result, begin: result, control: result, end: result });

/** @returns {Promise<any>} in memory, as seed() makes it */
export async function freshStore() {
  const store = await open({ mode: 'memory' });
  await seed(store);
  return store;
}

/** @param {(store: any) => Promise<any>} work */
async function withStore(work) {
  const store = await freshStore();
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Runs garbage collections until the object is gone. @param {WeakRef<object>} reference @param {() => void} gc */
export async function untilCollected(reference, gc) {
  for (let i = 0; i < 200 && reference.deref() !== undefined; i++) {
    await setImmediate();
    gc();
  }
  if (reference.deref() !== undefined) throw new Error('it is not collected');
}

/** @typedef {{ answer: (call: (on: any) => any) => Promise<any>, expected: Record<string, any> }} State */

/** @type {Record<string, State>} */
export const STORE_STATES = {
  open: {
    answer: (call) => withStore((store) => outcome(() => call(store))),
    expected: all(VALUE),
  },
  'in a batch': {
    answer: (call) => withStore(async (store) => {
      const batch = Array.from({ length: 500 }, (_, i) => ({ key: `b${i}`, value: i, namespace: 'batches' }));
      const writing = store.setMany(batch);
      const result = await outcome(() => call(store));
      if (!(await writing).ok) throw new Error('the batch failed');
      return result;
    }),
    expected: all(VALUE),
  },
  'inside the body of its own transaction': {
    answer: (call) => withStore(async (store) => {
      let result;
      const ending = store.transaction(async (tx) => {
        await tx.get('k');
        result = await outcome(() => call(store));
      });
      await ending.catch((error) => {
        if (error.code !== 'HYPHA_CLOSED') throw error; // by close()
      });
      return result;
    }),
    expected: { ...all(VALUE), write: 'HYPHA_NESTED', begin: 'HYPHA_NESTED' },
  },
  "during another's transaction": {
    answer: (call) => withStore(async (store) => {
      const tx = await store.beginTransaction();
      await tx.set('k', 'not yet committed');
      const result = outcome(() => call(store));
      await setImmediate();
      await tx.rollback().catch((error) => {
        if (error.code !== 'HYPHA_CLOSED') throw error; // by close()
      });
      return result;
    }),
    expected: all(VALUE),
  },
  iterating: {
    answer: (call) => withStore(async (store) => {
      let result;
      for await (const entry of store.entries()) if (entry.key === 'k') result = await outcome(() => call(store));
      return result;
    }),
    expected: all(VALUE),
  },
  'inside toJSON of a value that is being set': {
    answer: (call) => withStore(async (store) => {
      let result;
      const setting = store.set('outer', {
        toJSON() {
          result = outcome(() => call(store));
          return 1;
        },
      }, { namespace: 'batches' });
      const set = await outcome(() => setting);
      if (set.code !== undefined && set.code !== 'HYPHA_CLOSED') throw new Error(`the outer set() gave ${set.code}`);
      return result;
    }),
    expected: all(VALUE),
  },
  'inside a getter of its options': {
    answer: (call) => withStore(async (store) => {
      let result;
      const setting = store.set('outer', 1, {
        get namespace() {
          result ??= outcome(() => call(store));
          return 'batches';
        },
      });
      const set = await outcome(() => setting);
      if (set.code !== undefined && set.code !== 'HYPHA_CLOSED') throw new Error(`the outer set() gave ${set.code}`);
      return result;
    }),
    expected: all(VALUE),
  },
  closing: {
    answer: async (call) => {
      const store = await freshStore();
      store.set('last', 1);
      const closing = store.close();
      const result = outcome(() => call(store));
      await closing;
      return result;
    },
    expected: { ...all('HYPHA_CLOSED'), end: VALUE },
  },
  closed: {
    answer: async (call) => {
      const store = await freshStore();
      await store.close();
      return outcome(() => call(store));
    },
    expected: { ...all('HYPHA_CLOSED'), end: VALUE },
  },
};

/** A transaction in each state of its life. @type {Record<string, State>} */
export const TRANSACTION_STATES = {
  open: {
    answer: (call) => withStore(async (store) => outcome(async () => call(await store.beginTransaction()))),
    expected: all(VALUE),
  },
  'in a batch': {
    answer: (call) => withStore(async (store) => {
      const tx = await store.beginTransaction();
      const writing = outcome(() => tx.setMany(Array.from({ length: 500 }, (_, i) => ({ key: `b${i}`, value: i, namespace: 'batches' }))));
      const result = await outcome(() => call(tx));
      if (!(await writing).value.ok) throw new Error('the batch failed');
      return result;
    }),
    expected: all(VALUE),
  },
  'inside its body': {
    answer: (call) => withStore(async (store) => {
      let result;
      const ending = store.transaction(async (tx) => {
        result = await outcome(() => call(tx));
      });
      await ending.catch((error) => {
        if (error.code !== 'HYPHA_TRANSACTION_INVALID') throw error; // by its own commit() or rollback()
      });
      return result;
    }),
    expected: all(VALUE),
  },
  iterating: {
    answer: (call) => withStore(async (store) => {
      const tx = await store.beginTransaction();
      let result;
      for await (const entry of tx.entries()) if (entry.key === 'k') result = await outcome(() => call(tx));
      return result;
    }),
    expected: all(VALUE),
  },
  committed: {
    answer: (call) => withStore(async (store) => {
      const tx = await store.beginTransaction();
      await tx.commit();
      return outcome(() => call(tx));
    }),
    expected: { ...all('HYPHA_TRANSACTION_INVALID'), control: VALUE },
  },
  'rolled back': {
    answer: (call) => withStore(async (store) => {
      const tx = await store.beginTransaction();
      await tx.rollback();
      return outcome(() => call(tx));
    }),
    expected: { ...all('HYPHA_TRANSACTION_INVALID'), control: VALUE },
  },
  'past its deadline': {
    answer: (call) => withStore(async (store) => {
      const tx = await store.beginTransaction({ timeout: 1 });
      await store.set('after', 1); // gets the writer once the transaction has lost it
      return outcome(() => call(tx));
    }),
    expected: { ...all('HYPHA_TRANSACTION_TIMEOUT'), control: VALUE },
  },
  'its store closing': {
    answer: async (call) => {
      const store = await freshStore();
      const tx = await store.beginTransaction();
      const closing = store.close();
      const result = outcome(() => call(tx));
      await closing;
      return result;
    },
    expected: { ...all('HYPHA_CLOSED'), control: VALUE },
  },
  'its store closed': {
    answer: async (call) => {
      const store = await freshStore();
      const tx = await store.beginTransaction();
      await store.close();
      return outcome(() => call(tx));
    },
    expected: { ...all('HYPHA_CLOSED'), control: VALUE },
  },
};
