// Durability as JavaScript sees it: the level in every result, flush(), close(), and what a crash leaves behind.

import { existsSync, statSync } from 'node:fs';
import { open, WalConfig } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { RemoteStore } from '../helpers/child-store.js';
import { holdRead } from '../helpers/foreign-sqlite.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();
const LEVELS = ['off', 'normal', 'periodic', 'full'];

describe('the durability of a result', () => {
  test.each(LEVELS)('is that of the store: %s', async (durability) => {
    const store = await open({ path: folder.next(), durability });
    expect(await store.set('k', 1)).toEqual({ version: expect.any(Number), durability });
    expect(await store.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 2 }])).toMatchObject({ ok: true, durability });
    expect(await store.deleteMany(['a'])).toMatchObject({ ok: true, durability });
    expect(await store.setMetadata('k', { m: 1 })).toMatchObject({ durability });
    expect(await store.update('k', (n) => n + 1)).toMatchObject({ value: 2, durability });
    expect(await store.atomic().sum('k', 1).commit()).toMatchObject({ ok: true, durability });
    expect((await store.status()).durability).toBe(durability);
    await store.close();
  });

  test('is what a write asked for', async () => {
    const store = await open({ path: folder.next(), durability: 'off' });
    for (const durability of LEVELS) {
      expect(await store.set('k', 1, { durability })).toMatchObject({ durability });
      expect(await store.setMany([{ key: 'a', value: 1 }], { durability })).toMatchObject({ durability });
      expect(await store.atomic().set('b', 1).commit({ durability })).toMatchObject({ durability });
    }
    await store.close();
  });

  test.each(LEVELS.slice(1))("is never 'off' in a store that was opened at %s", async (level) => {
    const store = await open({ path: folder.next(), durability: level });
    await store.set('k', 0); // the next one finds a log, and may run on this thread
    for (const durability of LEVELS) {
      const reached = durability === 'off' ? 'normal' : durability;
      expect(await store.set('k', 1, { durability })).toMatchObject({ durability: reached });
      expect(await store.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 1 }], { durability })).toMatchObject({ ok: true, durability: reached });
      expect(await store.deleteMany(['a', 'b'], { durability })).toMatchObject({ ok: true, durability: reached });
      expect(await store.atomic().set('b', 1).commit({ durability })).toMatchObject({ durability: reached });
    }
    await store.close();
  });

  test('of a transaction is told by its commit', async () => {
    for (const durability of LEVELS) {
      const store = await open({ path: folder.next(), durability });
      const tx = await store.beginTransaction();
      await tx.set('k', 1);
      expect(await tx.commit()).toEqual({ durability });
      expect(await (await store.beginTransaction({ readOnly: true })).commit()).toEqual({});
      await store.close();
    }
  });

  test('of a transaction is what it asked for', async () => {
    const store = await open({ path: folder.next(), durability: 'normal' });
    for (const durability of LEVELS) {
      const tx = await store.beginTransaction({ durability });
      await tx.set('k', durability);
      await tx.transaction((inner) => inner.set('nested', durability));
      expect(await tx.commit()).toEqual({ durability: durability === 'off' ? 'normal' : durability });
    }
    await expect(store.beginTransaction({ durability: 'high' })).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    await expect(store.transaction(() => 1, { durability: 'full', readOnly: true })).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    await store.close();
  });

  // These do not tell theirs. At 'periodic' the store syncs its log soon after them; at 'normal', its own, it never does.
  test.each([
    ['createNamespace', (store, o) => store.createNamespace(`made at ${o.durability}`, o)],
    ['deleteNamespace', (store, o) => store.deleteNamespace(`for ${o.durability}`, o)],
    ['createIndex', (store, o) => store.createIndex('default', `for ${o.durability}`, o)],
    ['dropIndex', (store, o) => store.dropIndex('default', `to drop at ${o.durability}`, o)],
    ['clear', (store, o) => store.clear(o)],
    ['transaction', (store, o) => store.transaction((tx) => tx.set('t', 1), o)],
    ['importBundle', (store, o, bundle) => store.importBundle(bundle, { onConflict: 'update', ...o })],
  ])('%s has one of its own', async (_name, call) => {
    const store = await open({ path: folder.next(), durability: 'normal', wal: { syncInterval: 10 } });
    const bundle = folder.next().replace(/db$/, 'jsonl');
    await store.set('k', 1);
    await store.createNamespace('for periodic');
    await store.createIndex('default', 'to drop at periodic');
    await store.exportBundle(bundle, { overwrite: true });
    const syncs = async () => (await store.stats()).log.syncs;
    expect(await syncs()).toBe(0);
    await call(store, { durability: 'periodic' }, bundle);
    const deadline = Date.now() + 20_000;
    while ((await syncs()) === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await syncs()).toBe(1);
    await store.close();
  });

  test('is the highest of those that shared the commit', async () => {
    const store = await open({ path: folder.next(), durability: 'normal' });
    const holder = await store.beginTransaction(); // what is written meanwhile waits, and then shares a commit
    const writes = LEVELS.map((durability) => store.set(durability, 1, { durability }));
    const many = store.setMany([{ key: 'x', value: 1 }, { key: 'y', value: 2 }], { durability: 'off' });
    await Promise.resolve();
    await holder.rollback();
    expect((await Promise.all(writes)).map(({ durability }) => durability)).toEqual(['full', 'full', 'full', 'full']);
    expect(await many).toMatchObject({ ok: true, durability: 'full' });
    await store.close();
  });

  test('stands beside the failures of a batch, and is absent inside a transaction', async () => {
    const store = await open({ path: folder.next(), durability: 'normal' });
    await store.set('k', 1);
    const mixed = await store.setMany([{ key: 'k', value: 2, overwrite: false }, { key: 'n', value: 3 }]);
    expect(mixed).toMatchObject({ ok: false, durability: 'normal', outcomes: [{ ok: false }, { ok: true }] });
    await store.transaction(async (tx) => {
      expect(await tx.set('t', 1)).toEqual({ version: expect.any(Number) });
      expect(await tx.setMany([{ key: 'u', value: 1 }])).toEqual({ ok: true, outcomes: [expect.objectContaining({ key: 'u' })] });
    });
    await store.close();
  });

  test('does not change the results of the contract', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: folder.next(), synchronous: 'FULL' });
    expect(await backend.set('k', 1)).toEqual({ success: true });
    expect(await backend.setMetadata('k', { a: 1 })).toEqual({ success: true });
    expect(await backend.delete('k')).toEqual({ success: true });
    expect(await backend.close()).toEqual({ success: true });
  });
});

describe('flush()', () => {
  test('syncs the log once for all that was written before', async () => {
    const store = await open({ path: folder.next(), durability: 'normal' });
    let done = 0;
    for (let i = 0; i < 50; i++) store.set(`k${i}`, i).then(() => done++);
    await store.flush();
    expect(done).toBe(50);
    expect((await store.stats()).log.syncs).toBe(1);
    await store.close();
  });

  test('does not wait for a transaction that is open, and works inside its body', async () => {
    const store = await open({ path: folder.next(), durability: 'normal' });
    await store.set('k', 1);
    await store.transaction(async () => {
      await store.flush();
    });
    expect((await store.stats()).log.syncs).toBe(1);
    await store.close();
  });

  test('is nothing in a store that is read only', async () => {
    const path = folder.next();
    await (await open({ path })).close();
    const store = await open({ path, readOnly: true });
    await store.flush();
    await store.close();
  });
});

describe("durability 'periodic'", () => {
  test('syncs by itself within the interval', async () => {
    const store = await open({ path: folder.next(), durability: 'periodic', wal: { syncInterval: 30 } });
    await store.set('k', 1);
    const deadline = Date.now() + 20_000;
    while ((await store.stats()).log.syncs === 0 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await store.stats()).log.syncs).toBe(1);
    await store.close();
  });
});

describe('close()', () => {
  test('empties the log and says so', async () => {
    const path = folder.next();
    const store = await open({ path });
    await store.set('k', 1);
    expect(await store.close()).toEqual({ last: true, busy: false, stopped: false, frames: 0 });
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  test('of one of two stores on a file closes nothing yet', async () => {
    const path = folder.next();
    const one = await open({ path });
    const two = await open({ path });
    expect(await one.close()).toMatchObject({ last: false });
    expect(await two.close()).toMatchObject({ last: true, busy: false });
  });

  test('says that a reader in another process kept the log from being emptied', async () => {
    const path = folder.next();
    const store = await open({ path });
    await store.set('k', 1);
    await holdRead(path, async () => {
      await store.set('k', 2);
      expect(await store.close()).toMatchObject({ last: true, busy: true, frames: expect.any(Number) });
      expect(existsSync(`${path}-wal`)).toBe(true);
    });
    const again = await open({ path });
    expect(await again.get('k')).toBe(2);
    await again.close();
  });
});

describe('recoveryReport', () => {
  test('has nothing to tell of a file that was closed, or of a new one', async () => {
    const path = folder.next();
    for (let i = 0; i < 2; i++) {
      const store = await open({ path });
      expect(store.recoveryReport).toEqual({ hadLog: false, recovered: false, frames: 0, bytes: 0, ms: expect.any(Number) });
      await store.set('k', i);
      await store.close();
    }
  });

  test('tells what a process that was killed left in the log', async () => {
    const path = folder.next();
    const remote = await RemoteStore.open({ path });
    for (let i = 0; i < 20; i++) await remote.call('set', `k${i}`, 'x'.repeat(1000));
    await remote.kill();
    const { size } = statSync(`${path}-wal`);
    const store = await open({ path });
    expect(store.recoveryReport).toEqual({ hadLog: true, recovered: true, frames: expect.any(Number), bytes: size, ms: expect.any(Number) });
    expect(store.recoveryReport.frames).toBeGreaterThanOrEqual(20);
    expect(await store.count()).toBe(20);
    await store.close();
  });

  test('tells it of a store that is opened to be read as well', async () => {
    const path = folder.next();
    const remote = await RemoteStore.open({ path });
    await remote.call('set', 'k', 'v');
    await remote.kill();
    const { size } = statSync(`${path}-wal`);
    const store = await open({ path, readOnly: true });
    expect(store.recoveryReport).toEqual({ hadLog: true, recovered: true, frames: expect.any(Number), bytes: size, ms: expect.any(Number) });
    expect(store.recoveryReport.frames).toBeGreaterThan(0);
    expect(await store.get('k')).toBe('v');
    await store.close();
  });

  test('tells of no recovery beside a process that has the file open', async () => {
    const path = folder.next();
    const remote = await RemoteStore.open({ path });
    await remote.call('set', 'k', 1);
    const store = await open({ path });
    expect(store.recoveryReport).toMatchObject({ hadLog: true, recovered: false });
    await store.close();
    await remote.call('close');
    await remote.end();
  });
});

describe('WalConfig', () => {
  const PRESETS = { default: ['full', 2], production: ['normal', 1], highPerformance: ['off', 0], highSafety: ['full', 2], stepflow: ['normal', 1] };

  test('has the presets, each of which opens', async () => {
    expect(Object.keys(WalConfig).sort()).toEqual(Object.keys(PRESETS).sort());
    for (const [name, [durability]] of Object.entries(PRESETS)) {
      const store = await open({ path: folder.next(), wal: WalConfig[name]() });
      expect([name, (await store.set('k', 1)).durability]).toEqual([name, durability]);
      await store.close();
    }
  });

  test('gives an object of its own each time', () => {
    expect(WalConfig.production()).not.toBe(WalConfig.production());
    expect({ ...WalConfig.stepflow(), idleBytes: 1 }).toMatchObject({ idleBytes: 1, synchronous: 'NORMAL' });
  });

  test('stepflow has the values of its source: what the engine reads back, and copies within the commit', async () => {
    const path = folder.next();
    const store = await open({ path, wal: WalConfig.stepflow() });
    const { performance } = await store.stats();
    expect(performance).toMatchObject({ journal_mode: 'wal', wal_mode: true, synchronous: 1, cache_size: -40_000, page_size: 4096, mmap_size: 0 });
    await store.setMany(Array.from({ length: 1200 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(4000) })));
    const { wal } = await store.diagnose();
    expect(wal.frames).toBeGreaterThan(1000);
    expect(wal.backfilled).toBe(wal.frames);
    await store.close();
  });

  test('another set of values for a file that is open is a conflict', async () => {
    const path = folder.next();
    const store = await open({ path, wal: { limitBytes: 1_000_000 } });
    await expect(open({ path })).rejects.toMatchObject({ code: 'HYPHA_OPTIONS_CONFLICT' });
    await store.close();
  });
});
