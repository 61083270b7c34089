// One call for each table of options in lib/options.js: a test that goes through the tables goes through every public
// call that takes options. Each answers with something that can be compared.

import { existsSync } from 'node:fs';
import { MyceliaStorageBackend, useHyphaStorage } from '../../lib/mycelia/index.js';
import { exportBundle, importBundle, migrate, open, openOrLoad, restore, ShutdownSafety, verifyBundle } from '../../lib/index.js';

/** @typedef {{ store: import('../../lib/index.js').Store, backend: MyceliaStorageBackend, next: (suffix?: string) => string, copy: string, bundle: string }} Ground */
/** @typedef {(ground: Ground, options: object) => Promise<unknown>} Call */

const NS = 'calls';
const keysOf = (entries) => entries.map(({ key }) => key).join();

async function drain(iterator) {
  const entries = [];
  for await (const entry of iterator) entries.push(entry);
  return keysOf(entries);
}

/** What is at a key afterwards, in both namespaces that a call may have meant. */
async function at({ store }, key) {
  const [entry, elsewhere] = await Promise.all([store.getEntry(key), store.has(key, { namespace: 'poison' })]);
  return [JSON.stringify(entry?.value), JSON.stringify(entry?.metadata), elsewhere];
}

async function reset({ store }) {
  await store.clear();
  await store.setMany([{ key: 'j', value: { a: 1 } }, { key: 'k', value: { a: 2, b: 'x' }, metadata: { m: 1 } }, { key: 'l', value: { a: 3 } }]);
}

/** By the names of METHOD_OPTIONS. @type {Record<string, Call>} */
export const METHOD_CALLS = {
  key: async ({ store }, o) => [store.getSync('k', o)?.b, store.hasSync('k', o)],
  control: async ({ store }, o) => [(await store.listNamespaces(o)).join(), await store.getNamespace('default', o).then((found) => found?.name), JSON.stringify(await store.listIndexes('default', o))],
  read: async ({ store }, o) => [JSON.stringify(await store.get('k', o)), (await store.getEntry('k', o))?.key, await store.has('k', o), [...(await store.getMany(['j', 'k'], o)).keys()].join(), JSON.stringify(await store.getMetadata('k', o))],
  set: async (g, o) => [typeof (await g.store.set('k', { a: 9 }, o)).version, await at(g, 'k')],
  delete: async (g, o) => [await g.store.delete('k', o), await at(g, 'k')],
  setManyEntry: async (g, o) => [(await g.store.setMany([{ key: 'n', value: 1, ...o }])).ok, await at(g, 'n')],
  setMany: async (g, o) => [(await g.store.setMany([{ key: 'n', value: 1 }], o)).ok, await at(g, 'n')],
  deleteMany: async (g, o) => [(await g.store.deleteMany(['k'], o)).outcomes.length, await at(g, 'k')],
  setMetadata: async (g, o) => [await g.store.setMetadata('k', { n: 2 }, o).then(() => 'done'), await at(g, 'k')],
  list: async ({ store }, o) => (await store.list(o)).join(),
  query: async ({ store }, o) => [keysOf(await store.query({ field: 'a', operator: 'gte', value: 2 }, o)), Object.keys(await store.explain({ field: 'a', operator: 'eq', value: 2 }, o)).join()],
  page: async ({ store }, o) => keysOf((await store.page([], o)).entries),
  entries: async ({ store }, o) => drain(store.entries(o)),
  iterate: async ({ store }, o) => drain(store.queryIterator([], o)),
  count: async ({ store }, o) => store.count(o),
  createNamespace: async ({ store }, o) => [await store.createNamespace(NS, o).then(() => 'made'), JSON.stringify((await store.getNamespace(NS)).metadata), await store.deleteNamespace(NS).then(() => 'gone')],
  deleteNamespace: async ({ store }, o) => {
    await store.set('x', 1, { namespace: NS });
    const refused = await store.deleteNamespace(NS, o).then(() => 'deleted', ({ code }) => code);
    await store.deleteNamespace(NS, { recursive: true }).catch(() => {});
    return refused;
  },
  atomicSet: async (g, o) => [(await g.store.atomic().set('k', 5, o).commit()).ok, await at(g, 'k')],
  commit: async (g, o) => [(await g.store.atomic().set('k', 5).sum('n', 2, {}).commit(o)).durability, await at(g, 'k'), await at(g, 'n')],
  update: async (g, o) => [(await g.store.update('k', (value) => ({ ...value, c: 1 }), o)).value?.c, await at(g, 'k')],
  createIndex: async ({ store }, o) => [await store.createIndex('default', 'a', o).then(() => 'made'), JSON.stringify(await store.listIndexes('default')), await store.dropIndex('default', 'a')],
  dropIndex: async ({ store }, o) => [await store.createIndex('default', 'a').then(() => 'made'), await store.dropIndex('default', 'a', o), JSON.stringify(await store.listIndexes('default'))],
  clear: async (g, o) => [await g.store.clear(o), await g.store.count()],
  transaction: async (g, o) => [await g.store.transaction(async (tx) => { await tx.set('k', 7); return tx.get('k'); }, o), await at(g, 'k')],
  beginTransaction: async (g, o) => {
    const tx = await g.store.beginTransaction(o);
    await tx.set('k', 8);
    await tx.commit();
    return at(g, 'k');
  },
  buffer: async (g, o) => {
    const buffer = g.store.buffer(o);
    const added = buffer.add({ type: 'set', key: 'k', value: 3 });
    await buffer.flush();
    return [typeof (await added).version, await at(g, 'k')];
  },
  bufferSet: async (g, o) => {
    const buffer = g.store.buffer();
    const added = buffer.set('k', 4, o);
    await buffer.flush();
    return [typeof (await added).version, await at(g, 'k')];
  },
  bufferDelete: async (g, o) => {
    const buffer = g.store.buffer();
    const gone = buffer.delete('k', o);
    await buffer.flush();
    return [await gone, await at(g, 'k')];
  },
  backup: async ({ store, next, copy }, o) => [(await store.backup(next(), o)).entries, await store.backup(copy, o).then(() => 'replaced', ({ code }) => code)],
  restore: async ({ copy, next }, o) => (await restore(copy, next(), o)).entries,
  verify: async ({ store }, o) => (await store.verify(o)).ok,
  scheduleBackups: async ({ store, folder }, o) => {
    const schedule = store.scheduleBackups({ directory: folder, ...o });
    schedule.stop();
    return typeof schedule;
  },
  exportBundle: async ({ store, next, bundle }, o) => [(await exportBundle(store, next('.bundle'), o)).entries, await store.exportBundle(bundle, o).then(() => 'replaced', ({ code }) => code)],
  importBundle: async ({ store, bundle }, o) => {
    await store.clear();
    return [(await importBundle(store, bundle, o)).imported, await store.count(), await store.importBundle(bundle, o).then(() => 'merged', ({ code }) => code)];
  },
  stats: async ({ store }, o) => Object.keys(await store.stats(o)).join(),
  ping: async ({ store }, o) => Object.keys(await store.ping(o)).join(),
  optimize: async ({ store }, o) => Object.keys(await store.optimize(o)).join(),
  copyFrom: async ({ store }, o) => {
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:' });
    await backend.set('c', 1);
    const copied = JSON.stringify(await store.copyFrom(backend, o));
    await backend.close();
    return copied;
  },
};

/** By the names of the other tables. @type {Record<string, Call>} */
export const OTHER_CALLS = {
  OPEN_OPTIONS: async ({ next }, o) => {
    const store = await open({ path: next(), ...o });
    const answer = (await store.set('k', 1)).durability;
    await store.close();
    return answer;
  },
  WAL_OPTIONS: async ({ next }, o) => {
    const store = await open({ path: next(), wal: o });
    const answer = (await store.set('k', 1)).durability;
    await store.close();
    return answer;
  },
  LIMIT_OPTIONS: async (_, o) => {
    const store = await open({ mode: 'memory', limits: o });
    const answer = [await store.set('k'.repeat(4096), 1).then(() => 'fits'), await store.set('k'.repeat(4097), 1).catch(({ code }) => code)];
    await store.close();
    return answer;
  },
  MIGRATE_OPTIONS: async ({ next }, o) => {
    const path = next();
    await (await open({ path })).close();
    await migrate(path, o);
    return existsSync(path);
  },
  SHUTDOWN_OPTIONS: async (_, o) => {
    const safety = ShutdownSafety.install(o);
    safety.uninstall();
    return typeof safety;
  },
  verifyBundle: async ({ bundle }, o) => (await verifyBundle(bundle, o)).ok,
  openOrLoad: async ({ next, bundle }, o) => {
    const store = await openOrLoad(next(), bundle, o);
    const answer = await store.count();
    await store.close();
    return answer;
  },
};

/** What a call of the contract says: it must have succeeded. */
function told({ success, error, errors, results, data, ...rest }) {
  if (!success) throw error ?? [...errors.values()][0];
  return JSON.stringify([data instanceof Map ? [...data] : data, results instanceof Map ? [...results.keys()] : results, Object.keys(rest)]);
}

/** What is at a key of a backend afterwards. @param {MyceliaStorageBackend} backend @param {string} key */
const kept = async (backend, key) => at({ store: await backend.store() }, key);

/** The methods of the contract, whose options are in no table: they are read one by one. @type {Record<string, Call>} */
export const BACKEND_CALLS = {
  get: async ({ backend }, o) => told(await backend.get('k', o)),
  set: async ({ backend }, o) => [told(await backend.set('k', 9, o)), await kept(backend, 'k')],
  delete: async ({ backend }, o) => [told(await backend.delete('k', o)), await kept(backend, 'k')],
  has: async ({ backend }, o) => (await backend.has('k', o)).exists,
  getMany: async ({ backend }, o) => told(await backend.getMany(['j', 'k'], o)),
  setMany: async ({ backend }, o) => [told(await backend.setMany([{ key: 'k', value: 9 }, { key: 'n', value: 1, options: { ...o } }], o)), await kept(backend, 'k'), await kept(backend, 'n')],
  // One entry of two fails: whether the other is kept depends on `atomic`.
  'setMany of a bad one': async ({ backend }, o) => [(await backend.setMany([{ key: 'n', value: 1 }, { key: '', value: 1 }], o)).success, await kept(backend, 'n')],
  deleteMany: async ({ backend }, o) => [told(await backend.deleteMany(['k'], o)), await kept(backend, 'k')],
  'deleteMany of a bad one': async ({ backend }, o) => [(await backend.deleteMany(['k', ''], o)).success, await kept(backend, 'k')],
  list: async ({ backend }, o) => (await backend.list(o)).keys.join(),
  query: async ({ backend }, o) => told(await backend.query({ field: 'a', operator: 'gte', value: 2 }, { ...o, sort: { field: 'a' } })),
  'query without a sort': async ({ backend }, o) => told(await backend.query([], o)),
  count: async ({ backend }, o) => (await backend.count(o)).count,
  createNamespace: async ({ backend }, o) => {
    const answer = [told(await backend.createNamespace(NS, o)), JSON.stringify((await (await backend.store()).getNamespace(NS)).metadata)];
    await backend.deleteNamespace(NS);
    return answer;
  },
  deleteNamespace: async ({ backend }, o) => {
    await backend.set('x', 1, { namespace: NS });
    const { success } = await backend.deleteNamespace(NS, o);
    await backend.deleteNamespace(NS, { recursive: true });
    return success;
  },
  listNamespaces: async ({ backend }, o) => (await backend.listNamespaces(o)).namespaces.join(),
  getMetadata: async ({ backend }, o) => JSON.stringify((await backend.getMetadata('k', o)).metadata),
  setMetadata: async ({ backend }, o) => [told(await backend.setMetadata('k', { n: 2 }, o)), await kept(backend, 'k')],
  clear: async ({ backend }, o) => [told(await backend.clear(o)), (await backend.count()).count],
  beginTransaction: async ({ backend }, o) => {
    const { transactionId, error } = await backend.beginTransaction(o);
    if (error !== undefined) throw error;
    // Longer than the shortest timeout that there is.
    await new Promise((resolve) => setTimeout(resolve, 3));
    return told(await backend.commit(transactionId));
  },
  // Before the store is open every call takes the long way.
  'the first calls': async (_, o) => {
    const [backend, other] = [new MyceliaStorageBackend({ dbPath: ':memory:' }), new MyceliaStorageBackend({ dbPath: ':memory:' })];
    const answers = await Promise.all([backend.set('k', 1, o).then(told), backend.get('k', o).then(told), backend.has('k', o).then(({ exists }) => exists), other.count(o).then(({ count }) => count)]);
    await Promise.all([backend.close(), other.close()]);
    return answers;
  },
  config: async (_, o) => {
    const printed = [];
    const { debug } = console;
    console.debug = (text) => printed.push(text);
    try {
      const backend = new MyceliaStorageBackend({ dbPath: ':memory:', ...o });
      const answer = told(await backend.set('k'.repeat(4096), 1));
      const { durability } = await (await backend.store()).set('k', 1);
      await backend.close();
      return [answer, durability, printed.length];
    } finally {
      console.debug = debug;
    }
  },
  hook: async (_, o) => JSON.stringify(useHyphaStorage({ config: { ...o } })._config),
};

/** @param {(suffix?: string) => string} next @param {string} folder @returns {Promise<Ground>} */
export async function prepareGround(next, folder) {
  const store = await open({ mode: 'memory' });
  const backend = new MyceliaStorageBackend({ dbPath: ':memory:' });
  const inside = await backend.store();
  const resetBoth = () => Promise.all([store, inside].map((each) => reset({ store: each })));
  const close = () => Promise.all([store.close(), backend.close()]);
  const ground = /** @type {any} */ ({ store, backend, next, folder, copy: next(), bundle: next('.bundle'), reset: resetBoth, close });
  await ground.reset();
  await store.backup(ground.copy);
  await store.exportBundle(ground.bundle);
  return ground;
}
