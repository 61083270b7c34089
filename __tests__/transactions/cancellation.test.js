// signal and timeout of every call that reads or writes entries; those on the whole store are in cancellation-whole.test.js.

import { setImmediate, setTimeout } from 'node:timers/promises';
import { codeOf, inBothModes } from '../helpers/stores.js';

/** Every call that changes something, with the options it is given. */
const WRITES = {
  set: (on, o) => on.set('w', 1, o),
  delete: (on, o) => on.delete('k', o),
  setMany: (on, o) => on.setMany([{ key: 'w', value: 1 }, { key: 'w2', value: 1 }], o),
  'setMany, atomic': (on, o) => on.setMany([{ key: 'w', value: 1 }], { ...o, atomic: true }),
  deleteMany: (on, o) => on.deleteMany(['k'], o),
  setMetadata: (on, o) => on.setMetadata('k', { changed: true }, o),
  clear: (on, o) => on.clear(o),
  'atomic()': (on, o) => on.atomic().sum('n', 1).set('w', 1).commit(o),
  update: (on, o) => on.update('k', () => 'changed', o),
  createNamespace: (on, o) => on.createNamespace('made', o),
  deleteNamespace: (on, o) => on.deleteNamespace('empty', o),
  createIndex: (on, o) => on.createIndex('default', 'f', o),
  dropIndex: (on, o) => on.dropIndex('indexed', 'f', o),
};

/** Every call that reads. */
const READS = {
  get: (on, o) => on.get('k', o),
  has: (on, o) => on.has('k', o),
  getEntry: (on, o) => on.getEntry('k', o),
  getMetadata: (on, o) => on.getMetadata('k', o),
  getMany: (on, o) => on.getMany(['k'], o),
  list: (on, o) => on.list(o),
  query: (on, o) => on.query([], o),
  page: (on, o) => on.page([], o),
  explain: (on, o) => on.explain([], o),
  count: (on, o) => on.count(o),
  entries: (on, o) => on.entries(o).next(),
  queryIterator: (on, o) => on.queryIterator([], o).next(),
  listNamespaces: (on, o) => on.listNamespaces(o),
  getNamespace: (on, o) => on.getNamespace('empty', o),
  listIndexes: (on, o) => on.listIndexes('indexed', o),
};

async function seeded(newStore, options) {
  const store = await newStore(options);
  await store.set('k', 'kept', { metadata: { kept: true } });
  await store.createNamespace('empty');
  await store.createIndex('indexed', 'f');
  return store;
}

/** Everything that the writes above would change. */
const state = async (store) => JSON.stringify([
  (await store.query([])).map(({ key, value, metadata }) => [key, value, metadata]), await store.listNamespaces(), await store.listIndexes('default'), await store.listIndexes('indexed'),
]);

inBothModes('a write that has not begun', (newStore) => {
  it('is dropped when its signal fires, with nothing written; its cause is the reason', async () => {
    const store = await seeded(newStore);
    const before = await state(store);
    const tx = await store.beginTransaction();
    const why = new Error('why');
    for (const [name, write] of Object.entries(WRITES)) {
      const controller = new AbortController();
      const writing = write(store, { signal: controller.signal }).catch((error) => error);
      await setImmediate();
      controller.abort(why);
      expect([name, await writing]).toEqual([name, expect.objectContaining({ code: 'HYPHA_ABORTED', cause: why })]);
    }
    expect((await store.stats()).queue).toEqual({ operations: 0, bytes: 0 });
    await tx.rollback();
    expect(await state(store)).toBe(before);
  });

  it('is dropped after its timeout, with nothing written', async () => {
    const store = await seeded(newStore);
    const before = await state(store);
    const tx = await store.beginTransaction();
    const answers = await Promise.all(Object.entries(WRITES).map(async ([name, write]) => [name, await codeOf(write(store, { timeout: 30 }))]));
    expect(answers).toEqual(Object.keys(WRITES).map((name) => [name, 'HYPHA_TIMEOUT']));
    await tx.rollback();
    expect(await state(store)).toBe(before);
  });

  it('is not even queued when its signal has fired before', async () => {
    const store = await seeded(newStore);
    const before = await state(store);
    for (const [name, call] of Object.entries({ ...WRITES, ...READS })) {
      expect([name, await codeOf(call(store, { signal: AbortSignal.abort() }))]).toEqual([name, 'HYPHA_ABORTED']);
    }
    expect(await codeOf(store.transaction(() => 1, { signal: AbortSignal.abort() }))).toBe('HYPHA_ABORTED');
    expect(await codeOf(store.beginTransaction({ signal: AbortSignal.abort() }))).toBe('HYPHA_ABORTED');
    expect(await state(store)).toBe(before);
  });

  it('leaves those before and behind it as they were, in order', async () => {
    const store = await newStore();
    const tx = await store.beginTransaction();
    const controller = new AbortController();
    const writes = Array.from({ length: 30 }, (_, i) => codeOf(store.set('k', i, i % 3 === 1 ? { signal: controller.signal } : undefined)));
    await setImmediate();
    controller.abort();
    await tx.rollback();
    expect((await Promise.all(writes)).map((answer) => answer === 'HYPHA_ABORTED')).toEqual(writes.map((_, i) => i % 3 === 1));
    expect(await store.get('k')).toBe(29);
  });

  it('a read goes on waiting for the write before one that was dropped', async () => {
    const store = await newStore();
    const tx = await store.beginTransaction();
    const first = store.set('k', 'first');
    const controller = new AbortController();
    const dropped = codeOf(store.set('k', 'dropped', { signal: controller.signal }));
    const reads = [store.get('k'), store.query([]).then(([entry]) => entry.value)];
    await setImmediate();
    controller.abort();
    expect(await dropped).toBe('HYPHA_ABORTED');
    await setTimeout(10);
    await tx.rollback();
    await first;
    expect(await Promise.all(reads)).toEqual(['first', 'first']);
  });

  it('in a transaction too', async () => {
    const store = await newStore();
    await store.transaction(async (tx) => {
      expect(await codeOf(tx.set('a', 1, { signal: AbortSignal.abort() }))).toBe('HYPHA_ABORTED');
      expect(await tx.set('b', 1, { timeout: 60_000, signal: new AbortController().signal })).toEqual({ version: expect.any(Number) });
    });
    expect(await store.list()).toEqual(['b']);
  });
});

inBothModes('a write that went through', (newStore) => {
  it('says so, whatever its signal and timeout did afterwards', async () => {
    const store = await seeded(newStore);
    const controller = new AbortController();
    for (const [name, write] of Object.entries(WRITES)) {
      await store.set('k', 1);
      const answer = await codeOf(write(store, { signal: controller.signal, timeout: 60_000 }));
      expect([name, typeof answer]).toEqual([name, 'object']);
    }
    controller.abort();
    expect(await store.listNamespaces()).toEqual(['default', 'indexed', 'made']);
    expect(await store.get('k')).toBe(1);
  });

  it('one that was aborted too late is answered by what happened to it, never by both', async () => {
    const store = await newStore();
    for (let round = 0; round < 60; round++) {
      const controller = new AbortController();
      const write = codeOf(store.set(`k${round}`, 1, { signal: controller.signal }));
      if (round % 3 === 0) await setImmediate();
      if (round % 3 === 1) await Promise.resolve();
      controller.abort();
      expect([round, await store.has(`k${round}`)]).toEqual([round, (await write) !== 'HYPHA_ABORTED']);
    }
  });
});

inBothModes('a read', (newStore) => {
  it('stops waiting for a write before it when its signal fires or its time is up', async () => {
    const store = await seeded(newStore);
    const tx = await store.beginTransaction();
    const write = store.setMany([{ key: 'k', value: 2 }, { key: 'other', value: 1 }]);
    const controller = new AbortController();
    const aborted = Object.entries(READS).map(async ([name, read]) => [name, await codeOf(read(store, { signal: controller.signal }))]);
    const late = Object.entries(READS).map(async ([name, read]) => [name, await codeOf(read(store, { timeout: 20 }))]);
    await setImmediate();
    controller.abort();
    expect(await Promise.all(late)).toEqual(Object.keys(READS).map((name) => [name, 'HYPHA_TIMEOUT']));
    expect(await Promise.all(aborted)).toEqual(Object.keys(READS).map((name) => [name, 'HYPHA_ABORTED']));
    await tx.rollback();
    await write;
  });

  it('is as good with them as without', async () => {
    const store = await seeded(newStore);
    const { signal } = new AbortController();
    const plain = (value) => JSON.stringify(value instanceof Map ? [...value] : value);
    for (const [name, read] of Object.entries(READS)) {
      expect([name, plain(await read(store, { signal, timeout: 60_000 }))]).toEqual([name, plain(await read(store))]);
      await store.snapshot(async (view) => expect([name, plain(await read(view, { signal, timeout: 60_000 }))]).toEqual([name, plain(await read(view))]));
    }
  });
});

inBothModes('createIndex', (newStore) => {
  const FIELDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  let store;

  beforeEach(async () => {
    store = await newStore();
    const value = Object.fromEntries(FIELDS.map((name, i) => [name, i]));
    for (let at = 0; at < 60_000; at += 10_000) await store.setMany(Array.from({ length: 10_000 }, (_, i) => ({ key: `k${at + i}`, value })));
  });

  it('tells how far it is, and ends midway by its signal: nothing of it is made, and writes that waited are', async () => {
    const controller = new AbortController();
    const told = [];
    const onProgress = (progress) => {
      told.push(progress);
      controller.abort('enough');
    };
    const making = store.createIndex('default', FIELDS, { signal: controller.signal, onProgress });
    const write = store.set('beside', 1);
    await expect(making).rejects.toMatchObject({ code: 'HYPHA_ABORTED', cause: 'enough' });
    expect(told).toEqual([{ values: expect.any(Number), totalValues: 480_000 }]);
    // All of them may have been read by the time this thread hears of it; then the sort is what ends.
    expect(told[0].values).toBeLessThanOrEqual(480_000);
    await write;
    expect(await store.listIndexes('default')).toEqual([]);
    expect(await store.get('beside')).toBe(1);
    const all = [];
    await store.createIndex('default', FIELDS, { onProgress: ({ values }) => all.push(values) });
    expect(all.at(-1)).toBe(480_000 + FIELDS.length);
    expect(all).toEqual([...all].sort((a, b) => a - b));
    expect(await store.listIndexes('default')).toHaveLength(1);
  });

  it('ends midway by its timeout, and with what its listener throws', async () => {
    await expect(store.createIndex('default', FIELDS, { timeout: 20 })).rejects.toMatchObject({ code: 'HYPHA_TIMEOUT' });
    const problem = new Error('of the listener');
    const onProgress = () => {
      throw problem;
    };
    await expect(store.createIndex('default', FIELDS, { onProgress })).rejects.toBe(problem);
    await expect(store.createIndex('default', FIELDS, { onProgress: 1 })).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    expect(await store.listIndexes('default')).toEqual([]);
  });
});

inBothModes('a transaction', (newStore) => {
  it('that waits for the writer is called off by its signal', async () => {
    const store = await newStore();
    const tx = await store.beginTransaction();
    const controller = new AbortController();
    const waiting = [store.transaction((other) => other.set('a', 1), { signal: controller.signal }), store.beginTransaction({ signal: controller.signal })].map(codeOf);
    await setTimeout(10);
    controller.abort();
    expect(await Promise.all(waiting)).toEqual(['HYPHA_ABORTED', 'HYPHA_ABORTED']);
    await tx.commit();
    expect(await store.count()).toBe(0);
  });

  it('is rolled back when its signal fires while its body runs, returning or not', async () => {
    const store = await newStore();
    const controller = new AbortController();
    const running = store.transaction(async (tx) => {
      await tx.set('a', 1);
      controller.abort();
      await new Promise(() => {});
    }, { signal: controller.signal });
    expect(await codeOf(running)).toBe('HYPHA_ABORTED');
    await store.set('b', 1);
    expect(await store.list()).toEqual(['b']);
  });

  it.each([
    ['in the same tick', (store, controller, options) => {
      const running = store.transaction((tx) => tx.set('k', 1), options);
      controller.abort();
      return running;
    }],
    ['before the first await of its body', (store, controller, options) => store.transaction(async (tx) => {
      controller.abort();
      await tx.set('k', 1);
    }, options)],
    ['as its body ends', (store, controller, options) => store.transaction(async (tx) => {
      await tx.set('k', 1);
      controller.abort();
    }, options)],
    ['before the first await of a body that never ends', (store, controller, options) => store.transaction(async () => {
      controller.abort();
      await new Promise(() => {});
    }, options)],
    ['in a body that only reads and never ends', (store, controller, options) => store.transaction(async () => {
      controller.abort();
      await new Promise(() => {});
    }, { ...options, readOnly: true })],
  ])('is rolled back when its signal fires %s', async (_when, run) => {
    const store = await newStore({ limits: { transactionTimeout: 600_000, snapshotAge: 600_000 } });
    const controller = new AbortController();
    expect(await codeOf(run(store, controller, { signal: controller.signal }))).toBe('HYPHA_ABORTED');
    expect(await store.count()).toBe(0);
    await store.set('after', 1);
  });

  it('inside another takes no options', async () => {
    const store = await newStore();
    await store.transaction(async (tx) => {
      expect(await codeOf(tx.transaction(() => 1, { signal: AbortSignal.abort() }))).toBe('HYPHA_UNKNOWN_OPTION');
    });
  });

  it('update() with a signal alone still bounds its function', async () => {
    const store = await newStore({ limits: { transactionTimeout: 50 } });
    const { signal } = new AbortController();
    expect(await codeOf(store.update('k', () => new Promise(() => {}), { signal }))).toBe('HYPHA_TIMEOUT');
    expect(await store.update('k', () => 2)).toMatchObject({ value: 2 });
  });

  it('refuses signals and timeouts of the wrong kind, on every call', async () => {
    const store = await seeded(newStore);
    for (const [name, call] of Object.entries({ ...WRITES, ...READS })) {
      for (const wrong of [{ timeout: -1 }, { timeout: 0 }, { timeout: '5' }, { signal: 5 }, { signal: {} }]) {
        expect([name, wrong, await codeOf(call(store, wrong))]).toEqual([name, wrong, 'HYPHA_INVALID_ARGUMENT']);
      }
    }
  });
});
