import { existsSync, readdirSync, rmSync } from 'node:fs';
import { open, openOrLoad } from '../../lib/index.js';
import { runChild } from '../helpers/child-run.js';
import { entryLine, entryLines, writeBundle } from '../helpers/bundle-text.js';
import { runSql } from '../helpers/foreign-sqlite.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();
const next = () => `${folder.next()}.jsonl`;
const failure = (promise) => promise.then(() => undefined, (error) => error);
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const LOADER = new URL('./children/loader.js', import.meta.url);

describe('importBundle()', () => {
  let store;
  beforeEach(async () => (store = await open({ path: folder.next(), durability: 'normal' })));
  afterEach(() => store.close());

  test('onConflict: an entry that is present stops everything, is replaced, or is kept', async () => {
    await store.set('b', 'mine', { metadata: { m: 1 } });
    const path = writeBundle(next(), [entryLine('a', '1'), entryLine('b', '"theirs"', ',"createdAt":5,"updatedAt":6'), entryLine('c', '3')]);
    expect(await failure(store.importBundle(path))).toMatchObject({ code: 'HYPHA_EXISTS', line: 3 });
    expect(await store.list()).toEqual(['b']);
    expect(await store.importBundle(path, { onConflict: 'skip' })).toMatchObject({ inserted: 2, skipped: 1, updated: 0 });
    expect(await store.get('b')).toBe('mine');
    expect(await store.importBundle(path, { onConflict: 'update' })).toMatchObject({ inserted: 0, skipped: 0, updated: 3 });
    expect(await store.getEntry('b')).toEqual({ key: 'b', value: 'theirs', metadata: {}, createdAt: 5, updatedAt: 6, version: expect.any(Number) });
  });

  test('dryRun tells what would happen and keeps nothing', async () => {
    await store.set('key-00001', 'mine');
    const path = writeBundle(next(), ['{"type":"namespace","namespace":"new"}', ...entryLines(3), '{"type":"delete","namespace":"default","key":"key-00001"}']);
    expect(await store.importBundle(path, { dryRun: true, onConflict: 'update' })).toMatchObject({ inserted: 2, updated: 1, deleted: 1, namespaces: 1 });
    expect([await store.list(), await store.listNamespaces()]).toEqual([['key-00001'], ['default']]);
    expect(await store.get('key-00001')).toBe('mine');
  });

  test('lines without times and versions get those of now, and deletions delete', async () => {
    const before = Date.now();
    await store.set('gone', 1);
    await store.importBundle(writeBundle(next(), [entryLine('a', '1'), '{"type":"delete","namespace":"default","key":"gone"}', '{"type":"delete","namespace":"absent","key":"k"}']));
    const entry = await store.getEntry('a');
    expect(entry.createdAt).toBeGreaterThanOrEqual(before);
    expect(entry.updatedAt).toBe(entry.createdAt);
    expect(entry.version).toBeGreaterThan(0);
    expect(await store.list()).toEqual(['a']);
  });

  test('versions are kept unless this store has given any as high: one never comes again', async () => {
    const path = writeBundle(next(), [entryLine('a', '1', ',"version":20000'), entryLine('b', '1', ',"version":10001')]);
    expect((await store.importBundle(path)).versionsKept).toBe(true);
    expect((await store.getEntry('a')).version).toBe(20_000);
    const { version } = await store.set('c', 1);
    expect(version).toBeGreaterThan(20_000);
    const again = await store.importBundle(path, { onConflict: 'update' });
    expect(again).toMatchObject({ updated: 2, versionsKept: false });
    expect((await store.getEntry('a')).version).toBeGreaterThan(version);
    await expect(store.set('a', 2, { ifVersion: 20_000 })).rejects.toMatchObject({ code: 'HYPHA_CONFLICT' });
  });

  test('of the versions next to the mark, those above it are kept and no others', async () => {
    const mark = async (value) => {
      const other = await open({ mode: 'memory' });
      await other.importBundle(writeBundle(next(), [entryLine('first', '1', ',"version":5')])); // the mark is 10,005 now
      const { versionsKept } = await other.importBundle(writeBundle(next(), [entryLine('second', '1', `,"version":${value}`)]));
      await other.close();
      return versionsKept;
    };
    expect([await mark(10_004), await mark(10_005), await mark(10_006)]).toEqual([false, false, true]);
  });

  test('what is imported carries checksums as what is written does, new or in the place of another', async () => {
    for (const checksums of [true, false]) {
      const path = folder.next();
      const file = await open({ path, checksums });
      await file.set('key-00001', 'before');
      const bundle = writeBundle(next(), [...entryLines(4), entryLine('m', '1', ',"metadata":{"a":1},"createdAt":7,"updatedAt":8')]);
      await file.importBundle(bundle, { onConflict: 'update' });
      await file.close();
      const [{ without }] = runSql(path, 'SELECT count(*) AS without FROM hypha_entries WHERE crc IS NULL');
      expect(without).toBe(checksums ? 0 : 5);
      const again = await open({ path });
      expect(await again.getEntry('m')).toMatchObject({ value: 1, metadata: { a: 1 }, createdAt: 7, updatedAt: 8 });
      expect((await again.query([])).map(({ value }) => value)).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }, 1]);
      await again.close();
    }
  });

  test('two at once run one after the other, three of one bundle all succeed, and the bundle stays', async () => {
    const path = writeBundle(next(), entryLines(500));
    const other = writeBundle(next(), entryLines(400).map((line) => line.replaceAll('default', 'other')));
    const results = await Promise.all([
      store.importBundle(path), store.importBundle(other),
      ...[1, 2, 3].map(() => store.importBundle(path, { onConflict: 'update' })),
    ]);
    expect(results.map(({ inserted, updated }) => [inserted, updated])).toEqual([[500, 0], [400, 0], [0, 500], [0, 500], [0, 500]]);
    expect(existsSync(path)).toBe(true);
  });

  test('has its place among the writes of its store, awaited or not', async () => {
    const path = writeBundle(next(), entryLines(50));
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => [
      store.set('key-00000', `before ${i}`),
      store.importBundle(path, { onConflict: 'update' }),
      store.set('key-00001', i),
    ]).flat());
    const counts = results.filter((each) => each.updated !== undefined).map(({ inserted, updated }) => [inserted, updated]);
    expect(counts).toEqual([[49, 1], ...Array(19).fill([0, 50])]);
    expect(await store.getMany(['key-00000', 'key-00001'])).toEqual(new Map([['key-00000', { n: 0 }], ['key-00001', 19]]));
  });

  test('reads meanwhile see the store as it was, whole, and writes wait their turn', async () => {
    await store.set('key-00000', 'before');
    const path = writeBundle(next(), entryLines(60_000));
    const importing = store.importBundle(path, { onConflict: 'update' });
    let done = false;
    importing.then(() => (done = true));
    const counts = new Set();
    let reads = 0;
    while (!done && reads < 8) {
      const [count, value] = [await store.count(), await store.get('key-00000')];
      counts.add(count);
      if (count === 1) expect(value === 'before' || typeof value === 'object').toBe(true);
      reads++;
      await later(1);
    }
    const behind = store.set('key-00000', 'after');
    await importing;
    await behind;
    expect([...counts].filter((count) => count !== 1 && count !== 60_000)).toEqual([]);
    expect(counts.has(1)).toBe(true);
    expect(await store.get('key-00000')).toBe('after');
    expect(await store.count()).toBe(60_000);
  });

  test('a signal ends it and nothing is imported', async () => {
    const path = writeBundle(next(), entryLines(60_000));
    const reason = new Error('enough');
    expect(await failure(store.importBundle(path, { signal: AbortSignal.abort(reason) }))).toMatchObject({ code: 'HYPHA_ABORTED', cause: reason });
    const stop = new AbortController();
    const importing = failure(store.importBundle(path, { signal: stop.signal }));
    setTimeout(() => stop.abort(reason), 30);
    expect(await importing).toMatchObject({ code: 'HYPHA_ABORTED', cause: reason });
    expect(await store.count()).toBe(0);
    await store.set('free', 1);
  });

  test('close() rolls it back, as it does any transaction, and waits for its end', async () => {
    const { path: file } = await store.status();
    const importing = failure(store.importBundle(writeBundle(next(), entryLines(60_000))));
    await later(100);
    await store.close();
    expect([undefined, 'HYPHA_CLOSED']).toContain((await importing)?.code);
    const again = await open({ path: file });
    expect(await again.count()).toBe((await importing) === undefined ? 60_000 : 0);
    await again.close();
  });

  test('is refused by a store that is read-only, closed, or inside its own transaction', async () => {
    const path = writeBundle(next(), entryLines(1));
    const { path: file } = await store.status();
    expect(await failure(store.transaction(() => store.importBundle(path)))).toMatchObject({ code: 'HYPHA_NESTED' });
    expect(await failure(store.transaction(async (tx) => { await tx.set('u', 1); expect(await store.exportBundle(folder.next())).toMatchObject({ entries: 0 }); await tx.rollback(); }))).toMatchObject({ code: 'HYPHA_TRANSACTION_INVALID' });
    await store.set('k', 1);
    await store.close();
    expect(await failure(store.importBundle(path))).toMatchObject({ code: 'HYPHA_CLOSED' });
    expect(await failure(store.exportBundle(folder.next()))).toMatchObject({ code: 'HYPHA_CLOSED' });
    const reader = await open({ path: file, readOnly: true });
    expect(await failure(reader.importBundle(path))).toMatchObject({ code: 'HYPHA_READ_ONLY' });
    expect(await reader.exportBundle(folder.next())).toMatchObject({ entries: 1 });
    await reader.close();
  });

  test('waits no longer than busyTimeout for a transaction that is open', async () => {
    const impatient = await open({ mode: 'memory', busyTimeout: 30 });
    const tx = await impatient.beginTransaction();
    expect(await failure(impatient.importBundle(writeBundle(next(), entryLines(1))))).toMatchObject({ code: 'HYPHA_BUSY' });
    await tx.rollback();
    await impatient.close();
  });

  test('a buffer is sent first', async () => {
    const buffer = store.buffer({ flushInterval: 3_600_000 });
    const written = buffer.set('key-00000', 'mine');
    expect(await failure(store.importBundle(writeBundle(next(), entryLines(2))))).toMatchObject({ code: 'HYPHA_EXISTS', line: 2 });
    await written;
    const also = buffer.set('another', 1);
    expect(await store.exportBundle(folder.next())).toMatchObject({ entries: 2 });
    await also;
  });

  test('options are checked', async () => {
    for (const [options, code] of [[{ onConflict: 'merge' }, 'HYPHA_INVALID_ARGUMENT'], [{ dryRun: 1 }, 'HYPHA_INVALID_ARGUMENT'], [{ conflict: 'skip' }, 'HYPHA_UNKNOWN_OPTION'], [{ signal: {} }, 'HYPHA_INVALID_ARGUMENT']]) {
      expect(await failure(store.importBundle('x', options))).toMatchObject({ code });
    }
    for (const [options, code] of [[{ form: 'zip' }, 'HYPHA_INVALID_ARGUMENT'], [{ partRows: 0 }, 'HYPHA_INVALID_ARGUMENT'], [{ partRows: 10_000_001 }, 'HYPHA_INVALID_ARGUMENT'], [{ namespaces: 'a' }, 'HYPHA_INVALID_ARGUMENT'], [{ namespaces: [''] }, 'HYPHA_INVALID_NAMESPACE'], [{ overwite: true }, 'HYPHA_UNKNOWN_OPTION']]) {
      expect(await failure(store.exportBundle(folder.next(), options))).toMatchObject({ code });
    }
    for (const partRows of [1, 2, 10_000_000]) await store.exportBundle(folder.next(), { partRows });
  });
});

describe('openOrLoad()', () => {
  test('loads the first time and never again, whatever became of the bundle', async () => {
    const path = folder.next();
    const bundle = writeBundle(next(), entryLines(100));
    const first = await openOrLoad(path, bundle, { durability: 'normal' });
    expect(await first.count()).toBe(100);
    await first.delete('key-00000');
    await first.close();
    rmSync(bundle);
    const second = await openOrLoad(path, bundle);
    expect(await second.count()).toBe(99);
    await second.close();
  });

  test('an empty bundle is loaded once, too', async () => {
    const path = folder.next();
    await (await openOrLoad(path, writeBundle(next(), []))).close();
    const store = await openOrLoad(path, writeBundle(next(), entryLines(3)));
    expect(await store.count()).toBe(0);
    await store.close();
  });

  test('a bundle that is wrong leaves a store that loads the next one', async () => {
    const path = folder.next();
    expect(await failure(openOrLoad(path, writeBundle(next(), ['x'])))).toMatchObject({ code: 'HYPHA_BUNDLE_INVALID', line: 2 });
    expect(await failure(openOrLoad(path, next()))).toMatchObject({ code: 'HYPHA_CANT_OPEN' });
    expect(await failure(openOrLoad(path, 5))).toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    expect(await failure(openOrLoad(path, next(), { reader: 1 }))).toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION' });
    const store = await openOrLoad(path, writeBundle(next(), entryLines(3)));
    expect(await store.count()).toBe(3);
    await store.close();
  });

  test('two at once in one process, and four processes, load once', async () => {
    const path = folder.next();
    const bundle = writeBundle(next(), entryLines(2000));
    const stores = await Promise.all([openOrLoad(path, bundle), openOrLoad(path, bundle)]);
    expect(await stores[1].count()).toBe(2000);
    for (const store of stores) await store.close();
    const shared = folder.next();
    const children = await Promise.all([1, 2, 3, 4].map(() => runChild(LOADER, { path: shared, bundle }, { deadline: 60_000 })));
    expect(children.map(({ code, data }) => [code, data])).toEqual(children.map(() => [0, [2000]]));
  }, 90_000);

  test('killed while it loads, it loads all of it the next time', async () => {
    const bundle = writeBundle(next(), entryLines(40_000));
    const signals = [];
    for (let round = 0; round < 4; round++) {
      const path = folder.next();
      const kill = (phase, child) => phase === 'load' && setTimeout(() => child.kill('SIGKILL'), 20 + 60 * round);
      const child = await runChild(LOADER, { path, bundle }, { onPhase: kill, deadline: 60_000 });
      const store = await openOrLoad(path, bundle);
      signals.push(child.signal);
      expect(await store.count()).toBe(40_000);
      await store.close();
    }
    expect(signals).toContain('SIGKILL');
    expect(readdirSync(folder.path('.')).filter((name) => name.includes('.tmp-'))).toEqual([]);
  }, 90_000);
});
