import { existsSync } from 'node:fs';
import { open, Store } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { tempFolder, within } from '../helpers/child-run.js';

const outcome = (promise) => promise.then((value) => ({ value }), (error) => ({ code: error.code, name: error.name }));
const CLOSED = { code: 'HYPHA_CLOSED', name: 'StorageError' };

describe('closing a store', () => {
  let folder;
  let path;
  beforeEach(() => {
    folder = tempFolder();
    path = folder.file('close.db');
  });
  afterEach(() => folder.remove());

  const leftovers = () => [`${path}-wal`, `${path}-shm`].filter(existsSync);

  it('while 1,000 writes are queued settles each promise, and what it acknowledged is there', async () => {
    const store = await open({ path });
    const keys = Array.from({ length: 1000 }, (_, i) => `key-${i}`);
    const writes = keys.map((key) => outcome(store.set(key, { key })));
    const closing = store.close();
    const outcomes = await within('settle the writes', Promise.all(writes));
    await within('close', closing);
    expect(leftovers()).toEqual([]);
    const again = await open({ path });
    const stored = await again.getMany(keys);
    await again.close();
    for (let i = 0; i < keys.length; i++) expect(outcomes[i].value !== undefined).toBe(stored.has(keys[i]));
    // What was issued before close() runs before it.
    expect(outcomes.filter(({ value }) => value === undefined)).toEqual([]);
  });

  it('runs the reads that were issued before', async () => {
    const store = await open({ path });
    const reads = () => [
      store.get('a'), store.has('a'), store.getEntry('a'), store.getMany(['a']), store.list(), store.query([]), store.count(),
      store.getMetadata('a'), store.listNamespaces(), store.getNamespace('default'), store.status(), store.diagnose(), store.flush(),
    ].map(outcome);
    await store.set('a', 1);
    const idle = reads();
    const answers = await within('settle the reads', Promise.all([...idle, store.close()]));
    expect(answers.filter((answer) => answer?.code !== undefined)).toEqual([]);
    expect(answers[0]).toEqual({ value: 1 });
    expect(answers[4]).toEqual({ value: ['a'] });
  });

  it('settles reads that still wait for a write, with their value or HYPHA_CLOSED', async () => {
    const store = await open({ path });
    const write = outcome(store.set('a', 1));
    const reads = [store.get('a'), store.has('a'), store.getEntry('a'), store.list(), store.query([]), store.count(), store.getMany(['a'])].map(outcome);
    const closing = store.close();
    const answers = await within('settle the reads', Promise.all(reads));
    await within('close', closing);
    expect((await write).value.version).toBeGreaterThan(0);
    for (const answer of answers) expect(answer).toEqual('value' in answer ? { value: expect.anything() } : CLOSED);
  });

  it('twice gives the same promise, and a third time after the end is harmless', async () => {
    const store = await open({ path });
    const first = store.close();
    expect(store.close()).toBe(first);
    await within('close', first);
    await within('close again', store.close());
    await within('dispose', store[Symbol.asyncDispose]());
  });

  it('while another store of the same path is being opened leaves that one usable', async () => {
    for (let round = 0; round < 20; round++) {
      const first = await within('open', open({ path }));
      const opening = open({ path });
      await within('close', first.close());
      const second = await within('open during close', opening);
      await second.set(`round-${round}`, round);
      await second.close();
      expect(leftovers()).toEqual([]);
    }
    const store = await open({ path });
    expect(await store.count()).toBe(20);
    await store.close();
  });

  it('while it is still being opened settles every call and leaves no -wal or -shm', async () => {
    for (let round = 0; round < 10; round++) {
      const backend = new MyceliaStorageBackend({ dbPath: path });
      const opening = outcome(backend.open());
      const calls = [backend.set('key', round), backend.get('key'), backend.query([])];
      const answers = await within('close during open', Promise.all([...calls, backend.close(), backend.close()]));
      for (const { success, error } of answers.slice(0, 3)) expect(success ? 'done' : error.code).toMatch(/^(done|HYPHA_CLOSED)$/);
      for (const { success } of answers.slice(3)) expect(success).toBe(true);
      await within('open', opening);
      expect((await backend.get('key')).error.code).toBe('HYPHA_CLOSED');
      expect(leftovers()).toEqual([]);
    }
  });

  it('with an open transaction rolls it back, and its handle answers HYPHA_CLOSED', async () => {
    const store = await open({ path });
    const tx = await store.beginTransaction();
    await tx.set('inside', 1);
    const queued = outcome(store.set('outside', 1));
    await within('close', store.close());
    const ends = [tx.get('inside'), tx.set('x', 1), tx.query([]), tx.commit(), tx.rollback()].map(outcome);
    expect(await within('use the transaction', Promise.all(ends))).toEqual(ends.map(() => CLOSED));
    const settled = await within('settle the waiting write', queued);
    const again = await open({ path });
    expect(await again.has('inside')).toBe(false);
    expect(await again.has('outside')).toBe(settled.value !== undefined);
    await again.close();
    expect(leftovers()).toEqual([]);
  });

  it('inside the body of a transaction ends that transaction without a commit', async () => {
    const store = await open({ path });
    const transaction = outcome(store.transaction(async (tx) => {
      await tx.set('inside', 1);
      await store.close();
    }));
    expect((await within('transaction', transaction)).code).toBe('HYPHA_CLOSED');
    const again = await open({ path });
    expect(await again.has('inside')).toBe(false);
    await again.close();
  });

  it('settles transactions that wait for the writer', async () => {
    const store = await open({ path });
    const holder = await store.beginTransaction();
    await holder.set('a', 1);
    const waiting = Array.from({ length: 5 }, () => outcome(store.beginTransaction()));
    await within('close', store.close());
    const outcomes = await within('settle the waiting transactions', Promise.all(waiting));
    expect(outcomes.map(({ code }) => code)).toEqual(waiting.map(() => 'HYPHA_CLOSED'));
  });
});

describe('after close', () => {
  const calls = {
    get: ['k'], getEntry: ['k'], has: ['k'], getMetadata: ['k'], getMany: [['k']], set: ['k', 1], delete: ['k'],
    setMany: [[{ key: 'k', value: 1 }]], deleteMany: [['k']], setMetadata: ['k', {}], list: [], query: [[]], count: [], clear: [],
    createNamespace: ['n'], deleteNamespace: ['n'], listNamespaces: [], getNamespace: ['n'], transaction: [() => 1], beginTransaction: [],
    copyFrom: [{ listNamespaces: async () => ({ success: true, namespaces: ['n'] }), list: async () => ({ success: true, keys: [] }) }],
    update: ['k', () => 1], page: [[]], explain: [[]], createIndex: ['n', 'f'], dropIndex: ['n', 'f'], listIndexes: ['n'],
    backup: ['x.db'], scheduleBackups: [{ directory: '.' }], verify: [],
    exportBundle: ['b'], importBundle: ['b'],
    getSync: ['k'], hasSync: ['k'], snapshot: [() => 1], flush: [], checkpoint: [], status: [], diagnose: [], stats: [],
  };
  /** They have no answer of their own. */
  const silent = ['constructor', 'close', 'namespace', 'atomic'];
  /** They answer at the first step of the loop. */
  const iterators = ['entries', 'queryIterator'];

  function publicMethods() {
    const names = [];
    for (let proto = Store.prototype; proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
      names.push(...Object.getOwnPropertyNames(proto));
    }
    return [...new Set(names)].filter((name) => !silent.includes(name));
  }

  it('every public method answers HYPHA_CLOSED', async () => {
    const store = await open({ mode: 'memory' });
    await store.close();
    const methods = publicMethods();
    expect(methods.length).toBeGreaterThanOrEqual(26);
    const answers = {};
    const call = (name) => (iterators.includes(name) ? store[name]().next() : store[name](...(calls[name] ?? [])));
    for (const name of methods) answers[name] = await outcome(new Promise((resolve) => resolve(call(name))));
    expect(answers).toEqual(Object.fromEntries(methods.map((name) => [name, CLOSED])));
  });

  it('every method of a namespace view answers HYPHA_CLOSED, whenever it was made', async () => {
    const store = await open({ mode: 'memory' });
    const before = store.namespace('n');
    await store.close();
    for (const view of [before, store.namespace('n')]) {
      for (const name of ['get', 'set', 'delete', 'has', 'list', 'query', 'count', 'clear', 'getMany', 'setMany', 'deleteMany']) {
        expect([name, await outcome(view[name](...calls[name]))]).toEqual([name, CLOSED]);
      }
    }
  });
});
