// Another process holds the write lock.

import { setTimeout } from 'node:timers/promises';
import { open } from '../../lib/index.js';
import { RemoteStore } from '../helpers/child-store.js';
import { holdWriteLock } from '../helpers/foreign-sqlite.js';
import { useFolder } from '../helpers/folders.js';
import { codeOf } from '../helpers/stores.js';

const folder = useFolder();
const opened = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

async function openFile(path = folder.next(), options = {}) {
  const store = await open({ path, ...options });
  opened.push(store);
  return [store, path];
}

const WRITES = {
  set: (store) => store.set('set', 1),
  setMany: (store) => store.setMany([{ key: 'many', value: 1 }], { atomic: true }),
  'atomic()': (store) => store.atomic().sum('sum', 1).commit(),
  update: (store) => store.update('update', () => 1),
  transaction: (store) => store.transaction((tx) => tx.set('tx', 1)),
  'transaction with retries': (store) => store.transaction((tx) => tx.set('tx again', 1), { retries: 1000 }),
};

/** Runs `work` and gives the longest time in which no timer came. */
async function watchLoop(work) {
  let last = performance.now();
  let longest = 0;
  let ticks = 0;
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
    ticks++;
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return { longest, ticks };
}

describe('while another process holds the lock', () => {
  it('for 250 ms, every kind of write waits and succeeds', async () => {
    const [store, path] = await openFile();
    await store.set('before', 1);
    let writes;
    await holdWriteLock(path, async () => {
      writes = Object.values(WRITES).map((write) => write(store));
      await setTimeout(250);
      expect(await store.get('before')).toBe(1);
    });
    await Promise.all(writes);
    expect((await store.list()).sort()).toEqual(['before', 'many', 'set', 'sum', 'tx', 'tx again', 'update']);
  });

  it('for longer than busyTimeout, each is HYPHA_BUSY in time, nothing is written, and the loop turns', async () => {
    const [store, path] = await openFile(undefined, { busyTimeout: 2000 });
    await store.set('before', 1);
    await holdWriteLock(path, async () => {
      const started = performance.now();
      const { longest, ticks } = await watchLoop(async () => {
        const answers = await Promise.all(Object.entries(WRITES).map(async ([name, write]) => [name, await codeOf(write(store)), performance.now() - started]));
        for (const [name, code, after] of answers) {
          expect([name, code]).toEqual([name, 'HYPHA_BUSY']);
          expect(after).toBeGreaterThan(1900);
          expect(after).toBeLessThan(20_000); // each its own two seconds, one after the other at worst
        }
        expect(await store.getSync('before')).toBe(1);
      });
      expect(ticks).toBeGreaterThan(20);
      expect(longest).toBeLessThan(1500);
    });
    expect(await store.list()).toEqual(['before']);
    await WRITES.set(store);
    expect(await store.list()).toEqual(['before', 'set']);
  });

  it('a timeout or a signal of its own ends the wait sooner', async () => {
    const [store, path] = await openFile(undefined, { busyTimeout: 20_000 });
    await store.set('before', 1);
    await holdWriteLock(path, async () => {
      const started = performance.now();
      const controller = new AbortController();
      const answers = [store.set('a', 1, { timeout: 60 }), store.set('b', 1, { signal: controller.signal }), store.transaction(() => 1, { signal: controller.signal })].map(codeOf);
      await setTimeout(100);
      controller.abort();
      expect(await Promise.all(answers)).toEqual(['HYPHA_TIMEOUT', 'HYPHA_ABORTED', 'HYPHA_ABORTED']);
      expect(performance.now() - started).toBeLessThan(15_000);
    });
    expect(await store.list()).toEqual(['before']);
  });
});

describe('retries', () => {
  it('run the body again after HYPHA_CONFLICT and HYPHA_BUSY, as often as they say', async () => {
    const [store] = await openFile();
    for (const code of ['HYPHA_CONFLICT', 'HYPHA_BUSY']) {
      let calls = 0;
      const body = async (tx) => {
        await tx.set('k', ++calls);
        if (calls < 4) throw Object.assign(new Error('by another'), { code });
        return calls;
      };
      expect(await store.transaction(body, { retries: 3 })).toBe(4);
      expect(await store.get('k')).toBe(4);
      calls = 0;
      expect([await codeOf(store.transaction(body, { retries: 2 })), calls]).toEqual([code, 3]);
      calls = 0;
      expect([await codeOf(store.transaction(body)), calls]).toEqual([code, 1]);
    }
    let calls = 0;
    await expect(store.transaction(() => { calls++; throw new Error('mine'); }, { retries: 5 })).rejects.toThrow('mine');
    expect(calls).toBe(1);
  });

  it('transactions go through beside a busy process', async () => {
    const [store, path] = await openFile();
    await store.set('n', 0);
    const remote = await RemoteStore.open({ path });
    const theirs = (async () => {
      for (let i = 0; i < 20; i++) await remote.call('atomic_sum', 'n', 1);
    })();
    for (let i = 0; i < 20; i++) {
      await store.transaction(async (tx) => {
        const entry = await store.getEntry('n');
        await tx.set('n', entry.value + 1, { ifVersion: entry.version });
      }, { retries: 1000 });
    }
    await theirs;
    expect(await store.get('n')).toBe(40);
    await remote.end();
  });
});

describe('two processes', () => {
  it('update() one key: every one succeeds', async () => {
    const [store, path] = await openFile();
    const remote = await RemoteStore.open({ path });
    const theirs = (async () => {
      for (let i = 0; i < 60; i++) await remote.call('update_plus', 'n', 1);
    })();
    for (let i = 0; i < 60; i++) await store.update('n', (n = 0) => n + 1);
    await theirs;
    expect(await store.get('n')).toBe(120);
    expect(await remote.call('get', 'n')).toBe(120);
    await remote.end();
  });

  it("what one commits, the other's next read sees", async () => {
    const [store, path] = await openFile();
    const remote = await RemoteStore.open({ path });
    for (let i = 1; i <= 30; i++) {
      await store.set('k', i);
      expect(await remote.call('get', 'k')).toBe(i);
      await remote.call('set', 'k', -i);
      expect(await store.get('k')).toBe(-i);
      expect(await store.snapshot((view) => view.get('k'))).toBe(-i);
    }
    await remote.end();
  });
});
