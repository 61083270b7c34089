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
