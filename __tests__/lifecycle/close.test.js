import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
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

  it('is over when everybody has heard of the writes issued before, also those answered over many turns', async () => {
    const store = await open({ path });
    const levels = ['full', 'normal', 'periodic'];
    let heard = 0;
    for (let i = 0; i < 3000; i++) store.set(`key-${i}`, { i }, { durability: levels[i % 3] }).then(() => heard++);
    await within('close', store.close());
    expect(heard).toBe(3000);
  });

  it.each([
    ['a transaction', (store, body) => store.transaction(body)],
    ['a read-only transaction', (store, body) => store.transaction(body, { readOnly: true })],
    ['one that is tried again', (store, body) => store.transaction(body, { retries: 5 })],
    ['a snapshot', (store, body) => store.snapshot(body)],
  ])('does not wait for a body that never ends: %s', async (_, begin) => {
    const store = await open({ path });
    let begun;
    const inBody = new Promise((resolve) => (begun = resolve));
    const endless = outcome(begin(store, async (view) => {
      begun(await view.get('a'));
      await new Promise(() => {});
    }));
    await within('begin', inBody);
    const closing = store.close();
    expect(await within('give the body up', endless, 5000)).toEqual(CLOSED); // its deadline is far away
    await within('close', closing);
    expect(leftovers()).toEqual([]);
  });

  it('tells the error of a body that ends with it', async () => {
    const store = await open({ path });
    let closing;
    const thrown = store.transaction(async (tx) => {
      closing = store.close();
      await expect(tx.get('a')).rejects.toMatchObject(CLOSED);
      throw new Error('on purpose');
    });
    await expect(within('end', thrown)).rejects.toThrow('on purpose');
    await within('close', closing);
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

  it('runs a flush() that was issued before, though it has to send a write buffer first', async () => {
    const store = await open({ path });
    const buffered = store.buffer().set('k', 'v');
    const flushed = store.flush();
    await store.close();
    await flushed;
    await buffered;
    const again = await open({ path });
    expect(await again.get('k')).toBe('v');
    await again.close();
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

  it('tells HYPHA_CLOSED of what a transaction was asked for just before, however late the engine hears of it', async () => {
    const store = await open({ path });
    const tx = await store.beginTransaction();
    for (let turns = 0; turns < 2; turns++) await setImmediate(); // one that nothing was done in has time for them
    const calls = [tx.set('a', 1), tx.delete('b'), tx.createNamespace('n'), tx.transaction((inner) => inner.set('c', 1))];
    const closing = store.close();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100); // the writer thread rolls back meanwhile
    expect(await within('settle them', Promise.all(calls.map(outcome)))).toEqual(calls.map(() => CLOSED));
    await within('close', closing);
    const again = await open({ path });
    expect(await again.list()).toEqual([]);
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

describe('close() and the updates issued before it', () => {
  let folder;
  let path;
  beforeEach(() => {
    folder = tempFolder();
    path = folder.file('update.db');
  });
  afterEach(() => folder.remove());

  const plusOne = (n = 0) => n + 1;
  const stored = async (key) => {
    const store = await open({ path });
    const value = await store.get(key);
    await store.close();
    return value;
  };

  it('runs them to their end, in order, also those that wait in line', async () => {
    const store = await open({ path });
    const updates = Array.from({ length: 50 }, (_, i) => outcome(store.update('n', i % 2 === 0 ? plusOne : async (n) => plusOne(n))));
    const limited = outcome(store.update('n', plusOne, { timeout: 60_000 }));
    const closing = store.close();
    const late = outcome(store.update('n', plusOne));
    await within('close', closing);
    expect((await Promise.all(updates)).map((answer) => answer.value?.value ?? answer.code)).toEqual(updates.map((_, i) => i + 1));
    expect((await limited).value?.value).toBe(51);
    expect(await late).toEqual(CLOSED);
    expect(await stored('n')).toBe(51);
  });

  it('runs one that waits for an update of another store of the file', async () => {
    const [store, other] = [await open({ path }), await open({ path })];
    let release;
    const holding = other.update('n', (n = 0) => new Promise((resolve) => { release = () => resolve(n + 10); }));
    while (release === undefined) await setImmediate();
    const waiting = outcome(store.update('n', plusOne));
    await setImmediate();
    await within('close', store.close());
    expect((await waiting).value?.value).toBe(1);
    release();
    // It had read the key before; it is called again with what the other wrote.
    await setImmediate();
    while (await other.get('n') === 1) { release(); await setImmediate(); }
    expect((await holding).value).toBe(11);
    await other.close();
  });

  it('does not wait for a change that takes longer than a turn: HYPHA_CLOSED, and nothing of it is stored', async () => {
    const store = await open({ path });
    let finish;
    const slow = outcome(store.update('slow', () => new Promise((resolve) => { finish = resolve; })));
    const behind = outcome(store.update('slow', plusOne));
    const endless = outcome(store.update('endless', () => new Promise(() => {})));
    const closes = outcome(store.update('closes', async () => store.close()));
    await within('close', store.close());
    finish(7);
    expect(await Promise.all([slow, behind, endless, closes])).toEqual([CLOSED, { value: { value: 1, version: expect.any(Number), durability: 'full' } }, CLOSED, CLOSED]);
    expect(await stored('slow')).toBe(1);
  });

  it('fails them as it would have without it: a change that throws, a value that cannot be stored', async () => {
    const store = await open({ path });
    const answers = [
      outcome(store.update('a', () => { throw new TypeError('mine'); })),
      outcome(store.update('b', async () => { throw new TypeError('mine'); })),
      outcome(store.update('c', () => 1n)),
    ];
    await within('close', store.close());
    expect((await Promise.all(answers)).map(({ name, code }) => code ?? name)).toEqual(['TypeError', 'TypeError', 'HYPHA_INVALID_VALUE']);
  });

  it('gives up those that are not done when limits.transactionTimeout has passed since it began', async () => {
    const [store, other] = [await open({ path, limits: { transactionTimeout: 5 } }), await open({ path, limits: { transactionTimeout: 5 } })];
    let calls = 0;
    // Whoever else writes the key each time makes it begin again. A write with a timeout is with the engine when set() returns.
    const update = outcome(store.update('n', (n) => {
      other.set('n', ++calls, { timeout: 60_000 });
      return plusOne(n);
    }, { retries: 1000 }));
    await within('close', store.close());
    expect(await update).toEqual(CLOSED);
    expect(calls).toBeGreaterThan(0);
    await other.close();
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
    ping: [], optimize: [], recover: [],
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
