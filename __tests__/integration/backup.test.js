import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { open, restore } from '../../lib/index.js';
import { useFolder } from '../helpers/folders.js';
import { warningsOf } from '../helpers/warnings.js';
import { runSql } from '../helpers/foreign-sqlite.js';

const folder = useFolder();
const text = 'x'.repeat(500);

/** @returns {Promise<{ store: import('../../lib/store.js').Store, path: string, directory: string }>} alone in its folder */
async function filledStore(entries = 2000) {
  const directory = folder.next().replace(/\.db$/, '-folder');
  mkdirSync(directory);
  const path = join(directory, 'store.db');
  const store = await open({ path, durability: 'normal' });
  await store.setMany(Array.from({ length: entries }, (_, i) => ({ key: `k${i}`, value: { i, text } })));
  return { store, path, directory };
}
const temporaries = (directory) => readdirSync(directory).filter((name) => name.includes('.tmp-'));

describe('backup', () => {
  let given;
  beforeEach(async () => void (given = await filledStore()));
  afterEach(() => given.store.close());

  test('gives a report, and a file that opens and holds the same', async () => {
    const target = join(given.directory, 'copy.db');
    given.store.set('unawaited', 1);
    const told = [];
    const report = await given.store.backup(target, { onProgress: (progress) => told.push(progress) });
    expect(report).toEqual({ path: target, bytes: statSync(target).size, entries: 2001, namespaces: 1, createdAt: expect.any(Number), contentHash: expect.stringMatching(/^[0-9a-f]{16}$/) });
    expect(Math.abs(Date.now() - report.createdAt)).toBeLessThan(60_000);
    expect(told.at(-1)).toEqual({ pages: report.bytes / 4096, totalPages: report.bytes / 4096 });
    expect(statSync(target).mode & 0o777).toBe(0o600);
    const copy = await open({ path: target });
    expect(await copy.get('unawaited')).toBe(1);
    expect(await copy.query([])).toEqual(await given.store.query([]));
    await copy.close();
  });

  test('is one state of the store while writes go on: a prefix of them', async () => {
    let last = 0;
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        const i = ++last;
        await given.store.setMany([{ key: `n${i}`, value: i }, { key: 'last', value: i }], { namespace: 'load', atomic: true });
      }
    })();
    for (let round = 0; round < 3; round++) {
      const before = last - 1;
      const target = join(given.directory, `copy${round}.db`);
      await given.store.backup(target);
      const copy = await open({ path: target });
      const seen = (await copy.get('last', { namespace: 'load' })) ?? 0;
      expect(seen).toBeGreaterThanOrEqual(before);
      const keys = await copy.list({ namespace: 'load', prefix: 'n' });
      expect(new Set(keys)).toEqual(new Set(Array.from({ length: seen }, (_, i) => `n${i + 1}`)));
      await copy.close();
    }
    stop = true;
    await writing;
  });

  test('ends with its signal, before it begins and midway, and leaves nothing', async () => {
    const target = join(given.directory, 'copy.db');
    await expect(given.store.backup(target, { signal: AbortSignal.abort('no') })).rejects.toMatchObject({ code: 'HYPHA_ABORTED', cause: 'no' });
    const controller = new AbortController();
    const running = given.store.backup(target, { signal: controller.signal });
    controller.abort('enough');
    await expect(running).rejects.toMatchObject({ code: 'HYPHA_ABORTED', cause: 'enough' });
    expect(existsSync(target)).toBe(false);
    expect(temporaries(given.directory)).toEqual([]);
  });

  test('a listener that throws ends it with what it threw', async () => {
    const target = join(given.directory, 'copy.db');
    const failure = new Error('listener');
    for (let at = 0; at < 8; at++) await given.store.setMany(Array.from({ length: 10_000 }, (_, i) => ({ key: `more${at}-${i}`, value: { i, text } })));
    const running = given.store.backup(target, { onProgress: () => { throw failure; } });
    await expect(running).rejects.toBe(failure);
    expect(existsSync(target)).toBe(false);
    expect(temporaries(given.directory)).toEqual([]);
  });

  test('close() ends it and waits for it', async () => {
    const target = join(given.directory, 'copy.db');
    const running = given.store.backup(target);
    const ended = running.then(() => 'done', (error) => error.code);
    await given.store.close();
    expect(['done', 'HYPHA_CLOSED']).toContain(await ended);
    expect(temporaries(given.directory)).toEqual([]);
    await expect(given.store.backup(target)).rejects.toMatchObject({ code: 'HYPHA_CLOSED' });
  });

  test('bad targets are refused with a code', async () => {
    const { store, directory, path } = given;
    const there = join(directory, 'there.db');
    writeFileSync(there, 'precious');
    const codes = [[join(directory, 'missing', 'copy.db'), 'HYPHA_CANT_OPEN'], [there, 'HYPHA_EXISTS'], [path, 'HYPHA_INVALID_ARGUMENT'], [directory, 'HYPHA_CANT_OPEN'], ['', 'HYPHA_INVALID_ARGUMENT'], ['a\0b', 'HYPHA_INVALID_ARGUMENT'], [7, 'HYPHA_INVALID_ARGUMENT'], ['/proc/copy.db', 'HYPHA_CANT_OPEN']];
    for (const [target, code] of codes) await expect(store.backup(target)).rejects.toMatchObject({ name: 'StorageError', code });
    await expect(store.backup(path, { overwrite: true })).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    await expect(store.backup(there, { overwite: true })).rejects.toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION' });
    expect(await store.backup(there, { overwrite: true })).toMatchObject({ path: there });
    expect(temporaries(directory)).toEqual([]);
  });
});

describe('restore', () => {
  test('brings a store back to its backup, and refuses while it is open', async () => {
    const { store, path, directory } = await filledStore(100);
    const target = join(directory, 'copy.db');
    const made = await store.backup(target);
    const expected = await store.query([]);
    await store.set('k1', 'later');
    await expect(restore(target, path)).rejects.toMatchObject({ code: 'HYPHA_BUSY' });
    await store.close();
    const restored = await restore(target, path);
    expect(restored).toMatchObject({ path, entries: 100, contentHash: made.contentHash });
    const again = await open({ path });
    expect(await again.query([])).toEqual(expected);
    await again.close();
  });

  test('what is no backup is refused, and the target stays', async () => {
    const { store, path, directory } = await filledStore(10);
    await store.close();
    const junk = join(directory, 'junk.db');
    writeFileSync(junk, 'no database at all, but long enough to be read as a header'.repeat(10));
    await expect(restore(junk, path)).rejects.toMatchObject({ code: 'HYPHA_NOT_A_DATABASE' });
    await expect(restore(join(directory, 'absent.db'), path)).rejects.toMatchObject({ code: 'HYPHA_CANT_OPEN' });
    await expect(restore(path, path)).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    await expect(restore(path, '')).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    await expect(restore(path, join(directory, 'b.db'), { to: 1 })).rejects.toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION' });
    const again = await open({ path });
    expect(await again.count()).toBe(10);
    await again.close();
  });
});

describe('verify', () => {
  test('a sound store is ok at both levels', async () => {
    const { store } = await filledStore(50);
    await store.createIndex('default', 'i');
    expect(await store.verify()).toEqual({ ok: true, problems: [] });
    expect(await store.verify({ level: 'quick' })).toEqual({ ok: true, problems: [] });
    await expect(store.verify({ level: 'deep' })).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    await expect(store.verify({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'HYPHA_ABORTED' });
    await store.close();
  });

  test('damage is told of: an entry, and an entry of no namespace', async () => {
    const { store, path } = await filledStore(50);
    runSql(path, `UPDATE hypha_entries SET value = '{"i":-1}' WHERE key = 'k7'`, "UPDATE hypha_entries SET ns_id = 77, crc = NULL WHERE key = 'k8'");
    const { ok, problems } = await store.verify();
    expect(ok).toBe(false);
    expect(problems).toEqual([
      { kind: 'checksum', namespace: 'default', key: 'k7', message: expect.stringContaining('"k7"') },
      { kind: 'namespace', key: 'k8', message: expect.stringContaining('namespace 77') },
    ]);
    expect((await store.verify({ level: 'quick' })).ok).toBe(true);
    await store.close();
  });
});

describe('scheduled backups', () => {
  const backups = (directory) => readdirSync(directory).filter((name) => name.startsWith('store-')).sort();

  test('are made, the newest are kept, and nothing else in the folder is touched', async () => {
    const { store, directory } = await filledStore(10);
    const place = join(directory, 'backups');
    mkdirSync(place);
    writeFileSync(join(place, 'store-notes.txt'), '');
    const made = [];
    const schedule = store.scheduleBackups({ directory: place, every: 1000, keep: 2, onBackup: (report) => made.push(basename(report.path)) });
    const first = await schedule.run();
    writeFileSync(`${first.path}.tmp-1-2`, '');
    utimesSync(`${first.path}.tmp-1-2`, 1, 1);
    for (let i = 0; i < 4; i++) expect(await schedule.run()).toMatchObject({ entries: 10 });
    expect(backups(place)).toEqual([...made.slice(-2), 'store-notes.txt']);
    expect(dirname(schedule.last.path)).toBe(place);
    await new Promise((resolve) => { // by itself as well
      const look = setInterval(() => { if (made.length > 4) { clearInterval(look); resolve(); } }, 20);
    });
    await store.close();
    expect(schedule.lastError).toBeUndefined();
    expect(temporaries(place)).toEqual([]);
  });

  test('leave those of another store of the same name alone', async () => {
    const { directory } = await filledStore(1);
    const place = join(directory, 'shared');
    mkdirSync(place);
    const made = [];
    for (const name of ['x', 'y']) {
      mkdirSync(join(directory, name));
      const store = await open({ path: join(directory, name, 'store.db') });
      const schedule = store.scheduleBackups({ directory: place, every: 60_000, keep: 1 });
      for (let i = 0; i < 2; i++) made.push(basename((await schedule.run()).path));
      await store.close();
    }
    expect(backups(place)).toEqual([made[1], made[3]].sort());
  });

  test('do not fail because of who listens', async () => {
    const { store, directory } = await filledStore(1);
    const listener = (what) => () => { throw new Error(what); };
    const schedule = store.scheduleBackups({ directory, every: 60_000, onBackup: listener('after a backup'), onError: listener('after an error') });
    const warnings = await warningsOf(async () => {
      expect(await schedule.run()).toMatchObject({ entries: 1 });
      expect(schedule.lastError).toBeUndefined();
      await store.close();
      expect(await schedule.run()).toBeUndefined();
    });
    expect(warnings).toEqual(['a listener of scheduleBackups() threw Error: after a backup', 'a listener of scheduleBackups() threw Error: after an error']);
  });

  test('do not fail, nor the process, because of who listens and fails later', async () => {
    const { store, directory } = await filledStore(1);
    const listener = (what) => async () => { throw new Error(what); };
    const schedule = store.scheduleBackups({ directory, every: 60_000, onBackup: listener('after a backup'), onError: listener('after an error') });
    const warnings = await warningsOf(async () => {
      expect(await schedule.run()).toMatchObject({ entries: 1 });
      await store.close();
      expect(await schedule.run()).toBeUndefined();
      await setImmediate();
    });
    expect(warnings).toEqual(['a listener of scheduleBackups() threw Error: after a backup', 'a listener of scheduleBackups() threw Error: after an error']);
  });

  test('are made no more once it was stopped, not even when asked for', async () => {
    const { store, directory } = await filledStore(1);
    const place = join(directory, 'stopped');
    mkdirSync(place);
    const errors = [];
    const schedule = store.scheduleBackups({ directory: place, every: 60_000, onError: (error) => errors.push(error.code) });
    const last = schedule.run();
    await schedule.stop();
    expect(backups(place)).toEqual([basename((await last).path)]);
    expect(await schedule.run()).toBeUndefined();
    expect(schedule.lastError).toMatchObject({ code: 'HYPHA_CLOSED' });
    expect(errors).toEqual(['HYPHA_CLOSED']);
    expect(backups(place)).toHaveLength(1);
    await store.close();
  });

  test('a failure is told of, and the next one is tried all the same', async () => {
    const { store, directory } = await filledStore(10);
    const place = join(directory, 'later');
    const errors = [];
    const schedule = store.scheduleBackups({ directory: place, every: 60_000, onError: (error) => errors.push(error.code) });
    expect(await schedule.run()).toBeUndefined();
    expect(errors).toEqual(['HYPHA_CANT_OPEN']);
    mkdirSync(place);
    expect(await schedule.run()).toMatchObject({ entries: 10 });
    expect(schedule.lastError).toBeUndefined();
    await schedule.stop();
    await store.close();
  });

  test('its options are checked', async () => {
    const { store } = await filledStore(1);
    for (const bad of [undefined, {}, { directory: '' }, { directory: 'x', every: 999 }, { directory: 'x', every: 24 * 86_400_000 + 1 }, { directory: 'x', keep: 0 }, { directory: 'x', keep: 10_001 }]) {
      expect(() => store.scheduleBackups(bad)).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_ARGUMENT' }));
    }
    await store.close();
    expect(() => store.scheduleBackups({ directory: 'x' })).toThrow(expect.objectContaining({ code: 'HYPHA_CLOSED' }));
  });
});
