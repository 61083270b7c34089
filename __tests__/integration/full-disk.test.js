// A disk that is full midway through a copy, at every size: nothing is left of it, what was there stays, and once there
// is room the same call succeeds.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { open, openOrLoad, restore, verifyBundle } from '../../lib/index.js';
import { useFolder } from '../helpers/folders.js';
import { mayMount, onSmallDisk } from '../helpers/small-disk.js';

const folder = useFolder();
const names = (path) => readdirSync(path, { recursive: true }).sort();
const entries = (count, letter) => Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: letter.repeat(700) }));
/** In KiB: from nearly nothing to more than the copies of 1,000 entries need. */
const SIZES = [64, 300, 600, 900, 1200, 1600, 2200];

const holds = async (path, count, letter) => {
  const store = await open({ path, readOnly: true });
  const found = [await store.count(), await store.get('k1'), (await store.verify()).ok];
  await store.close();
  expect(found).toEqual([count, letter.repeat(700), true]);
};

/** @type {Record<string, { copy: (given: any, path: string) => Promise<any>, holds: (path: string, count: number, letter: string) => Promise<void> }>} */
const COPIES = {
  backup: { copy: ({ store }, path) => store.backup(path, { overwrite: true }), holds },
  restore: { copy: ({ backup }, path) => restore(backup, path), holds },
  exportBundle: {
    copy: ({ store }, path) => store.exportBundle(path, { overwrite: true, partRows: 100 }),
    holds: async (path, count) => expect(await verifyBundle(path)).toMatchObject({ ok: true, entries: count }),
  },
  'exportBundle of a file': {
    copy: ({ store }, path) => store.exportBundle(path, { overwrite: true, form: 'file' }),
    holds: async (path, count) => expect(await verifyBundle(path)).toMatchObject({ ok: true, entries: count }),
  },
  openOrLoad: { copy: async ({ bundle }, path) => (await openOrLoad(path, bundle)).close(), holds },
};

(mayMount ? describe : describe.skip)('a disk that gets full midway', () => {
  const given = {};
  beforeAll(async () => {
    given.store = await open({ path: folder.path('source.db'), durability: 'normal' });
    given.small = await open({ mode: 'memory' });
    await given.store.setMany(entries(1000, 'n'));
    await given.small.setMany(entries(20, 'o'));
    given.backup = folder.path('source.backup');
    given.smallBackup = folder.path('small.backup');
    given.bundle = folder.path('source.bundle');
    await given.store.backup(given.backup);
    await given.small.backup(given.smallBackup);
    await given.store.exportBundle(given.bundle);
  });
  afterAll(() => Promise.all([given.store.close(), given.small.close()]));

  test.each(Object.keys(COPIES))('of a copy by %s to a new name', async (name) => {
    const { copy, holds: check } = COPIES[name];
    let full = 0;
    for (const size of SIZES) {
      await onSmallDisk(folder.path('disk'), `${size}k`, async ({ path, resize }) => {
        const target = join(path, 'target');
        const failure = await copy(given, target).then(() => undefined, (error) => error);
        if (failure !== undefined) {
          full++;
          expect({ size, code: failure.code, retryable: failure.retryable }).toEqual({ size, code: 'HYPHA_FULL', retryable: true });
          // A store that could not be loaded has been opened all the same.
          expect({ size, left: names(path).filter((each) => name !== 'openOrLoad' || !/^target(-wal|-shm)?$/.test(each)) }).toEqual({ size, left: [] });
          resize('64m');
          await copy(given, target);
        }
        // Before a look at it: who only reads a store cannot take its log away again.
        expect(names(path).filter((each) => /\.tmp-|-(wal|shm|journal)$/.test(each))).toEqual([]);
        await check(target, 1000, 'n');
      });
    }
    expect([full > 1, full < SIZES.length]).toEqual([true, true]);
  }, 120_000);

  test.each(Object.keys(COPIES).filter((name) => name !== 'openOrLoad'))('of a copy by %s over another', async (name) => {
    const { copy, holds: check } = COPIES[name];
    let full = 0;
    for (const size of SIZES.slice(1)) {
      await onSmallDisk(folder.path('disk'), '64m', async ({ path, resize }) => {
        const target = join(path, 'target');
        await copy({ store: given.small, backup: given.smallBackup }, target);
        const before = names(path);
        resize(`${size}k`);
        const failure = await copy(given, target).then(() => undefined, (error) => error);
        if (failure === undefined) return check(target, 1000, 'n');
        full++;
        expect({ size, code: failure.code, names: names(path) }).toEqual({ size, code: 'HYPHA_FULL', names: before });
        await check(target, 20, 'o');
        resize('64m');
        await copy(given, target);
        return check(target, 1000, 'n');
      });
    }
    expect([full > 1, full < SIZES.length]).toEqual([true, true]);
  }, 120_000);
});
