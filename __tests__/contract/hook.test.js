import { StandalonePluginSystem } from 'mycelia-kernel-plugin';
import { MyceliaStorageBackend, useHyphaStorage } from '../../lib/mycelia/index.js';
import { hookFactory } from '../helpers/factories.js';
import { METHODS } from './cases/lifecycle.js';
import { contractSuite } from './contract-suite.js';

contractSuite('the facet of useHyphaStorage', hookFactory);

describe('the facet itself', () => {
  let system;
  afterEach(() => system.dispose());

  const build = async (storage) => {
    system = new StandalonePluginSystem('app', { config: { storage } });
    await system.use(useHyphaStorage).build();
    return system.find('storage');
  };

  test('has all 20 methods as own properties, the three booleans, the backend and the configuration', async () => {
    const facet = await build({ dbPath: ':memory:' });
    for (const name of METHODS) expect(Object.hasOwn(facet, name) && typeof facet[name]).toBe('function');
    expect(facet).toMatchObject({ supportsTransactions: true, supportsQuery: true, supportsMetadata: true });
    expect(facet._storageBackend).toBeInstanceOf(MyceliaStorageBackend);
    expect(facet._config).toMatchObject({ dbPath: ':memory:' });
  });

  test('gives the Store below it, whose indexes its queries use, until it is closed', async () => {
    const facet = await build({ dbPath: ':memory:' });
    await facet.setMany(Array.from({ length: 500 }, (_, i) => ({ key: `k${i}`, value: { n: i } })));
    const store = await facet._storageBackend.store();
    await store.createIndex('default', 'n');
    const filter = { field: 'n', operator: 'eq', value: 321 };
    expect((await store.explain(filter)).index).toMatchObject({ fields: [{ field: 'n' }] });
    expect(await facet.query(filter)).toMatchObject({ success: true, results: [{ key: 'k321' }] });
    await system.dispose();
    await expect(facet._storageBackend.store()).rejects.toMatchObject({ code: 'HYPHA_CLOSED' });
  });

  test("runs lists of operations as transactions, as the kernel's db://transaction route does, many at once", async () => {
    const facet = await build({ dbPath: ':memory:' });
    const route = async (operations) => {
      const { transactionId } = await facet.beginTransaction({ isolation: 'SERIALIZABLE' });
      for (const [method, ...args] of operations) {
        const result = await facet[method](...args, { transactionId });
        if (!result.success) return { ...(await facet.rollback(transactionId)), success: false, error: result.error };
      }
      return facet.commit(transactionId);
    };
    const requests = Array.from({ length: 20 }, (_, n) => [
      ['set', `order:${n}`, { n }],
      ['set', `item:${n}`, { n }],
      ['delete', `item:${n - 1}`],
      ...(n % 2 === 0 ? [] : [['get', 'there is no such key']]),
    ]);
    const results = await Promise.all(requests.map(route));
    expect(results.map(({ success, error }) => (success ? 'committed' : error.code))).toEqual(requests.map((_, n) => (n % 2 === 0 ? 'committed' : 'HYPHA_NOT_FOUND')));
    const even = Array.from({ length: 10 }, (_, i) => i * 2);
    expect((await facet.list()).keys.sort()).toEqual([...even.map((n) => `item:${n}`), ...even.map((n) => `order:${n}`)].sort());
  });

  test('fails the build when the database cannot be opened', async () => {
    await expect(build({ dbPath: '/proc/never/storage.db' })).rejects.toThrow(/cannot open/i);
  });

  test('is closed by dispose(), which may be called again', async () => {
    const facet = await build({ dbPath: ':memory:' });
    expect(await facet.set('k', 1)).toEqual({ success: true });
    await system.dispose();
    expect(await facet.get('k')).toMatchObject({ success: false, error: { code: 'HYPHA_CLOSED' } });
    await system.dispose();
  });
});
