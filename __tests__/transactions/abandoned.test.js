// Transactions that nobody ends, and memory outside V8's heap.

import { jest } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { setImmediate } from 'node:timers/promises';
import { open } from '../../lib/index.js';
import { native } from '../../lib/native.js';
import { within } from '../helpers/child-run.js';
import { useFolder } from '../helpers/folders.js';
import { deferred, inBothModes } from '../helpers/stores.js';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

/** @param {Promise<any>} promise settled, sooner or later, once something is collected */
async function collectUntil(promise) {
  let settled = false;
  const end = () => { settled = true; };
  promise.then(end, end);
  for (let i = 0; i < 500 && !settled; i++) {
    gc();
    await setImmediate();
  }
  return within('the collection', promise);
}

inBothModes('a transaction that nobody holds any more', (newStore) => {
  it('is rolled back when it is collected, and the next one begins', async () => {
    const store = await newStore({ busyTimeout: 60_000 });
    await (async () => {
      const tx = await store.beginTransaction({ timeout: 60_000 });
      await tx.set('a', 1);
    })();
    await collectUntil(store.set('b', 1));
    expect(await store.list()).toEqual(['b']);
  });

  it('is not, while a view of it is held', async () => {
    const store = await newStore({ busyTimeout: 60_000 });
    const view = await (async () => (await store.beginTransaction({ timeout: 60_000 })).namespace('n'))();
    for (let i = 0; i < 20; i++) {
      gc();
      await setImmediate();
    }
    expect(await view.set('a', 1)).toEqual({ version: expect.any(Number) });
    const stranger = store.set('b', 1);
    stranger.catch(() => {});
    await store.close();
  });
});

describe('a store that nobody holds any more', () => {
  const folder = useFolder();

  it('is collected, and so are the timer that looks at its disk and all that this keeps', async () => {
    const COUNT = 20;
    const openAndDrop = async () => new WeakRef(await open({ path: folder.next() }));
    const setting = jest.spyOn(globalThis, 'setInterval');
    const cleared = new Set();
    const { promise: allCleared, resolve } = deferred();
    const clearing = jest.spyOn(globalThis, 'clearInterval').mockImplementation((timer) => {
      clearTimeout(timer);
      if (setting.mock.results.some(({ value }) => value === timer) && cleared.add(timer).size === COUNT) resolve();
    });
    try {
      const stores = [];
      for (let i = 0; i < COUNT; i++) stores.push(await openAndDrop());
      expect(setting).toHaveBeenCalledTimes(COUNT);
      await collectUntil(allCleared);
      expect(stores.filter((store) => store.deref() !== undefined)).toHaveLength(0);
    } finally {
      setting.mockRestore();
      clearing.mockRestore();
    }
  });
});

describe('memory outside the heap', () => {
  it('is told to V8, and none is left when every store is closed', async () => {
    const before = native.externalBytes();
    const store = await open({ mode: 'memory' });
    await store.setMany(Array.from({ length: 20_000 }, (_, i) => ({ key: `k${i}`, value: { text: 'x'.repeat(200), i } })));
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 20_000; i += 20) await store.getMany(Array.from({ length: 20 }, (_, n) => `k${i + n}`));
    }
    await setImmediate();
    expect(native.externalBytes()).toBeGreaterThan(before + 1024 * 1024);
    await store.close();
    expect(native.externalBytes()).toBe(before);
    expect(before).toBe(0);
  });
});
