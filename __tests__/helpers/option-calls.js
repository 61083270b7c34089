// One call for each table of options in lib/options.js: a test that goes through the tables goes through every public
// call that takes options. Each answers with something that can be compared.

import { existsSync } from 'node:fs';
import { exportBundle, importBundle, migrate, open, openOrLoad, restore, ShutdownSafety, verifyBundle } from '../../lib/index.js';

/** @typedef {{ store: import('../../lib/index.js').Store, next: (suffix?: string) => string, copy: string, bundle: string }} Ground */
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
  copyFrom: async ({ store }, o) => JSON.stringify(await store.copyFrom(await listed(), o)),
};

async function listed() {
  const { MyceliaStorageBackend } = await import('../../lib/mycelia/index.js');
  const backend = new MyceliaStorageBackend({ dbPath: ':memory:' });
  await backend.set('c', 1);
  return backend;
}

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

/** @param {(suffix?: string) => string} next @param {string} folder @returns {Promise<Ground>} */
export async function prepareGround(next, folder) {
  const store = await open({ mode: 'memory' });
  const ground = /** @type {any} */ ({ store, next, folder, copy: next(), bundle: next('.bundle'), reset: () => reset({ store }) });
  await ground.reset();
  await store.backup(ground.copy);
  await store.exportBundle(ground.bundle);
  return ground;
}
