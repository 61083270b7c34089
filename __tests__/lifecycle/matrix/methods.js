// Every public method: what it is called with on a store as seed() makes it, and what it gives when all is well.
// A method that is missing here fails matrix.test.js.

import { randomUUID } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { threadId } from 'node:worker_threads';

/** A worker thread has no Jest, and makes the calls only. */
const expect = globalThis.expect ?? { any: () => undefined, objectContaining: () => undefined };

/**
 * @typedef {object} Method
 * @property {'point' | 'scan' | 'write' | 'begin' | 'control' | 'end'} kind
 *   point, scan: reads; write: everything that needs the writer for one request; begin: that needs it for longer;
 *   control: neither; end: of the object itself
 * @property {(on: any) => any} call
 * @property {any} gives
 */

/** Three namespaces, one entry in the first. */
export async function seed(store) {
  await store.set('k', 1);
  await store.createNamespace('batches');
  await store.createNamespace('n');
}

const version = expect.any(Number);
const entry = expect.objectContaining({ key: 'k', value: 1 });
const emptyBackend = {
  listNamespaces: async () => ({ success: true, namespaces: ['copied'] }),
  list: async () => ({ success: true, keys: [] }),
};
let copies = 0;
/** The number of namespaces in a backup that is deleted at once. */
async function backedUp(store) {
  const { path, namespaces } = await store.backup(join(tmpdir(), `hypha-matrix-${process.pid}-${threadId}-${copies++}.db`));
  rmSync(path);
  return namespaces;
}
/** @param {(path: string) => Promise<any>} work gets a path for a bundle of its own */
async function withBundle(work) {
  const path = join(tmpdir(), `hyphadb-test-${randomUUID()}.jsonl`);
  try {
    return await work(path);
  } finally {
    rmSync(path, { force: true });
  }
}
const BUNDLE = `{"type":"bundle","format":"hyphadb-bundle","version":1}
{"type":"entry","namespace":"n","key":"imported","value":1}
{"type":"end"}
`;
const point = (call, gives) => ({ kind: 'point', call, gives });
const scan = (call, gives) => ({ kind: 'scan', call, gives });
const write = (call, gives) => ({ kind: 'write', call, gives });
const begin = (call, gives) => ({ kind: 'begin', call, gives });
const control = (call, gives) => ({ kind: 'control', call, gives });
const end = (call, gives) => ({ kind: 'end', call, gives });

/** Of a store, a transaction and a namespace view. @type {Record<string, Method>} */
export const DATA_METHODS = {
  get: point((on) => on.get('k'), 1),
  has: point((on) => on.has('k'), true),
  getEntry: point((on) => on.getEntry('k'), entry),
  getMetadata: point((on) => on.getMetadata('k'), {}),
  getMany: point((on) => on.getMany(['k']), new Map([['k', 1]])),
  getSync: point((on) => on.getSync('k'), 1),
  hasSync: point((on) => on.hasSync('k'), true),
  list: scan((on) => on.list(), ['k']),
  query: scan((on) => on.query([]), [entry]),
  page: scan((on) => on.page([]), { entries: [entry], cursor: undefined }),
  count: scan((on) => on.count(), 1),
  explain: scan((on) => on.explain([]), expect.objectContaining({ returned: 1 })),
  entries: scan((on) => on.entries().next(), { value: entry, done: false }),
  queryIterator: scan((on) => on.queryIterator([]).next(), { value: entry, done: false }),
  set: write((on) => on.set('w', 2), expect.objectContaining({ version })),
  delete: write((on) => on.delete('k'), true),
  setMany: write((on) => on.setMany([{ key: 'w', value: 2 }]), expect.objectContaining({ ok: true })),
  deleteMany: write((on) => on.deleteMany(['k']), expect.objectContaining({ ok: true })),
  setMetadata: write((on) => on.setMetadata('k', { a: 1 }), expect.objectContaining({ version })),
  update: write((on) => on.update('k', (value) => value + 1), expect.objectContaining({ value: 2, version })),
  atomic: write((on) => on.atomic().sum('k', 1).commit(), expect.objectContaining({ ok: true, version })),
  clear: write((on) => on.clear({ namespace: 'default' }), 1),
};

/** Of a store and a transaction. @type {Record<string, Method>} */
export const NAMESPACE_METHODS = {
  namespace: scan((on) => on.namespace('n').count(), 0),
  listNamespaces: scan((on) => on.listNamespaces(), ['batches', 'default', 'n']),
  getNamespace: scan((on) => on.getNamespace('n'), expect.objectContaining({ name: 'n', explicit: true })),
  listIndexes: scan((on) => on.listIndexes('n'), []),
  createNamespace: write((on) => on.createNamespace('m'), undefined),
  deleteNamespace: write((on) => on.deleteNamespace('n'), undefined),
  createIndex: write((on) => on.createIndex('n', 'f'), undefined),
  dropIndex: write((on) => on.dropIndex('n', 'f'), false),
};

/** @type {Record<string, Method>} */
export const STORE_METHODS = {
  ...DATA_METHODS,
  ...NAMESPACE_METHODS,
  transaction: begin((on) => on.transaction(() => 7), 7),
  beginTransaction: begin(async (on) => (await on.beginTransaction()).rollback(), undefined),
  snapshot: scan((on) => on.snapshot((view) => view.get('k')), 1),
  copyFrom: begin((on) => on.copyFrom(emptyBackend), { namespaces: 2, entries: 0 }),
  buffer: write((on) => on.buffer({ maxItems: 1 }).set('w', 2), expect.objectContaining({ version })),
  exportBundle: scan((on) => withBundle((path) => on.exportBundle(path)), expect.objectContaining({ entries: expect.any(Number) })),
  importBundle: begin((on) => withBundle((path) => {
    writeFileSync(path, BUNDLE);
    return on.importBundle(path);
  }), expect.objectContaining({ inserted: 1 })),
  checkpoint: begin((on) => on.checkpoint(), expect.objectContaining({ mode: 'truncate', busy: false })),
  flush: control((on) => on.flush(), undefined),
  status: scan((on) => on.status(), expect.objectContaining({ size: expect.any(Number) })),
  diagnose: scan((on) => on.diagnose(), expect.objectContaining({ integrity: 'ok' })),
  verify: scan((on) => on.verify(), { ok: true, problems: [] }),
  backup: scan(backedUp, 3),
  scheduleBackups: control((on) => on.scheduleBackups({ directory: tmpdir() }).stop(), undefined),
  stats: scan((on) => on.stats(), expect.objectContaining({ queue: expect.any(Object) })),
  ping: scan((on) => on.ping({ timeout: 50 }), expect.objectContaining({ ok: expect.any(Boolean) })),
  optimize: begin((on) => on.optimize(), expect.objectContaining({ ok: true })),
  recover: begin((on) => on.recover(), expect.objectContaining({ integrity: [] })),
  close: end((on) => on.close(), expect.objectContaining({ busy: false })),
};

/** @type {Record<string, Method>} */
export const TRANSACTION_METHODS = {
  ...DATA_METHODS,
  ...NAMESPACE_METHODS,
  transaction: write((on) => on.transaction(() => 7), 7),
  id: control((on) => on.id, expect.any(Number)),
  commit: end((on) => on.commit(), { durability: expect.any(String) }),
  rollback: end((on) => on.rollback(), undefined),
};

const good = (more = {}) => ({ success: true, ...more });

/** Of the Mycelia backend; `o` are options of a call, such as a transaction's. @type {Record<string, Method>} */
export const BACKEND_METHODS = {
  get: point((on, o) => on.get('k', o), good({ data: 1 })),
  has: point((on, o) => on.has('k', o), good({ exists: true })),
  getMetadata: point((on, o) => on.getMetadata('k', o), good({ metadata: {} })),
  getMany: point((on, o) => on.getMany(['k'], o), good({ data: new Map([['k', 1]]) })),
  list: scan((on, o) => on.list(o), good({ keys: ['k'] })),
  query: scan((on, o) => on.query([], o), good({ results: [{ key: 'k', value: 1, metadata: {} }] })),
  count: scan((on, o) => on.count(o), good({ count: 1 })),
  listNamespaces: scan((on, o) => on.listNamespaces(o), good({ namespaces: ['batches', 'default', 'n'] })),
  getStatus: scan((on) => on.getStatus(), good({ status: expect.objectContaining({ healthy: true }) })),
  set: write((on, o) => on.set('w', 2, o), good()),
  delete: write((on, o) => on.delete('k', o), good()),
  setMany: write((on, o) => on.setMany([{ key: 'w', value: 2 }], o), expect.objectContaining(good())),
  deleteMany: write((on, o) => on.deleteMany(['k'], o), expect.objectContaining(good())),
  setMetadata: write((on, o) => on.setMetadata('k', { a: 1 }, o), good()),
  clear: write((on, o) => on.clear({ ...o, namespace: 'default' }), good()),
  createNamespace: write((on, o) => on.createNamespace('m', o), good()),
  deleteNamespace: write((on, o) => on.deleteNamespace('n', o), good()),
  beginTransaction: begin(async (on) => {
    const begun = await on.beginTransaction();
    return begun.success ? on.rollback(begun.transactionId) : begun;
  }, good()),
  commit: end((on, o) => on.commit(o?.transactionId ?? 'tx_none'), good()),
  rollback: end((on, o) => on.rollback(o?.transactionId ?? 'tx_none'), good()),
  open: control((on) => on.open(), undefined),
  store: control(async (on) => (await on.store()).get('k'), 1),
  close: end((on) => on.close(), good()),
};

/** @param {Function} type @returns {string[]} the names of its public methods and getters, inherited ones included */
export function publicNames(type) {
  const names = [];
  for (let proto = type.prototype; proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) names.push(...Object.getOwnPropertyNames(proto));
  return [...new Set(names)].filter((name) => name !== 'constructor').sort();
}
