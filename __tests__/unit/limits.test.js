// Every limit at limit - 1, limit and limit + 1.

import { open } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';

const stores = [];

/** A store in memory with some limits lowered. */
async function withLimits(limits) {
  const store = await open({ mode: 'memory', limits });
  stores.push(store);
  return store;
}

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
});

const refused = (name) => ({ name: 'StorageError', code: 'HYPHA_TOO_LARGE', message: expect.stringContaining(name) });

/**
 * @param {string} name
 * @param {(size: number) => Promise<any>} call
 * @param {number} limit
 */
async function atTheLimit(name, call, limit) {
  await call(limit - 1);
  await call(limit);
  await expect(call(limit + 1)).rejects.toMatchObject(refused(name));
}

/** Strings of exactly so many bytes of UTF-8, of characters of one, two, three and four bytes. */
const sized = [
  (bytes) => 'x'.repeat(bytes),
  (bytes) => 'é'.repeat(bytes >> 1) + 'x'.repeat(bytes % 2),
  (bytes) => '\u0800'.repeat(bytes / 3) + 'x'.repeat(bytes % 3),
  (bytes) => '😀'.repeat(bytes >> 2) + 'x'.repeat(bytes % 4),
];

const term = { field: 'a', operator: 'eq', value: 1 };
const nested = (depth) => (depth <= 1 ? term : { not: nested(depth - 1) });

describe('limits', () => {
  test('keyBytes holds for every method of a key', async () => {
    const store = await withLimits({ keyBytes: 16 });
    for (const text of sized) {
      await atTheLimit('keyBytes', (bytes) => store.set(text(bytes), 1), 16);
      for (const method of ['get', 'getEntry', 'has', 'delete', 'getMetadata']) await atTheLimit('keyBytes', (bytes) => store[method](text(bytes)), 16);
      await atTheLimit('keyBytes', (bytes) => store.getMany([text(bytes)]), 16);
      await atTheLimit('keyBytes', (bytes) => store.setMany([{ key: text(bytes), value: 1 }], { atomic: true }), 16);
      await atTheLimit('keyBytes', (bytes) => store.deleteMany([text(bytes)], { atomic: true }), 16);
      await expect(store.setMetadata(text(17), {})).rejects.toMatchObject(refused('keyBytes'));
      await store.transaction((tx) => atTheLimit('keyBytes', (bytes) => tx.set(text(bytes), 1), 16));
    }
  });

  test('namespaceBytes holds for names of namespaces and in options', async () => {
    const store = await withLimits({ namespaceBytes: 16 });
    for (const text of sized) {
      await atTheLimit('namespaceBytes', (bytes) => store.set('k', 1, { namespace: text(bytes) }), 16);
      await atTheLimit('namespaceBytes', (bytes) => store.createNamespace(text(bytes)), 16);
      await atTheLimit('namespaceBytes', (bytes) => store.list({ namespace: text(bytes) }), 16);
      await atTheLimit('namespaceBytes', async (bytes) => store.namespace(text(bytes)), 16);
      await atTheLimit('namespaceBytes', (bytes) => store.deleteNamespace(text(bytes), { recursive: true }), 16);
    }
  });

  test('valueBytes counts the bytes of the JSON text', async () => {
    const store = await withLimits({ valueBytes: 64 });
    for (const text of sized) {
      await atTheLimit('valueBytes', (bytes) => store.set('k', text(bytes - 2)), 64);
      await atTheLimit('valueBytes', (bytes) => store.set('k', [text(bytes - 4)]), 64);
      await atTheLimit('valueBytes', (bytes) => store.setMany([{ key: 'k', value: text(bytes - 2) }], { atomic: true }), 64);
      await store.set('k', 'kept');
      await expect(store.set('k', text(63))).rejects.toMatchObject(refused('valueBytes'));
      expect(await store.get('k')).toBe('kept');
    }
    const { outcomes } = await store.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 'x'.repeat(63) }]);
    expect(outcomes.map(({ ok, error }) => error?.code ?? ok)).toEqual([true, 'HYPHA_TOO_LARGE']);
  });

  test('a value of 16 MiB of JSON is stored, one byte more is not', async () => {
    const store = await withLimits({});
    const text = 'x'.repeat(16 * 1024 * 1024 - 2);
    await store.set('k', text);
    expect((await store.get('k')).length).toBe(text.length);
    await expect(store.set('k', `${text}x`)).rejects.toMatchObject(refused('valueBytes'));
    await expect(store.set('other', `${text}x`)).rejects.toMatchObject(refused('valueBytes'));
    expect((await store.get('k')).length).toBe(text.length);
    expect(await store.has('other')).toBe(false);
  });

  test('metadataBytes counts the bytes of the JSON text', async () => {
    const store = await withLimits({ metadataBytes: 32 });
    for (const text of sized) {
      const metadata = (bytes) => ({ m: text(bytes - 8) });
      await atTheLimit('metadataBytes', (bytes) => store.set('k', 1, { metadata: metadata(bytes) }), 32);
      await atTheLimit('metadataBytes', (bytes) => store.setMetadata('k', metadata(bytes), { merge: false }), 32);
      await store.createNamespace(`n${text(4)}`, { metadata: metadata(32) });
      await expect(store.createNamespace('refused', { metadata: metadata(33) })).rejects.toMatchObject(refused('metadataBytes'));
    }
  });

  test('metadataBytes holds for what a merge comes to', async () => {
    const store = await withLimits({ metadataBytes: 32 });
    const merged = async (bytes) => {
      await store.set('k', 1, { metadata: { a: 1 } });
      await store.setMetadata('k', { b: 'x'.repeat(bytes - '{"a":1,"b":""}'.length) });
    };
    await atTheLimit('metadataBytes', merged, 32);
    expect(await store.getMetadata('k')).toEqual({ a: 1 });
  });

  test('batchEntries holds for every batch', async () => {
    const store = await withLimits({ batchEntries: 8 });
    const keys = (count) => Array.from({ length: count }, (_, i) => `k${i}`);
    await atTheLimit('batchEntries', (count) => store.setMany(keys(count).map((key) => ({ key, value: 1 }))), 8);
    await atTheLimit('batchEntries', (count) => store.getMany(keys(count)), 8);
    await atTheLimit('batchEntries', (count) => store.getMany(new Set(keys(count))), 8);
    expect(await store.count()).toBe(8);
    await atTheLimit('batchEntries', (count) => store.deleteMany(keys(count)), 8);
  });

  test('a batch is taken no further than batchEntries allows', async () => {
    const limits = { batchEntries: 8 };
    const store = await withLimits(limits);
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:', limits });
    let given = 0;
    let ended = 0;
    function* endless(make) {
      try {
        // As good as without an end; a test that fails must end all the same.
        for (given = 0; given < 10_000; given++) yield make(given);
      } finally {
        ended++;
      }
    }
    const entry = (i) => ({ key: `k${i}`, value: 1 });
    const key = (i) => `k${i}`;
    const code = ({ error }) => error.code;
    const calls = [
      () => store.setMany(endless(entry)).catch((error) => error.code),
      () => store.getMany(endless(key)).catch((error) => error.code),
      () => store.deleteMany(endless(key)).catch((error) => error.code),
      // The first one before the backend is open.
      () => backend.setMany(endless(entry)).then(code),
      () => backend.getMany(endless(key)).then(code),
      () => backend.deleteMany(endless(key)).then(code),
    ];
    for (const [i, call] of calls.entries()) {
      expect([i, await call(), given, ended]).toEqual([i, 'HYPHA_TOO_LARGE', 8, i + 1]);
    }
    expect(await store.count()).toBe(0);
    await backend.close();
  });

  test('batchBytes counts keys, values and metadata, and refuses the whole batch', async () => {
    const store = await withLimits({ batchBytes: 100 });
    for (const text of sized) {
      const batch = (bytes) => [{ key: 'k1', value: 1 }, { key: 'k2', value: text(bytes - '1k1k2{"m":1}""'.length), metadata: { m: 1 } }];
      await atTheLimit('batchBytes', (bytes) => store.setMany(batch(bytes)), 100);
      await store.clear();
      await expect(store.setMany(batch(101))).rejects.toMatchObject(refused('batchBytes'));
      expect(await store.count()).toBe(0);
    }
  });

  test('queueOperations bounds what waits for the writer, and nothing of the rest is lost', async () => {
    const store = await withLimits({ queueOperations: 8 });
    const holder = await store.beginTransaction();
    const writes = [];
    for (let i = 0; i < 8; i++) {
      writes.push(store.set(`k${i}`, i));
      await new Promise(setImmediate); // each is a request of its own, whatever the time left in a turn
    }
    await expect(store.set('refused', 1)).rejects.toMatchObject({ code: 'HYPHA_QUEUE_FULL', retryable: true, message: expect.stringContaining('queueOperations') });
    expect((await store.stats()).queue.operations).toBe(8);
    await holder.rollback();
    await Promise.all(writes);
    await store.set('after', 1);
    expect(await store.list()).toEqual(['after', ...Array.from({ length: 8 }, (_, i) => `k${i}`)]);
    expect((await store.stats()).queue).toEqual({ operations: 0, bytes: 0 });
  });

  test('queueBytes bounds what waits for the writer', async () => {
    const store = await withLimits({ queueBytes: 10_000 });
    const holder = await store.beginTransaction();
    const writes = [];
    let refusal;
    for (let i = 0; refusal === undefined && i < 20; i++) {
      const full = (await store.stats()).queue.bytes > 8900;
      const write = store.set(`k${i}`, 'x'.repeat(1000));
      const queued = write.then(() => undefined, (error) => error);
      if (full) refusal = await queued;
      else writes.push(write);
      await Promise.resolve();
    }
    expect(refusal).toMatchObject({ code: 'HYPHA_QUEUE_FULL', message: expect.stringContaining('queueBytes') });
    expect((await store.stats()).queue.bytes).toBeLessThanOrEqual(10_000);
    expect(writes.length).toBeGreaterThanOrEqual(7);
    await holder.rollback();
    await Promise.all(writes);
    expect(await store.count()).toBe(writes.length);
  });

  test('resultBytes bounds the text of lists, queries and batches of values', async () => {
    const fill = async (limits) => {
      const store = await withLimits(limits);
      await store.setMany(Array.from({ length: 20 }, (_, i) => ({ key: `key${String(i).padStart(2, '0')}`, value: 'v'.repeat(100) })));
      return store;
    };
    const reads = { list: (s) => s.list(), query: (s) => s.query() };
    for (const read of Object.values(reads)) {
      const fits = async (resultBytes) => read(await fill({ resultBytes })).then(() => true, (error) => expect(error).toMatchObject(refused('resultBytes')));
      let [low, high] = [1, 16_384]; // refused at low, answered at high
      expect(await fits(high)).toBe(true);
      expect(await fits(low)).toBe(undefined);
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (await fits(middle)) high = middle;
        else low = middle;
        for (const store of stores.splice(0)) await store.close();
      }
      const text = JSON.stringify(await read(await fill({})));
      expect(high).toBeGreaterThan(text.length * 0.7);
      expect(high).toBeLessThan(text.length * 1.3);
      expect(await fits(high + 1)).toBe(true);
    }
  });

  test('filterNodes counts terms and branches, of a query and of a count', async () => {
    const store = await withLimits({ filterNodes: 8 });
    const filter = (nodes) => Array(nodes - 1).fill(term);
    await atTheLimit('filterNodes', (nodes) => store.query(filter(nodes)), 8);
    await atTheLimit('filterNodes', (nodes) => store.count({ filter: { or: filter(nodes) } }), 8);
  });

  test('filterDepth counts nested branches', async () => {
    const store = await withLimits({ filterDepth: 4 });
    await atTheLimit('filterDepth', (depth) => store.query(nested(depth)), 4);
    const deepest = await withLimits({ filterDepth: 64 });
    await atTheLimit('filterDepth', (depth) => deepest.query(nested(depth)), 64);
  });

  test('filterNodes, filterDepth and patternBytes hold by default, for every method that takes a filter', async () => {
    const store = await withLimits({});
    const methods = [(filter) => store.query(filter), (filter) => store.count({ filter }), (filter) => store.page(filter), (filter) => store.explain(filter), (filter) => store.queryIterator(filter).next()];
    for (const ask of methods) {
      await atTheLimit('filterNodes', (nodes) => ask(Array(nodes - 1).fill(term)), 1000);
      await atTheLimit('filterDepth', (depth) => ask(nested(depth)), 32);
      await atTheLimit('patternBytes', (bytes) => ask({ field: 'a', operator: 'like', value: 'x'.repeat(bytes) }), 256);
    }
  });

  test('inList counts the operands of in and nin', async () => {
    const store = await withLimits({ inList: 8 });
    for (const operator of ['in', 'nin']) await atTheLimit('inList', (count) => store.query({ field: 'key', operator, value: Array(count).fill(1) }), 8);
    const byDefault = await withLimits({});
    await atTheLimit('inList', (count) => byDefault.query({ field: 'a', operator: 'in', value: Array.from({ length: count }, (_, i) => i) }), 10_000);
  });

  test('a list is read no further than inList allows', async () => {
    const store = await withLimits({ inList: 8 });
    let reads = 0;
    const value = new Proxy(Array(10_000).fill(1), { get: (list, name) => (reads++, Reflect.get(list, name)) });
    await expect(store.query({ field: 'a', operator: 'in', value })).rejects.toMatchObject(refused('inList'));
    expect(reads).toBeLessThan(50);
  });

  test('patternBytes holds for the pattern of a list and of like', async () => {
    const store = await withLimits({ patternBytes: 16 });
    for (const text of sized) {
      await atTheLimit('patternBytes', (bytes) => store.list({ pattern: text(bytes) }), 16);
      await atTheLimit('patternBytes', (bytes) => store.query({ field: 'a', operator: 'like', value: text(bytes) }), 16);
    }
  });

  const slow = { field: 'v', operator: 'contains', value: 'not there' };

  test('queryTimeout ends a read that takes longer, and the store goes on', async () => {
    const store = await withLimits({ queryTimeout: 1 });
    await store.setMany(Array.from({ length: 30_000 }, (_, i) => ({ key: `k${i}`, value: { v: 'x'.repeat(50) } })));
    await expect(store.query(slow)).rejects.toMatchObject({ code: 'HYPHA_TIMEOUT', message: expect.stringContaining('queryTimeout') });
    await expect(store.count({ filter: slow })).rejects.toMatchObject({ code: 'HYPHA_TIMEOUT' });
    expect(await store.has('k1')).toBe(true);
    await store.set('after', 1);
    const patient = await withLimits({ queryTimeout: 60_000 });
    await patient.set('k', { v: 'x' });
    expect(await patient.query(slow)).toEqual([]);
  });

  test('queryTimeout also ends a read of few but large entries', async () => {
    const store = await withLimits({ queryTimeout: 1 });
    const value = { v: Array.from({ length: 20_000 }, (_, i) => i) };
    await store.setMany(Array.from({ length: 300 }, (_, i) => ({ key: `k${i}`, value })));
    await expect(store.query(slow)).rejects.toMatchObject({ code: 'HYPHA_TIMEOUT' });
  });

  test('transactionTimeout is the deadline of a transaction that brings none', async () => {
    const store = await withLimits({ transactionTimeout: 20 });
    const short = await store.beginTransaction();
    await short.set('k', 1).catch(() => {}); // on a busy machine the deadline may have passed already
    await store.set('other', 1); // waits until the deadline has freed the writer
    await expect(short.commit()).rejects.toMatchObject({ code: 'HYPHA_TRANSACTION_TIMEOUT' });
    const long = await store.beginTransaction({ timeout: 60_000 });
    await long.set('k', 2);
    await long.commit();
    expect(await store.get('k')).toBe(2);
  });

  test('filters and patterns are refused before anything is read, also inside a transaction', async () => {
    const store = await withLimits({ filterNodes: 2, patternBytes: 2 });
    await store.transaction(async (tx) => {
      await expect(tx.query([term, term])).rejects.toMatchObject(refused('filterNodes'));
      await expect(tx.list({ pattern: 'abc' })).rejects.toMatchObject(refused('patternBytes'));
      await tx.set('k', 1);
    });
    expect(await store.list()).toEqual(['k']);
  });
});
