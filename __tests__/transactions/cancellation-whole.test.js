// signal and timeout of the calls on the whole store: copies, upkeep, waits.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { open, restore, verifyBundle } from '../../lib/index.js';
import { useFolder } from '../helpers/folders.js';
import { codeOf } from '../helpers/stores.js';

let store;
let source;
let bundle;
afterAll(() => store.close()); // before its folder goes
const folder = useFolder();
const nothing = { success: true, namespaces: [], keys: [], data: new Map() };
const emptyBackend = { listNamespaces: async () => nothing, list: async () => nothing, getMany: async () => nothing, getMetadata: async () => nothing };

/** Calls that wait for the writes issued before them, or for the writer. */
const WAITING = {
  backup: (store, o) => store.backup(folder.next(), o),
  verify: (store, o) => store.verify(o),
  exportBundle: (store, o) => store.exportBundle(folder.next(), o),
  importBundle: (store, o) => store.importBundle(bundle, o),
  flush: (store, o) => store.flush(o),
  checkpoint: (store, o) => store.checkpoint('TRUNCATE', o),
  'checkpoint, PASSIVE': (store, o) => store.checkpoint('PASSIVE', o),
  optimize: (store, o) => store.optimize(o),
  recover: (store, o) => store.recover(o),
  status: (store, o) => store.status(o),
  snapshot: (store, o) => store.snapshot((view) => view.get('k'), o),
  'transaction, readOnly': (store, o) => store.transaction((tx) => tx.get('k'), { ...o, readOnly: true }),
  copyFrom: (store, o) => store.copyFrom(emptyBackend, { namespaces: ['new'], ...o }),
  'buffer.get': (store, o) => store.buffer().get('k', o),
  'buffer.has': (store, o) => store.buffer().has('k', o),
};

/** Calls that wait for no write. */
const PROMPT = {
  stats: (store, o) => store.stats(o),
  diagnose: (store, o) => store.diagnose(o),
  ping: (store, o) => store.ping(o),
  restore: (store, o) => restore(source, folder.next(), o),
  verifyBundle: (store, o) => verifyBundle(bundle, o),
};

/** Calls that take long over a store of some size. */
const LONG = {
  backup: (store, o) => store.backup(folder.path('long-backup.db'), o),
  exportBundle: (store, o) => store.exportBundle(folder.path('long-bundle'), o),
  importBundle: (store, o) => store.importBundle(bundle, { onConflict: 'update', ...o }),
  verify: (store, o) => store.verify(o),
  restore: (store, o) => restore(source, folder.path('long-restored.db'), o),
  verifyBundle: (store, o) => verifyBundle(bundle, o),
  'optimize, integrity': (store, o) => store.optimize({ integrity: 'full', analyze: false, checkpoint: false, ...o }),
  diagnose: (store, o) => store.diagnose(o),
};

/** Of some 30 MB. */
const ENTRIES = 30_000;

beforeAll(async () => {
  store = await open({ path: folder.next(), durability: 'normal' });
  const text = 'x'.repeat(900);
  for (let at = 0; at < ENTRIES; at += 10_000) {
    await store.setMany(Array.from({ length: 10_000 }, (_, i) => ({ key: `k${at + i}`, value: { i, text } })));
  }
  source = (await store.backup(folder.next())).path;
  bundle = folder.path('bundle.jsonl');
  await store.exportBundle(bundle);
});

const codesOf = (calls, options) => Promise.all(Object.entries(calls).map(async ([name, call]) => [name, await codeOf(call(store, options))]));
const each = (calls, code) => Object.keys(calls).map((name) => [name, code]);

describe('a call on the whole store', () => {
  test('is not begun when its signal has fired before', async () => {
    const before = readdirSync(folder.path('')).sort();
    expect(await codesOf({ ...WAITING, ...PROMPT }, { signal: AbortSignal.abort() })).toEqual(each({ ...WAITING, ...PROMPT }, 'HYPHA_ABORTED'));
    expect(readdirSync(folder.path('')).sort()).toEqual(before);
  });

  test('stops waiting for writes and for the writer when its signal fires or its time is up', async () => {
    const tx = await store.beginTransaction();
    const write = store.setMany([{ key: 'k', value: 2 }, { key: 'other', value: 1 }]);
    const before = readdirSync(folder.path('')).sort();
    const why = new Error('why');
    const controller = new AbortController();
    const errors = Object.entries(WAITING).map(async ([name, call]) => [name, await call(store, { signal: controller.signal }).catch((error) => error)]);
    const late = codesOf(withoutReadOnly(WAITING), { timeout: 30 });
    await setImmediate();
    controller.abort(why);
    expect(await late).toEqual(each(withoutReadOnly(WAITING), 'HYPHA_TIMEOUT'));
    expect(await Promise.all(errors)).toEqual(each(WAITING, expect.objectContaining({ code: 'HYPHA_ABORTED', cause: why })));
    // Nothing of them waits any more: what is queued is the write that was issued before them.
    expect((await store.stats({ counts: false })).queue.operations).toBe(2);
    await tx.rollback();
    await write;
    expect(await store.deleteMany(['k', 'other'], { atomic: true })).toMatchObject({ ok: true });
    expect(readdirSync(folder.path('')).sort()).toEqual(before);
  });

  test.each(Object.keys(LONG))('%s ends midway by its timeout and by its signal, and leaves nothing', async (name) => {
    const before = readdirSync(folder.path('')).sort();
    const seen = async () => [await store.count(), await store.listNamespaces()];
    const content = await seen();
    const started = performance.now();
    expect(await codeOf(LONG[name](store, { timeout: 1 }))).toBe('HYPHA_TIMEOUT');
    const controller = new AbortController();
    const running = codeOf(LONG[name](store, { signal: controller.signal, timeout: 60_000 }));
    await setImmediate();
    controller.abort();
    expect(await running).toBe('HYPHA_ABORTED');
    expect(performance.now() - started).toBeLessThan(5000);
    expect(readdirSync(folder.path('')).sort()).toEqual(before);
    expect(await seen()).toEqual(content);
  });

  test('is as good with them as without', async () => {
    await store.set('k', 1);
    const options = { signal: new AbortController().signal, timeout: 60_000 };
    for (const [name, call] of Object.entries({ ...WAITING, ...PROMPT })) {
      const answer = await codeOf(call(store, { ...options, ...(name === 'importBundle' && { onConflict: 'skip' }) }));
      expect([name, answer]).toEqual([name, { value: name === 'flush' ? undefined : expect.anything() }]);
    }
  });

  test('refuses signals and timeouts of the wrong kind', async () => {
    for (const wrong of [{ timeout: -1 }, { timeout: 0 }, { timeout: '5' }, { signal: 5 }, { signal: {} }]) {
      expect(await codesOf({ ...WAITING, ...PROMPT }, wrong)).toEqual(each({ ...WAITING, ...PROMPT }, 'HYPHA_INVALID_ARGUMENT'));
    }
  });

  test.each(['listNamespaces', 'list', 'getMany', 'getMetadata'])('copyFrom() does not wait for a source whose %s never answers', async (name) => {
    const keys = name === 'getMetadata' || name === 'getMany' ? ['a'] : [];
    const backend = { ...emptyBackend, list: async () => ({ ...nothing, keys }), [name]: () => new Promise(() => {}) };
    expect(await codeOf(store.copyFrom(backend, { timeout: 30 }))).toBe('HYPHA_TIMEOUT');
    const controller = new AbortController();
    const copying = codeOf(store.copyFrom(backend, { signal: controller.signal }));
    await setImmediate();
    controller.abort();
    expect(await copying).toBe('HYPHA_ABORTED');
  });

  test('a read of a buffer ends before it begins, wherever the answer is', async () => {
    const buffer = store.buffer();
    const item = buffer.set('buffered', 1);
    for (const key of ['buffered', 'elsewhere']) {
      expect(await codeOf(buffer.get(key, { signal: AbortSignal.abort() }))).toBe('HYPHA_ABORTED');
      expect(await codeOf(buffer.has(key, { signal: AbortSignal.abort() }))).toBe('HYPHA_ABORTED');
    }
    expect(await buffer.get('buffered', { timeout: 60_000 })).toBe(1);
    await buffer.close();
    await item;
    expect(await store.delete('buffered')).toBe(true);
  });

  test('buffer.flush() and the wait for a conditional write end early, and what was sent goes on', async () => {
    const tx = await store.beginTransaction();
    const buffer = store.buffer();
    const item = buffer.set('buffered', 1, { overwrite: false });
    expect(await codeOf(buffer.get('buffered', { timeout: 20 }))).toBe('HYPHA_TIMEOUT');
    expect(await codeOf(buffer.flush({ timeout: 20 }))).toBe('HYPHA_TIMEOUT');
    expect(await codeOf(buffer.flush({ signal: AbortSignal.abort() }))).toBe('HYPHA_ABORTED');
    await tx.rollback();
    expect(await item).toMatchObject({ version: expect.any(Number) });
    expect(await store.delete('buffered')).toBe(true);
  });
});

/** The timeout of a read-only transaction is its own deadline: see read-only.test.js. */
function withoutReadOnly(calls) {
  const { 'transaction, readOnly': _, ...others } = calls;
  return others;
}

describe('checkpoint(mode)', () => {
  test('tells what it did; only a PASSIVE one may leave something', async () => {
    const path = folder.next();
    const mine = await open({ path, durability: 'normal' });
    await mine.setMany([{ key: 'a', value: 'x'.repeat(50_000) }]);
    const report = { busy: false, frames: expect.any(Number), copied: expect.any(Number), ms: expect.any(Number) };
    const passive = await mine.checkpoint('PASSIVE');
    expect(passive).toEqual({ mode: 'passive', ...report });
    expect(passive.copied).toBe(passive.frames);
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);
    await mine.set('b', 1);
    expect(await mine.checkpoint('RESTART')).toEqual({ mode: 'restart', ...report });
    expect(await mine.checkpoint()).toEqual({ mode: 'truncate', ...report });
    expect(statSync(`${path}-wal`).size).toBe(0);
    await mine.snapshot(async (view) => {
      await view.get('a');
      await mine.set('c', 1);
      expect(await codeOf(mine.checkpoint('RESTART'))).toBe('HYPHA_BUSY');
      expect(await codeOf(mine.checkpoint('TRUNCATE'))).toBe('HYPHA_BUSY');
      expect(await mine.checkpoint('PASSIVE')).toMatchObject({ mode: 'passive' });
    });
    await mine.close();
  });

  test.each([['x'], ['truncate'], [null], [{}], [1]])('%p is no mode', async (mode) => {
    expect(await codeOf(store.checkpoint(mode))).toBe('HYPHA_INVALID_ARGUMENT');
  });

  test('of a store that only reads is HYPHA_READ_ONLY', async () => {
    const reader = await open({ path: source, readOnly: true });
    expect(await codeOf(reader.checkpoint())).toBe('HYPHA_READ_ONLY');
    await reader.close();
    expect(existsSync(source)).toBe(true);
  });
});
