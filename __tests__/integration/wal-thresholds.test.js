// The options of `wal` that count in bytes of the log's file, at one byte less than it has, as many, and one more.

import { statSync } from 'node:fs';
import { open } from '../../lib/index.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();
const MiB = 1024 * 1024;

/**
 * Runs `work` on a new store whose log always has the same length, and is copied only when it is asked for.
 * @param {object} wal
 * @param {(store: import('../../lib/index.js').Store, logBytes: () => number) => Promise<any>} work
 */
async function onLog(wal, work) {
  const path = folder.next();
  const store = await open({ path, durability: 'normal', wal: { idleBytes: 512 * MiB, busyBytes: 512 * MiB, ...wal } });
  try {
    await store.setMany(Array.from({ length: 50 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(4000) })), { atomic: true });
    return await work(store, () => statSync(`${path}-wal`).size);
  } finally {
    await store.close();
  }
}

/** @returns {Promise<number>} what that log has */
const logLength = () => onLog({}, async (_, logBytes) => logBytes());

test('past warnBytes, and only past it, diagnose() copies the log', async () => {
  const length = await logLength();
  expect(length).toBeGreaterThan(100_000);
  for (const [warnBytes, action] of [[length - 1, 'restart'], [length, 'none'], [length + 1, 'none']]) {
    await onLog({ warnBytes }, async (store) => {
      const { wal } = await store.diagnose();
      expect(wal).toMatchObject({ walBytes: length, action });
      expect(wal.backfilled === wal.frames).toBe(action !== 'none');
    });
  }
});

test('a log that is started over keeps journalSizeLimit of its file', async () => {
  const length = await logLength();
  for (const [journalSizeLimit, kept] of [[length - 1, length - 1], [length, length], [length + 1, length]]) {
    await onLog({ journalSizeLimit }, async (store, logBytes) => {
      const { checkpoint } = await store.optimize({ analyze: false, checkpoint: 'PASSIVE' });
      expect(checkpoint).toMatchObject({ mode: 'passive', busy: false });
      expect(logBytes()).toBe(length); // copying takes nothing off the file
      await store.set('starts it over', 1);
      expect(logBytes()).toBe(kept);
    });
  }
  // No cap: a log that needs more is longer. What it needs of the file it keeps, too.
  await onLog({ journalSizeLimit: 0 }, async (store, logBytes) => {
    expect(logBytes()).toBe(length);
    await store.optimize({ analyze: false, checkpoint: 'PASSIVE' });
    await store.set('starts it over', 1);
    expect(logBytes()).toBeGreaterThan(0);
    expect(logBytes()).toBeLessThan(length / 4);
  });
});

describe('a transaction that would fill the log past limitBytes', () => {
  const value = 'x'.repeat(8000);
  const small = { limitBytes: MiB, cacheSizeKiB: 64 };
  const most = MiB + 64 * 1024 + 16 * 4096; // the limit, the cache, and one request

  test('is refused more with HYPHA_TOO_LARGE, and what it has can be committed', async () => {
    await onLog(small, async (store, logBytes) => {
      let written = 0;
      await store.transaction(async (tx) => {
        await expect((async () => {
          for (;;) await tx.set(`t${written++}`, value);
        })()).rejects.toMatchObject({ code: 'HYPHA_TOO_LARGE' });
      });
      expect(written).toBeGreaterThan(50);
      expect(logBytes()).toBeLessThanOrEqual(most);
      const left = await store.getMany([`t${written - 2}`, `t${written - 1}`]);
      expect([...left.values()]).toEqual([value]);
    });
  });

  test('leaves nothing when its body ends with that error', async () => {
    await onLog(small, async (store) => {
      await expect(store.transaction(async (tx) => {
        for (let i = 0; ; i++) await tx.set(`t${i}`, value);
      })).rejects.toMatchObject({ code: 'HYPHA_TOO_LARGE' });
      expect(await store.count()).toBe(50);
      await store.set('after', 1);
    });
  });

  test('does not stop an import', async () => {
    const bundle = folder.next();
    const source = await open({ mode: 'memory' });
    await source.setMany(Array.from({ length: 400 }, (_, i) => ({ key: `t${i}`, value })));
    await source.exportBundle(bundle);
    await source.close();
    await onLog(small, async (store, logBytes) => {
      await store.importBundle(bundle);
      expect(logBytes()).toBeGreaterThan(2 * MiB);
      expect(await store.count()).toBe(450);
    });
  });
});
