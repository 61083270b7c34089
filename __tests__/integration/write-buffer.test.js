import { open, openOrLoad, StorageError, WriteBuffer } from '../../lib/index.js';
import { holdWriteLock } from '../helpers/foreign-sqlite.js';
import { useFolder } from '../helpers/folders.js';
import { codeOf, deferred } from '../helpers/stores.js';

const HOUR = 3_600_000;
const outcome = (promise) => promise.then((value) => ({ value }), (error) => ({ error, code: error.code }));
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function contentOf(path) {
  const copy = await open({ path, readOnly: true });
  const value = await copy.get('buffered');
  await copy.close();
  return value;
}

describe('store.buffer()', () => {
  const folder = useFolder();
  let store;
  beforeEach(async () => (store = await open({ path: folder.next(), durability: 'normal' })));
  afterEach(() => store.close());

  test('49 items wait for the interval, on a timer of their own, and are one transaction', async () => {
    const buffer = store.buffer();
    const start = performance.now();
    const late = later(1000).then(() => performance.now());
    const writes = Array.from({ length: 49 }, (_, i) => buffer.set(`k${i}`, i));
    await later(900);
    if (performance.now() - start < 1000) expect(buffer.stats()).toMatchObject({ buffered: 49, flushes: 0 });
    await Promise.all(writes);
    const took = performance.now() - start;
    // Beside a plain timer of the same length, so that a busy machine is not taken for a late buffer.
    expect(took).toBeGreaterThan(995);
    expect(performance.now() - (await late)).toBeLessThan(500);
    expect(buffer.stats()).toMatchObject({ buffered: 0, bytes: 0, flushes: 1, byTime: 1, bySize: 0, committed: 49 });
    expect(await store.count()).toBe(49);
  });

  test('the 50th item sends them at once', async () => {
    const buffer = store.buffer({ flushInterval: HOUR });
    const writes = Array.from({ length: 50 }, (_, i) => buffer.set(`k${i}`, i));
    await Promise.all(writes);
    expect(buffer.stats()).toMatchObject({ buffered: 0, flushes: 1, bySize: 1, byTime: 0 });
  });

  test.each([[49, 0], [50, 1], [51, 1]])('of %d items %d batch is sent for its size', async (count, sent) => {
    const buffer = store.buffer({ flushInterval: HOUR });
    for (let i = 0; i < count; i++) buffer.set(`k${i}`, i);
    expect(buffer.stats()).toMatchObject({ bySize: sent, flushes: sent, buffered: count });
    await buffer.flush();
    expect(await store.count()).toBe(count);
  });

  test.each([[-1, 0], [0, 1], [1, 1]])('maxBytes counts keys and values in UTF-8: at the limit %+d', async (more, sent) => {
    const buffer = store.buffer({ flushInterval: HOUR, maxBytes: 100 });
    buffer.set('é', 'é'); // 2 + 4 bytes
    buffer.set('k', 'x'.repeat(91 + more)); // 1 + 93 + more
    expect(buffer.stats()).toMatchObject({ bytes: 100 + more, byBytes: sent, flushes: sent });
    await buffer.flush();
  });

  test('1,000 items added at once are 20 transactions', async () => {
    const buffer = store.buffer({ flushInterval: HOUR });
    await Promise.all(Array.from({ length: 1000 }, (_, i) => buffer.set(`k${i}`, i)));
    expect(buffer.stats()).toMatchObject({ flushes: 20, bySize: 20, committed: 1000 });
  });

  test('promises resolve as those of set() and delete() do, after the commit', async () => {
    const buffer = store.buffer({ maxItems: 3, flushInterval: HOUR });
    const [written, gone, absent] = await Promise.all([buffer.set('a', 1), buffer.delete('a'), buffer.delete('a')]);
    expect(written).toEqual(await store.set('b', 1).then((other) => ({ ...other, version: written.version })));
    expect([gone, absent]).toEqual([true, false]);
    expect(await store.has('a')).toBe(false);
  });

  test('the value is taken at the call', async () => {
    const buffer = store.buffer();
    const value = { n: 1 };
    buffer.set('k', value);
    value.n = 2;
    await buffer.flush();
    expect(await store.get('k')).toEqual({ n: 1 });
  });

  test('reads see the newest buffered write, others what is stored, and each read has a value of its own', async () => {
    await store.set('old', 'stored');
    const buffer = store.buffer({ flushInterval: HOUR });
    buffer.set('k', { n: 1 });
    buffer.set('k', { n: 2 });
    buffer.set('k', 'elsewhere', { namespace: 'other' });
    buffer.delete('old');
    expect([await buffer.get('k'), await buffer.has('k')]).toEqual([{ n: 2 }, true]);
    expect(await buffer.get('k', { namespace: 'other' })).toBe('elsewhere');
    expect([await buffer.get('old'), await buffer.has('old')]).toEqual([undefined, false]);
    expect(await store.get('old')).toBe('stored');
    expect(await buffer.get('absent')).toBeUndefined();
    const mine = await buffer.get('k');
    mine.n = 99;
    expect(await buffer.get('k')).toEqual({ n: 2 });
    await buffer.flush();
    expect([await buffer.get('k'), await buffer.get('old'), await store.get('k')]).toEqual([{ n: 2 }, undefined, { n: 2 }]);
  });

  test('a read settles a write with a condition first', async () => {
    await store.set('k', 'first');
    const buffer = store.buffer({ flushInterval: HOUR });
    const refused = outcome(buffer.set('k', 'second', { overwrite: false }));
    expect(await buffer.get('k')).toBe('first');
    expect((await refused).code).toBe('HYPHA_EXISTS');
  });

  test('of one key the last write wins, whichever batch it is in', async () => {
    const buffer = store.buffer({ maxItems: 3, flushInterval: HOUR });
    const versions = await Promise.all(Array.from({ length: 300 }, (_, i) => buffer.set('k', i)));
    expect(await store.get('k')).toBe(299);
    expect(versions.every(({ version }, i) => i === 0 || version > versions[i - 1].version)).toBe(true);
  });

  test('an item that fails does so alone, and carries what it was', async () => {
    await store.createIndex('default', 'email', { unique: true });
    await store.set('taken', { email: 'a' });
    const buffer = store.buffer({ maxItems: 5, flushInterval: HOUR });
    const outcomes = await Promise.all([
      buffer.set('x', { email: 'b' }),
      buffer.set('poison', { email: 'a' }),
      buffer.set('taken', 1, { overwrite: false }),
      buffer.delete('taken', { ifVersion: 12_345 }),
      buffer.set('y', { email: 'c' }),
    ].map(outcome));
    expect(outcomes.map(({ code }) => code)).toEqual([undefined, 'HYPHA_CONSTRAINT', 'HYPHA_EXISTS', 'HYPHA_CONFLICT', undefined]);
    expect(outcomes[1].error).toBeInstanceOf(StorageError);
    expect(outcomes[1].error.item).toEqual({ type: 'set', namespace: 'default', key: 'poison', value: { email: 'a' } });
    expect(outcomes[3].error.item).toEqual({ type: 'delete', namespace: 'default', key: 'taken', value: undefined });
    expect(await store.list()).toEqual(['taken', 'x', 'y']);
    expect(buffer.stats()).toMatchObject({ committed: 2, failed: 3, buffered: 0, flushes: 1 });
  });

  test('what cannot be stored is refused at once and is never in the buffer', async () => {
    const buffer = store.buffer();
    const refused = [buffer.set('', 1), buffer.set('k', undefined), buffer.set('k', 1, { namespace: ' ' }), buffer.set('k', 1, { durability: 'off' }), buffer.delete(5), buffer.add(5), buffer.add({ type: 'clear', key: 'k' }), buffer.add({ type: 'delete', key: 'k', value: 1 }), buffer.set('k'.repeat(5000), 1)];
    expect((await Promise.all(refused.map(outcome))).map(({ code }) => code)).toEqual([
      'HYPHA_INVALID_KEY', 'HYPHA_INVALID_VALUE', 'HYPHA_INVALID_NAMESPACE', 'HYPHA_UNKNOWN_OPTION', 'HYPHA_INVALID_KEY',
      'HYPHA_INVALID_ARGUMENT', 'HYPHA_INVALID_ARGUMENT', 'HYPHA_INVALID_ARGUMENT', 'HYPHA_TOO_LARGE',
    ]);
    expect(buffer.stats().buffered).toBe(0);
  });

  test('add() takes sets and deletes as data', async () => {
    const buffer = store.buffer({ maxItems: 2, flushInterval: HOUR });
    const answers = await Promise.all([buffer.add({ key: 'a', value: 1, namespace: 'n', metadata: { m: 1 } }), buffer.add({ type: 'delete', key: 'a', namespace: 'n' })]);
    expect(answers).toEqual([{ version: expect.any(Number), durability: 'normal' }, true]);
  });

  test('a commit that fails keeps its items, which a later attempt commits in order', async () => {
    const path = folder.next();
    const busy = await open({ path, busyTimeout: 20, durability: 'normal' });
    const buffer = busy.buffer({ maxItems: 2, flushInterval: HOUR });
    let writes = [];
    await holdWriteLock(path, async () => {
      writes = [buffer.set('k', 1), buffer.set('k', 2), buffer.set('k', 3)];
      const flushed = buffer.flush();
      while (buffer.stats().retries === 0) await later(5);
      expect(buffer.stats()).toMatchObject({ buffered: 3, committed: 0 });
      expect(await buffer.get('k')).toBe(3);
      writes.push(flushed);
    });
    await Promise.all(writes);
    expect(await busy.get('k')).toBe(3);
    expect(buffer.stats().retries).toBeGreaterThanOrEqual(1);
    await busy.close();
  });

  test('after its last attempt each promise is rejected, and the buffer goes on', async () => {
    const path = folder.next();
    const busy = await open({ path, busyTimeout: 1, durability: 'normal' });
    const buffer = busy.buffer({ maxItems: 2, flushInterval: HOUR });
    await holdWriteLock(path, async () => {
      const outcomes = await Promise.all([buffer.set('a', 1), buffer.set('b', 2)].map(outcome));
      expect(outcomes.map(({ code }) => code)).toEqual(['HYPHA_BUSY', 'HYPHA_BUSY']);
      expect(outcomes.map(({ error }) => [error.item.key, error.item.value, error.cause.code])).toEqual([['a', 1, 'HYPHA_BUSY'], ['b', 2, 'HYPHA_BUSY']]);
      expect(outcomes[0].error).not.toBe(outcomes[1].error);
      expect(buffer.stats()).toMatchObject({ retries: 3, flushes: 4, failed: 2, buffered: 0 });
    });
    await Promise.all([buffer.set('a', 3), buffer.flush()]);
    expect(await busy.list()).toEqual(['a']);
    await busy.close();
  });

  // What each of them sees of the store, of which `buffered` is the newest entry.
  const SENDERS = {
    'transaction()': () => store.transaction((tx) => tx.get('buffered')),
    'beginTransaction()': async () => {
      const tx = await store.beginTransaction();
      const value = await tx.get('buffered');
      await tx.rollback();
      return value;
    },
    'transaction({ readOnly: true })': () => store.transaction((tx) => tx.get('buffered'), { readOnly: true }),
    'snapshot()': () => store.snapshot((view) => view.get('buffered')),
    'backup()': async () => contentOf((await store.backup(folder.next())).path),
    'exportBundle()': async () => {
      const path = folder.path('sent.jsonl');
      await store.exportBundle(path);
      const loaded = await openOrLoad(folder.next(), path);
      const value = await loaded.get('buffered');
      await loaded.close();
      return value;
    },
    'importBundle()': async () => {
      const [path, other] = [folder.path('skipped.jsonl'), await open({ mode: 'memory' })];
      await other.set('buffered', 'theirs');
      await other.exportBundle(path);
      await other.close();
      expect(await store.importBundle(path, { onConflict: 'skip' })).toMatchObject({ inserted: 0, skipped: 1 });
      return store.get('buffered');
    },
    'verify()': async () => {
      await store.verify();
      return store.get('buffered');
    },
    'flush()': async () => {
      await store.flush();
      return store.get('buffered');
    },
  };

  test.each(Object.entries(SENDERS))('is sent before %s', async (_, seen) => {
    const buffer = store.buffer({ flushInterval: HOUR });
    const written = buffer.set('buffered', 'mine');
    expect(await seen()).toBe('mine');
    await written;
    expect(buffer.stats()).toMatchObject({ byCall: 1, committed: 1, buffered: 0 });
  });

  test('is sent before close() of the store', async () => {
    const buffer = store.buffer({ flushInterval: HOUR });
    const last = buffer.set('k', 3);
    const path = (await store.status()).path;
    await store.close();
    await last;
    expect(await outcome(buffer.set('k', 4))).toMatchObject({ code: 'HYPHA_CLOSED' });
    expect(await outcome(buffer.get('k'))).toMatchObject({ code: 'HYPHA_CLOSED' });
    expect(await outcome(buffer.flush())).toMatchObject({ code: 'HYPHA_CLOSED' });
    expect(() => buffer.stats()).toThrow(StorageError);
    const again = await open({ path });
    expect(await again.get('k')).toBe(3);
    await again.close();
  });

  /** Clients that write again as soon as they are answered, so that there is always something in the buffer; for a while. */
  function busyBuffer() {
    const buffer = store.buffer();
    const [most, every] = [100_000, 20_000]; // sets, and milliseconds: far more than any call takes
    const start = performance.now();
    let sets = 0;
    let ended = false;
    const clients = Array.from({ length: 200 }, async (_, client) => {
      while (!ended && sets < most && performance.now() - start < every) await outcome(buffer.set(`k${client}`, sets++, { overwrite: client !== 0 }));
    });
    return { buffer, clients, end: () => { ended = true; }, hasEnded: () => ended };
  }

  const WAITERS = {
    'buffer.get() of a key whose writes have conditions': async ({ buffer }) => expect(await buffer.get('k0')).toBe(0),
    'flush()': () => store.flush(),
    'transaction()': () => store.transaction((tx) => tx.set('t', 1)),
    'backup()': () => store.backup(folder.next()),
    'verify()': () => store.verify(),
    'snapshot()': () => store.snapshot((view) => view.get('k1')),
    'exportBundle()': () => store.exportBundle(folder.path('busy.jsonl')),
  };

  test.each(Object.entries(WAITERS))('%s ends while 200 clients keep the buffer busy', async (_, call) => {
    const { buffer, clients, end, hasEnded } = busyBuffer();
    const called = Promise.resolve(call({ buffer })).then(end);
    await Promise.race([called, Promise.all(clients)]);
    const endedByItself = hasEnded();
    await Promise.all([called, ...clients]);
    expect(endedByItself).toBe(true);
    expect(buffer.stats()).toMatchObject({ buffered: 0 });
  });

  test('buffer.flush() waits for what is buffered at the call and for nothing else', async () => {
    const { buffer, clients, end } = busyBuffer();
    const settled = () => buffer.stats().committed + buffer.stats().failed;
    const counts = [];
    for (let i = 0; i < 20; i++) {
      const [before, { buffered }] = [settled(), buffer.stats()];
      await buffer.flush();
      counts.push([settled() - before, buffered]);
      await store.get('k1'); // the clients go on
    }
    end();
    await Promise.all(clients);
    for (const [count, buffered] of counts) {
      expect(count).toBeGreaterThanOrEqual(buffered);
      expect(count).toBeLessThanOrEqual(buffered + 50); // in the request of the last one there may be others
    }
    expect(counts.some(([, buffered]) => buffered > 50)).toBe(true);
  });

  test('close() of the store during a transaction that nobody ends still sends the buffer', async () => {
    const { path } = await store.status();
    const tx = await store.beginTransaction();
    await tx.set('uncommitted', 1);
    const written = store.buffer({ flushInterval: HOUR }).set('k', 1);
    await store.close();
    await written;
    const again = await open({ path });
    expect(await again.list()).toEqual(['k']);
    await again.close();
  });

  test('inside the body of a transaction its writes would wait for themselves: HYPHA_NESTED', async () => {
    const buffer = store.buffer({ flushInterval: 1 });
    await store.transaction(async (tx) => {
      expect(await outcome(buffer.set('k', 1))).toMatchObject({ code: 'HYPHA_NESTED' });
      expect(await outcome(buffer.flush())).toMatchObject({ code: 'HYPHA_NESTED' });
      await tx.set('k', 2);
    });
    // A buffer whose timer was armed outside goes on while the body of another one runs.
    const written = buffer.set('k', 3);
    await Promise.all([written, store.transaction(() => later(20))]);
    expect(await store.get('k')).toBe(3);
  });

  test('so would what sends a buffer into which somebody else has put something meanwhile', async () => {
    const buffer = store.buffer({ flushInterval: HOUR });
    const bundle = folder.path('nested.jsonl');
    await store.exportBundle(bundle);
    const calls = {
      backup: () => store.backup(folder.next()),
      verify: () => store.verify(),
      exportBundle: () => store.exportBundle(folder.next()),
      importBundle: () => store.importBundle(bundle),
      flush: () => store.flush(),
      transaction: () => store.transaction(() => {}),
      'transaction, readOnly': () => store.transaction(() => {}, { readOnly: true }),
      snapshot: () => store.snapshot(() => {}),
      'buffer.flush': () => buffer.flush(),
      'buffer.close': () => buffer.close(),
    };
    const { promise: begun, resolve: begin } = deferred();
    const { promise: added, resolve: add } = deferred();
    const codes = store.transaction(async (tx) => {
      await tx.set('mine', 1);
      begin();
      await added;
      return Promise.all(Object.entries(calls).map(async ([name, call]) => [name, await codeOf(call())]));
    }, { timeout: 5000 });
    await begun;
    const written = buffer.set('other', 1);
    add();
    expect(await codes).toEqual(Object.keys(calls).map((name) => [name, 'HYPHA_NESTED']));
    await buffer.close();
    await written;
    expect(await store.list()).toEqual(['mine', 'other']);
  });

  test('close() of the buffer sends the rest and refuses more', async () => {
    const buffer = store.buffer({ flushInterval: HOUR });
    const written = buffer.set('k', 1);
    await buffer.close();
    await written;
    expect(await outcome(buffer.set('k', 2))).toMatchObject({ code: 'HYPHA_CLOSED' });
    await store.set('k', 2);
    const disposed = store.buffer();
    const last = disposed.set('k', 3);
    await disposed[Symbol.asyncDispose]();
    await last;
    expect(await store.get('k')).toBe(3);
  });

  test.each([[4, undefined], [5, undefined], [6, 'HYPHA_QUEUE_FULL']])('holds at most limits.queueOperations items: with %d', async (count, code) => {
    const small = await open({ mode: 'memory', limits: { queueOperations: 5 } });
    const buffer = small.buffer({ flushInterval: HOUR });
    const writes = Array.from({ length: count }, (_, i) => outcome(buffer.set(`k${i}`, i)));
    const flushed = buffer.flush();
    expect((await Promise.all(writes)).at(-1).code).toBe(code);
    await flushed;
    expect(await small.count()).toBe(Math.min(count, 5));
    await small.close();
  });

  test('what the store itself writes and reads comes before what is still held', async () => {
    const buffer = store.buffer({ flushInterval: HOUR });
    const held = buffer.set('k', 'held');
    expect([await store.get('k'), await store.count(), await store.query(null)]).toEqual([undefined, 0, []]);
    const { version } = await store.set('k', 'direct');
    expect(await store.get('k')).toBe('direct');
    await buffer.flush();
    expect((await held).version).toBeGreaterThan(version);
    expect(await store.get('k')).toBe('held');
  });

  // The engine counts keys, values, namespaces and 64 bytes for each change.
  test.each([[-1, 1], [0, 1], [1, 2]])('sends no more at once than limits.queueBytes allows: with %d bytes beyond, in %d requests', async (beyond, flushes) => {
    const small = await open({ mode: 'memory', limits: { queueBytes: 1000 } });
    const buffer = small.buffer({ flushInterval: HOUR });
    const value = 'v'.repeat(1000 + beyond - 2 * (64 + 'default'.length + 'k0'.length) - '""'.length * 2 - 100);
    const writes = [buffer.set('k0', 'v'.repeat(100)), buffer.set('k1', value)];
    await buffer.flush();
    await Promise.all(writes);
    expect(buffer.stats()).toMatchObject({ flushes, retries: 0, committed: 2 });
    await small.close();
  });

  test('sends what limits.queueBytes let in, however many small items that are', async () => {
    const small = await open({ mode: 'memory', limits: { queueBytes: 65_536 } });
    const buffer = small.buffer({ flushInterval: HOUR, maxItems: 1000 });
    const writes = Array.from({ length: 1000 }, (_, i) => outcome(buffer.set(`k${i}`, 'v'.repeat(50), { namespace: 'n'.repeat(100) })));
    await buffer.flush();
    expect((await Promise.all(writes)).filter(({ code }) => code !== undefined)).toEqual([]);
    expect(buffer.stats()).toMatchObject({ retries: 0, committed: 1000 });
    await small.close();
  });

  test('its options are checked', async () => {
    expect(store.buffer()).toBeInstanceOf(WriteBuffer);
    for (const options of [{ maxItems: 0 }, { maxItems: 100_001 }, { flushInterval: 0 }, { flushInterval: 86_400_001 }, { maxBytes: 0 }, { maxBytes: 2 ** 28 + 1 }, { durability: 'most' }]) {
      expect(() => store.buffer(options)).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_ARGUMENT' }));
    }
    for (const options of [{ maxItems: 1 }, { maxItems: 100_000 }, { flushInterval: 1 }, { flushInterval: 86_400_000 }, { maxBytes: 1 }, { maxBytes: 2 ** 28 }, { durability: 'full' }]) store.buffer(options);
    expect(() => store.buffer({ flushIntervalMs: 5 })).toThrow(/did you mean "flushInterval"/);
  });
});
