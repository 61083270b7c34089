// stats(), diagnose(), optimize(), ping() and recover(), and the warning of a disk that is nearly full.

import { execFileSync } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { StorageError, classifyError, open } from '../../lib/index.js';
import { runChild } from '../helpers/child-run.js';
import { longestGap } from '../helpers/event-loop.js';
import { damage, holdRead, holdWriteLock } from '../helpers/foreign-sqlite.js';
import { useFolder } from '../helpers/folders.js';
import { mayMount, onSmallDisk } from '../helpers/small-disk.js';
import { codeOf } from '../helpers/stores.js';

const folder = useFolder();
const MiB = 1024 * 1024;
const HISTOGRAM = { count: expect.any(Number), sum: expect.any(Number), p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) };

/** Runs `work` on a store of its own. */
async function onStore(options, work) {
  const store = await open({ path: folder.next(), ...options });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** @param {() => Promise<boolean>} condition */
async function eventually(condition) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await sleep(5)) if (await condition()) return true;
  return false;
}

describe('stats()', () => {
  test('has every key, and numbers equal to those of the files and of a count', () => onStore({ durability: 'normal' }, async (store) => {
    await store.setMany(Array.from({ length: 300 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(500), namespace: i % 2 ? 'a' : 'b' })));
    const stats = await store.stats();
    const { path } = await store.status();
    const size = (suffix) => statSync(`${path}${suffix}`).size;
    expect(stats.performance).toEqual({
      database_size_bytes: size(''), wal_size_bytes: size('-wal'), shm_size_bytes: size('-shm'),
      total_size_mb: Math.round(((size('') + size('-wal') + size('-shm')) / MiB) * 100) / 100,
      table_counts: { entries: await store.count({ namespace: 'a' }) + (await store.count({ namespace: 'b' })), namespaces: 2 },
      wal_mode: true, journal_mode: 'wal', synchronous: 1, cache_size: -8192, page_size: 4096, mmap_size: 0, storage_path: path,
    });
    expect(stats).toMatchObject({
      queue: { operations: 0, bytes: 0 }, transaction: { open: false }, stopped: false,
      batches: HISTOGRAM, latency: { write: HISTOGRAM, inlineWrite: HISTOGRAM, commit: HISTOGRAM, read: HISTOGRAM },
      retries: { transactions: 0, lockWaits: expect.any(Number) },
      statements: { hits: expect.any(Number), misses: expect.any(Number) },
      pageCache: { hits: expect.any(Number), misses: expect.any(Number), writes: expect.any(Number), spills: expect.any(Number) },
      readers: { threads: 2, waiting: expect.any(Number), open: expect.any(Number), oldestAge: expect.any(Number), expired: 0 },
      checkpoints: { passive: expect.any(Number), truncate: 0, busy: 0, failed: 0 },
      log: { frames: expect.any(Number), copied: expect.any(Number), syncs: 0, refused: 0 },
    });
    expect(stats.latency.write.p50).toBeLessThanOrEqual(stats.latency.write.p95);
    expect(stats.latency.write.p95).toBeLessThanOrEqual(stats.latency.write.max);
  }));

  test('counts what is done', () => onStore({ durability: 'full' }, async (store) => {
    const before = await store.stats();
    await store.setMany(Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: i })));
    await store.query({ field: 'x', operator: 'eq', value: 1 });
    await store.checkpoint();
    const after = await store.stats();
    expect(after.batches.count - before.batches.count).toBe(1);
    expect(after.batches.max).toBeGreaterThanOrEqual(87); // 100, within an eighth
    expect(after.commits - before.commits).toBe(1);
    expect(after.latency.read.count).toBeGreaterThan(before.latency.read.count);
    expect(after.checkpoints.truncate - before.checkpoints.truncate).toBe(1);
    expect(after.checkpoints.last).toMatchObject({ mode: 'truncate', busy: false });
    expect(after.pageCache.hits).toBeGreaterThan(before.pageCache.hits);
  }));

  test('shows what waits, and an open transaction', () => onStore({}, async (store) => {
    const tx = await store.beginTransaction();
    const write = store.set('k', 1);
    // A turn that has no time left hands it over in the next one.
    while ((await store.stats()).queue.operations === 0) await setImmediate();
    expect(await store.stats()).toMatchObject({ queue: { operations: 1 }, transaction: { open: true } });
    await tx.commit();
    await write;
    expect(await store.stats()).toMatchObject({ queue: { operations: 0, bytes: 0 }, transaction: { open: false } });
  }));

  test('leaves the counts out when asked to, and has no files in memory', async () => {
    const store = await open({ mode: 'memory' });
    const { performance } = await store.stats({ counts: false });
    expect(performance).toMatchObject({ table_counts: null, storage_path: null, wal_size_bytes: 0, shm_size_bytes: 0 });
    expect(performance.database_size_bytes).toBeGreaterThan(0);
    await expect(store.stats({ count: false })).rejects.toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION' });
    await store.close();
    await expect(store.stats()).rejects.toMatchObject({ code: 'HYPHA_CLOSED' });
  });
});

describe('ping()', () => {
  test('asks the writer and each reader', () => onStore({ readers: 3 }, async (store) => {
    const { ok, connections } = await store.ping();
    expect(ok).toBe(true);
    expect(connections.map(({ role }) => role)).toEqual(['writer', 'reader', 'reader', 'reader']);
    for (const connection of connections) expect(connection).toEqual({ role: connection.role, ok: true, ms: expect.any(Number) });
  }));

  test('says that another process holds the lock, and that it does no more', () => onStore({ busyTimeout: 50 }, async (store) => {
    const { path } = await store.status();
    await holdWriteLock(path, async () => {
      const { ok, connections } = await store.ping({ timeout: 1500 });
      expect(ok).toBe(false);
      expect(connections[0]).toMatchObject({ role: 'writer', ok: false, code: 'HYPHA_BUSY', category: 'busy' });
      expect(connections.slice(1).every((each) => each.ok)).toBe(true);
    });
    expect(await store.ping()).toMatchObject({ ok: true });
  }));

  test('says that the file is damaged, and is well again with the file, without opening anew', () => onStore({}, async (store) => {
    await store.setMany(Array.from({ length: 200 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(200) })));
    await store.checkpoint();
    const { path } = await store.status();
    const copy = folder.next();
    // By another process: an open and a close in this one would drop the locks of the store.
    await inChild(`copyFileSync(${JSON.stringify(path)}, ${JSON.stringify(copy)})`);
    const overwrite = (from) => inChild(`const file = openSync(${JSON.stringify(path)}, 'r+'); const bytes = ${from}; writeSync(file, bytes, 0, bytes.length, 0); closeSync(file)`);
    await overwrite(`Buffer.alloc(${statSync(path).size}, 0xa5)`);
    const sick = await store.ping({ timeout: 5000 });
    expect(sick.ok).toBe(false);
    expect(sick.connections.map(({ category }) => category)).toContain('corrupt');
    await overwrite(`readFileSync(${JSON.stringify(copy)})`);
    expect(await store.ping({ timeout: 5000 })).toMatchObject({ ok: true });
    expect(await store.count()).toBe(200);
  }));

  test('of a store that is read only asks the readers alone', async () => {
    const path = folder.next();
    await (await open({ path })).close();
    await onStore({ path, readOnly: true }, async (store) => {
      expect((await store.ping()).connections.map(({ role }) => role)).toEqual(['reader', 'reader']);
    });
  });
});

describe('transactions that find the lock taken', () => {
  test('are tried again until another process lets go, within busyTimeout', () => onStore({ busyTimeout: 20_000 }, async (store) => {
    const { path } = await store.status();
    let write;
    const held = await holdWriteLock(path, () => longestGap(() => {
      write = store.set('k', 1);
      return sleep(250);
    }));
    await write;
    expect(held.ticks).toBeGreaterThan(10); // the loop went on
    expect(held.longest).toBeLessThan(125); // and did not wait for the lock
    const { retries } = await store.stats();
    expect(retries.transactions).toBeGreaterThanOrEqual(1);
    expect(retries.lockWaits).toBeGreaterThan(retries.transactions);
    expect(await store.get('k')).toBe(1);
  }));

  test('reject with the number of attempts when it lasts longer', () => onStore({ busyTimeout: 400 }, async (store) => {
    const { path } = await store.status();
    await holdWriteLock(path, async () => {
      const ticks = [];
      const timer = setInterval(() => ticks.push(performance.now()), 10);
      const error = await store.set('k', 1).catch((failure) => failure);
      clearInterval(timer);
      expect(error).toBeInstanceOf(StorageError);
      expect(error).toMatchObject({ code: 'HYPHA_BUSY', retryable: true, sqliteCode: 5 });
      expect([2, 3]).toContain(error.attempts); // 100 ms, 200, and what is left, if each ends in time
      expect(ticks.length).toBeGreaterThan(5); // the loop went on
    });
  }));
});

describe('diagnose()', () => {
  test('finds nothing wrong with a store that is well', () => onStore({}, async (store) => {
    await store.set('k', 1);
    expect(await store.diagnose()).toMatchObject({
      integrity: 'ok', quarantine: [], problems: [],
      wal: { journalMode: 'wal', busyTimeout: 5000, blockedBy: null, action: 'none' },
      disk: { freeBytes: expect.any(Number), low: false },
    });
  }));

  test('names a reader of another process that holds the log, and writes go on; then the log shrinks', () => onStore({ wal: { warnBytes: MiB, idleBytes: 64 * MiB, busyBytes: 64 * MiB, journalSizeLimit: 0 } }, async (store) => {
    const { path } = await store.status();
    await store.set('k', 0);
    await holdRead(path, async () => {
      await store.setMany(Array.from({ length: 400 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(4000) })));
      const { wal, problems } = await store.diagnose();
      expect(wal).toMatchObject({ blockedBy: 'reader', action: 'passive' });
      expect(wal.walBytes).toBeGreaterThan(MiB);
      expect(wal.backfilled).toBeLessThan(wal.frames);
      expect(problems).toEqual([{ category: 'busy', what: expect.stringContaining('reader'), advice: classifyError({ code: 'HYPHA_BUSY' }).advice }]);
      await store.set('while it reads', 1);
    });
    expect((await store.diagnose()).wal).toMatchObject({ blockedBy: null, action: 'restart' });
    await store.set('starts the log over', 1);
    expect((await store.stats()).performance.wal_size_bytes).toBeLessThan(MiB);
  }));

  test('names a transaction, and another process that writes', () => onStore({}, async (store) => {
    const tx = await store.beginTransaction();
    expect((await store.diagnose()).wal).toMatchObject({ blockedBy: 'writer', action: 'none' });
    await tx.rollback();
    const { path } = await store.status();
    await holdWriteLock(path, async () => {
      expect((await store.diagnose()).wal).toMatchObject({ blockedBy: 'writer' });
    });
  }));
});

describe('a store whose file is not where it was', () => {
  /** Runs `work` on a store that stops in it, or when it is closed. */
  async function onMoved(path, work) {
    const store = await open({ path });
    try {
      await work(store, path);
    } finally {
      const { stopped, code } = await store.close().catch((error) => error);
      expect(stopped ?? code).toBe(code === undefined ? true : 'HYPHA_WAL_MOVED');
    }
  }

  test('is told by diagnose() to have stopped', () => onMoved(folder.next(), async (store, path) => {
    const other = folder.next();
    await onStore({ path: other }, (its) => its.set('k', 'of the other'));
    renameSync(other, path);
    expect(await eventually(async () => (await store.stats()).stopped)).toBe(true);
    const { advice } = classifyError({ code: 'HYPHA_WAL_MOVED' });
    expect((await store.diagnose()).problems).toEqual([{ category: 'io', what: expect.stringContaining('HYPHA_WAL_MOVED'), advice }]);
    expect(await codeOf(store.set('k', 1))).toBe('HYPHA_WAL_MOVED');
  }));

  test('is told by diagnose() to be on a disk that nobody can look at, and is not vacuumed', async () => {
    const gone = folder.path('gone');
    await onMoved(join(gone, 'a.db'), async (store) => {
      await store.set('k', 1);
      rmSync(gone, { recursive: true });
      const { disk, problems } = await store.diagnose();
      expect(disk).toMatchObject({ freeBytes: null, low: false });
      expect(problems).toContainEqual({ category: 'io', what: expect.stringContaining('ENOENT'), advice: classifyError({ code: 'HYPHA_IO' }).advice });
      const refusal = await store.optimize({ vacuum: true }).catch((error) => error);
      expect(refusal).toBeInstanceOf(StorageError);
      expect(refusal).toMatchObject({ code: 'HYPHA_IO', cause: { code: 'ENOENT' } });
    });
  });

  test('was opened by a relative path before the process went to another folder: nothing has changed', async () => {
    const [here, there] = ['here', 'there'].map((name) => folder.path(name));
    for (const path of [here, join(here, 'copies'), there]) mkdirSync(path);
    const { data, stderr } = await runChild(new URL('./children/relative.js', import.meta.url), { here, there });
    expect(stderr).toBe('');
    expect(data).toEqual([join(here, 'sub/a.db'), [], true, expect.stringContaining(join(here, 'copies/'))]);
    expect(readdirSync(there)).toEqual([]);
  });
});

describe('optimize()', () => {
  test('gives the result of each step, and vacuums only when told to', () => onStore({}, async (store) => {
    await store.setMany(Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(2000) })));
    await store.clear();
    const { bytes } = await store.status();
    expect(await store.optimize()).toEqual({
      ok: true, analyze: { mode: 'optimize', ms: expect.any(Number) }, integrity: null, vacuum: null,
      checkpoint: { mode: 'passive', busy: false, frames: expect.any(Number), copied: expect.any(Number), ms: expect.any(Number) },
    });
    expect((await store.status()).bytes).toBe(bytes);
    const all = await store.optimize({ analyze: 'full', integrity: 'full', vacuum: true, checkpoint: 'TRUNCATE' });
    expect(all).toMatchObject({ ok: true, analyze: { mode: 'full' }, integrity: { mode: 'full', problems: [] }, vacuum: { ms: expect.any(Number) }, checkpoint: { mode: 'truncate', busy: false, frames: 0 } });
    expect((await store.status()).bytes).toBeLessThan(bytes / 4);
    await store.set('k', 1);
    expect(await store.get('k')).toBe(1);
    expect(await store.optimize({ analyze: false, checkpoint: false })).toEqual({ ok: true, analyze: null, checkpoint: null, integrity: null, vacuum: null });
  }));

  test('comes after the writes that were issued before it, awaited or not', () => onStore({}, async (store) => {
    const written = Promise.all(Array.from({ length: 100 }, (_, i) => store.set(`k${i}`, i)));
    await store.optimize({ analyze: false, checkpoint: 'TRUNCATE' });
    await written;
    expect((await store.stats()).performance.wal_size_bytes).toBe(0);
  }));

  (mayMount ? test : test.skip)('refuses a vacuum on a disk without room for it, and makes it once there is', async () => {
    await onSmallDisk(folder.path('small'), '40m', ({ path: directory, resize }) => onStore({ path: join(directory, 'store.db'), minFreeBytes: 0 }, async (store) => {
      await store.setMany(Array.from({ length: 1000 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(8000) })));
      await store.checkpoint('TRUNCATE');
      const { performance: { database_size_bytes: size, wal_size_bytes: log } } = await store.stats();
      const pages = (bytes) => `${Math.ceil((bytes + MiB / 4) / 4096) * 4}k`; // some of it is the folder's, and the other files'
      resize(pages(size + log + 1.5 * size));
      const before = await store.stats();
      const refusal = await store.optimize({ vacuum: true, checkpoint: 'TRUNCATE' }).catch((error) => error);
      expect(refusal).toMatchObject({ code: 'HYPHA_LOW_DISK', message: expect.stringContaining(`needs ${2 * size} bytes`) });
      expect((await store.stats()).commits).toBe(before.commits); // no step of it was made
      resize(pages(size + log + 2.5 * size));
      expect((await store.optimize({ vacuum: true })).vacuum).toEqual({ ms: expect.any(Number) });
      expect(await store.count()).toBe(1000);
    }));
  });

  test('keeps indexes and their answers through a vacuum and statistics', () => onStore({}, async (store) => {
    await store.createIndex('default', 'n');
    await store.setMany(Array.from({ length: 2000 }, (_, i) => ({ key: `k${i}`, value: { n: i % 100 } })));
    const filter = { field: 'n', operator: 'eq', value: 7 };
    const keys = async () => (await store.query(filter)).map(({ key }) => key).sort();
    const before = await keys();
    await store.optimize({ analyze: 'full', vacuum: true });
    expect(await keys()).toEqual(before);
    expect((await store.explain(filter)).index).toBeTruthy();
    expect(before).toHaveLength(20);
    expect((await store.optimize({ integrity: 'full' })).ok).toBe(true);
  }));

  test('of a damaged copy lists what is wrong, and changes nothing', async () => {
    const path = folder.next();
    await onStore({ path }, (store) => store.setMany(Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: 'x'.repeat(2000) }))));
    damage(path);
    const bytes = readFileSync(path);
    await onStore({ path }, async (store) => {
      const result = await store.optimize({ integrity: 'quick', vacuum: true });
      expect(result.ok).toBe(false);
      expect(result.integrity.problems.length).toBeGreaterThan(0);
      expect(result).toMatchObject({ analyze: null, vacuum: null, checkpoint: null });
    });
    expect(readFileSync(path).equals(bytes)).toBe(true);
  });

  test('refuses what it does not know', () => onStore({ mode: 'memory', path: undefined }, async (store) => {
    for (const options of [{ analyze: true }, { checkpoint: 'FULL' }, { integrity: 'some' }, { vacuum: 1 }]) {
      await expect(store.optimize(options)).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    }
  }));
});

describe('a disk that is nearly full', () => {
  test('is told through diagnostics_channel, once for each time it becomes so', async () => {
    const messages = [];
    const listen = (message) => messages.push(message);
    subscribe('hyphadb:low-disk', listen);
    try {
      await onStore({ minFreeBytes: Number.MAX_SAFE_INTEGER }, async (store) => {
        expect(await eventually(async () => messages.length > 0)).toBe(true);
        const { path } = await store.status();
        expect(messages[0]).toMatchObject({ code: 'HYPHA_LOW_DISK', path, minFreeBytes: Number.MAX_SAFE_INTEGER, freeBytes: expect.any(Number) });
        expect(messages[0].error).toBeInstanceOf(StorageError);
        const { disk, problems } = await store.diagnose();
        expect(disk).toMatchObject({ low: true });
        expect(problems).toEqual([expect.objectContaining({ category: 'disk_full' })]);
        expect(messages).toHaveLength(1);
        await store.set('k', 1); // a warning, and no more
      });
      await onStore({ minFreeBytes: 0 }, (store) => store.diagnose());
      await onStore({ minFreeBytes: 1 }, (store) => store.diagnose());
      expect(messages).toHaveLength(1);
    } finally {
      unsubscribe('hyphadb:low-disk', listen);
    }
  });
});

describe('recover()', () => {
  test('checks, copies the log and deletes no file', () => onStore({ durability: 'normal' }, async (store) => {
    await store.set('k', 1);
    const { path } = await store.status();
    const inode = (suffix) => statSync(`${path}${suffix}`).ino;
    const before = ['', '-wal', '-shm'].map(inode);
    expect(await store.recover()).toMatchObject({ ok: true, integrity: [], ping: { ok: true }, checkpoint: { mode: 'passive', busy: false } });
    expect(['', '-wal', '-shm'].map(inode)).toEqual(before);
    expect(existsSync(path)).toBe(true);
  }));
});

/** Runs statements of node:fs in a process of its own. @param {string} body */
async function inChild(body) {
  execFileSync(process.execPath, ['-e', `const { copyFileSync, openSync, writeSync, closeSync, readFileSync } = require('node:fs'); ${body}`]);
}
