// User code that runs inside our calls: getters, proxies, toJSON and iterators that throw, write or close.

import { open } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';

const METHODS = {
  get: (b, hostile) => b.get('k', hostile), set: (b, hostile) => b.set('k', 1, hostile), setValue: (b, hostile) => b.set('k', hostile), delete: (b, hostile) => b.delete('k', hostile),
  has: (b, hostile) => b.has('k', hostile), getMany: (b, hostile) => b.getMany(['k'], hostile), getManyKeys: (b, hostile) => b.getMany(hostile), setMany: (b, hostile) => b.setMany([], hostile),
  setManyEntries: (b, hostile) => b.setMany(hostile), setManyEntry: (b, hostile) => b.setMany([hostile]), deleteMany: (b, hostile) => b.deleteMany(hostile, hostile), list: (b, hostile) => b.list(hostile),
  query: (b, hostile) => b.query([], hostile), queryFilter: (b, hostile) => b.query(hostile), queryTerm: (b, hostile) => b.query([hostile]), querySort: (b, hostile) => b.query([], { sort: hostile }),
  count: (b, hostile) => b.count(hostile), countFilter: (b, hostile) => b.count({ filter: hostile }), createNamespace: (b, hostile) => b.createNamespace('n', hostile),
  deleteNamespace: (b, hostile) => b.deleteNamespace('n', hostile), getMetadata: (b, hostile) => b.getMetadata('k', hostile), setMetadata: (b, hostile) => b.setMetadata('k', hostile, hostile),
  clear: (b, hostile) => b.clear(hostile), commit: (b, hostile) => b.commit(hostile), beginTransaction: (b, hostile) => b.beginTransaction(hostile),
};

const failure = new Error('from user code');
const throwing = () => new Proxy({}, {
  get() { throw failure; }, has() { throw failure; }, ownKeys() { throw failure; }, getOwnPropertyDescriptor() { throw failure; }, getPrototypeOf() { throw failure; },
});
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('user code inside a call', () => {
  let backend;
  beforeEach(async () => {
    backend = new MyceliaStorageBackend({ dbPath: ':memory:' });
    await backend.set('k', 'kept');
  });
  afterEach(() => backend.close());

  test.each(Object.entries(METHODS))('that throws makes %s answer a failure, never a rejection', async (_, call) => {
    for (const hostile of [throwing(), revoked()]) {
      let promise;
      expect(() => (promise = call(backend, hostile))).not.toThrow();
      expect(await promise).toMatchObject({ success: false });
    }
    expect(await backend.get('k')).toEqual({ success: true, data: 'kept' });
  });

  test('toJSON() that writes: the inner write comes first, both are stored', async () => {
    const value = { toJSON() { backend.set('inner', 1); backend.set('k', 'from toJSON'); return 'outer'; } };
    expect(await backend.set('k', value)).toEqual({ success: true });
    expect((await backend.getMany(['inner', 'k'])).data).toEqual(new Map([['inner', 1], ['k', 'outer']]));
  });

  test('toJSON() that reads sees what was before', async () => {
    let reading;
    await backend.set('k', { toJSON() { reading = backend.get('other'); return 'new'; } });
    expect((await reading).error.code).toBe('HYPHA_NOT_FOUND');
    expect((await backend.get('k')).data).toBe('new');
  });

  test('toJSON() that closes the store: the call fails as closed, or was written before', async () => {
    const result = await backend.set('k', { toJSON() { backend.close(); return 1; } });
    expect(result).toMatchObject({ success: false, error: { code: 'HYPHA_CLOSED' } });
    expect((await backend.get('k')).error.code).toBe('HYPHA_CLOSED');
  });

  test('an iterator that writes and closes while a batch is read', async () => {
    const entries = { *[Symbol.iterator]() { backend.set('inner', 1); yield { key: 'a', value: 1 }; backend.close(); yield { key: 'b', value: 2 }; } };
    expect((await backend.setMany(entries)).error.code).toBe('HYPHA_CLOSED');
    expect((await backend.count()).error.code).toBe('HYPHA_CLOSED');
  });

  test('getters are read once: what was checked is what is used', async () => {
    let reads = 0;
    const shifting = { get namespace() { return ++reads === 1 ? 'first' : 5; } };
    const store = await open({ mode: 'memory' });
    await store.set('k', 1, shifting);
    expect(reads).toBe(1);
    expect(await store.list({ namespace: 'first' })).toEqual(['k']);
    let keyReads = 0;
    const entry = { get key() { return ++keyReads === 1 ? 'good' : ''; }, value: 1 };
    const { outcomes } = await store.setMany([entry]);
    expect(outcomes[0]).toMatchObject({ key: 'good', ok: true });
    expect(await store.list()).toEqual(['good']);
    await store.close();
  });

  test('a proxy of an array is a batch like any other', async () => {
    const keys = new Proxy(['k', 'absent'], {});
    const { data, errors } = await backend.getMany(keys);
    expect([[...data.keys()], [...errors.keys()]]).toEqual([['k'], ['absent']]);
    expect(await backend.query(new Proxy([{ field: 'key', operator: 'eq', value: 'k' }], {}))).toMatchObject({ results: [{ key: 'k' }] });
  });

  test('a body that closes its store in the middle of a transaction loses only that transaction', async () => {
    const store = await open({ mode: 'memory' });
    await expect(store.transaction(async (tx) => {
      await tx.set('k', 1);
      await store.close();
      await tx.set('j', 1);
    })).rejects.toMatchObject({ code: 'HYPHA_CLOSED' });
    await expect(store.get('k')).rejects.toMatchObject({ code: 'HYPHA_CLOSED' });
  });
});
