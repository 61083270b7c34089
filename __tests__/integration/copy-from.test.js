import { open } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { tempFolder } from '../helpers/child-run.js';
import { documents } from '../helpers/oracle-cases.js';
import { Random, runSeed } from '../helpers/oracle-random.js';

/** As the kernel's memory backend: namespaces of Maps, 'default' unknown before its first entry. */
class MemoryBackend {
  spaces = new Map();

  put(namespace, key, value, metadata = {}) {
    if (!this.spaces.has(namespace)) this.spaces.set(namespace, new Map());
    this.spaces.get(namespace).set(key, { value, metadata });
  }

  async listNamespaces() {
    return { success: true, namespaces: [...this.spaces.keys()] };
  }

  async list({ namespace }) {
    const space = this.spaces.get(namespace);
    if (!space) return { success: false, keys: [], error: new Error(`Namespace "${namespace}" does not exist`) };
    return { success: true, keys: [...space.keys()] };
  }

  async getMany(keys, { namespace }) {
    return { success: true, data: new Map(keys.map((key) => [key, this.spaces.get(namespace).get(key).value])) };
  }

  async getMetadata(key, { namespace }) {
    return { success: true, metadata: this.spaces.get(namespace).get(key).metadata };
  }
}

describe('copyFrom()', () => {
  let store;
  beforeEach(async () => (store = await open({ mode: 'memory' })));
  afterEach(() => store.close());

  function source(count) {
    const backend = new MemoryBackend();
    const random = new Random(runSeed());
    for (const namespace of ['default', 'users', 'empty']) {
      backend.spaces.set(namespace, new Map());
      if (namespace === 'empty') continue;
      for (const { key, value, metadata } of documents(random, count)) backend.put(namespace, key, JSON.parse(JSON.stringify(value)), JSON.parse(JSON.stringify(metadata ?? {})));
    }
    return backend;
  }

  async function expectCopied(backend) {
    for (const [namespace, space] of backend.spaces) {
      const copied = await store.query(null, { namespace });
      expect(copied).toHaveLength(space.size);
      for (const { key, value, metadata } of copied) {
        expect(JSON.stringify([value, metadata])).toBe(JSON.stringify([space.get(key).value, space.get(key).metadata]));
      }
    }
  }

  it('copies all namespaces, values and metadata of a backend, more than one batch of them', async () => {
    const backend = source(700);
    expect(await store.copyFrom(backend)).toEqual({ namespaces: 3, entries: 1400 });
    await expectCopied(backend);
    expect((await store.getNamespace('empty')).explicit).toBe(true);
  });

  it('copies into a store that has entries already, and again into its own copy', async () => {
    await store.set('mine', 1, { namespace: 'other' });
    await store.set('mine', 1);
    await store.delete('mine');
    const backend = source(20);
    await store.copyFrom(backend);
    await store.copyFrom(backend);
    await expectCopied(backend);
    expect(await store.get('mine', { namespace: 'other' })).toBe(1);
  });

  it('copies only the namespaces asked for', async () => {
    const backend = source(20);
    expect(await store.copyFrom(backend, { namespaces: ['users'] })).toEqual({ namespaces: 1, entries: 20 });
    expect(await store.listNamespaces()).toEqual(['default', 'users']);
    expect(await store.count()).toBe(0);
  });

  it("copies from HyphaDB's own Mycelia backend", async () => {
    const folder = tempFolder();
    const backend = new MyceliaStorageBackend({ dbPath: folder.file('source.db') });
    await backend.set('a', { n: 1 }, { metadata: { m: 1 } });
    await backend.set('b', [1, 2], { namespace: 'two' });
    expect(await store.copyFrom(backend)).toEqual({ namespaces: 2, entries: 2 });
    expect(await store.getEntry('a')).toMatchObject({ value: { n: 1 }, metadata: { m: 1 } });
    expect(await store.get('b', { namespace: 'two' })).toEqual([1, 2]);
    await backend.close();
    folder.remove();
  });

  it('copies from a backend that does not know the default namespace', async () => {
    const backend = new MemoryBackend();
    backend.put('users', 'a', 1);
    expect(await store.copyFrom(backend)).toEqual({ namespaces: 2, entries: 1 });
  });

  it('fails with the cause when the source fails', async () => {
    const backend = source(5);
    const cause = new Error('no reading today');
    backend.getMany = async () => ({ success: false, data: new Map(), error: cause });
    await expect(store.copyFrom(backend)).rejects.toMatchObject({ name: 'StorageError', cause });
  });

  it('fails when the source loses or gains a key meanwhile', async () => {
    const backend = source(5);
    const getMany = backend.getMany.bind(backend);
    backend.getMany = async (keys, options) => {
      backend.put('default', 'late', 1);
      return getMany(keys, options);
    };
    await expect(store.copyFrom(backend)).rejects.toMatchObject({ code: 'HYPHA_CONFLICT' });
  });

  it('fails when the source gives back less than it listed', async () => {
    const backend = source(5);
    backend.getMany = async () => ({ success: true, data: new Map() });
    await expect(store.copyFrom(backend)).rejects.toMatchObject({ name: 'StorageError' });
  });
});
