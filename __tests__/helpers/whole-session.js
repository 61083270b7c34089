// A program: everything that a store is typically used for, with more data than SQLite keeps in its page cache, so that
// each of its ways to put work aside is taken. Marks in the system calls (names that are looked for) part its phases.

import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { migrate, open, openOrLoad, restore, verifyBundle } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { data, input, phase } from './child-side.js';

const { stores, copies, kernelFile, markFolder } = input();
// The sorter puts what is more than 1 MiB aside, of an index on `long` too.
const entries = 1800;
const mark = (name) => existsSync(join(markFolder, name));
const inStores = (name) => join(stores, name);
const inCopies = (name) => join(copies, name);
const long = (i) => `${String((i * 7919) % entries).padStart(8, '0')}${'x'.repeat(800)}`;
const documents = (count, from = 0) => Array.from({ length: count }, (_, i) => ({ key: `k${from + i}`, value: { i, long: long(i), few: i % 7, list: [i] }, metadata: { m: i } }));
const small = { wal: { cacheSizeKiB: 16 }, durability: 'normal' };

async function drain(iterator) {
  let count = 0;
  for await (const entry of iterator) count += entry.key === undefined ? 0 : 1;
  return count;
}

async function write(store) {
  await store.setMany(documents(entries), { atomic: true });
  await store.set('single', { few: 1 }, { metadata: { a: 1 } });
  await store.setMetadata('single', { b: 2 });
  await store.update('single', (value) => ({ ...value, more: true }));
  await store.atomic().sum('sum', 1).set('k1', { i: 1, long: long(1) }).commit();
  await store.delete('k2');
  await store.deleteMany(['k3', 'k4']);
  await store.transaction(async (tx) => {
    await tx.setMany(documents(300, entries));
    await tx.transaction(async (inner) => {
      await inner.setMany(documents(300, entries));
      throw new Error('back');
    }).catch(() => {});
  });
  await store.transaction(async (tx) => {
    await tx.clear();
    throw new Error('back');
  }).catch(() => {});
  const buffer = store.buffer();
  buffer.set('buffered', 1).catch(() => {});
  await buffer.flush();
  await store.createNamespace('other');
  await store.setMany(documents(300), { namespace: 'other' });
  await store.clear({ namespace: 'other' });
  await store.setMany(documents(300), { namespace: 'gone' });
  await store.deleteNamespace('gone', { recursive: true });
}

async function read(store) {
  await Promise.all([store.get('k1'), store.getEntry('k1'), store.has('k1'), store.getMany(['k1', 'k5']), store.getMetadata('k1'), store.list({ pattern: 'k1*' })]);
  store.getSync('k1');
  for (const filter of [[], { field: 'few', operator: 'gte', value: 2 }]) {
    await store.query(filter, { sort: [{ field: 'long', order: 'desc' }, { field: 'i' }] });
    await store.query(filter, { sort: { metadata: 'm' }, limit: 10, offset: 1000 });
    await store.page(filter, { sort: { field: 'few' }, limit: 100 });
    await store.count({ filter });
    await store.explain(filter);
  }
  await drain(store.entries());
  await drain(store.queryIterator([], { sort: { field: 'long' } }));
  await store.snapshot(async (view) => view.query([], { sort: { field: 'long' } }));
}

async function look(store) {
  await store.createIndex('default', 'long');
  await store.createIndex('default', ['few', 'long']);
  await store.query({ field: 'long', operator: 'gte', value: '0' }, { sort: { field: 'long' } });
  await store.setMany(documents(300, 2 * entries), { atomic: true });
  await store.dropIndex('default', 'long');
  await Promise.all([store.stats(), store.status(), store.diagnose(), store.ping(), store.verify(), store.verify({ level: 'quick' })]);
  await store.optimize({ analyze: 'full', integrity: 'full', vacuum: true, checkpoint: 'TRUNCATE' });
  await store.flush();
  await store.checkpoint('PASSIVE');
  await store.recover();
}

async function copy(store, name) {
  const [backup, bundle, file] = [`${name}.backup`, `${name}.bundle`, `${name}.jsonl`].map(inCopies);
  for (let i = 0; i < 2; i++) {
    await store.backup(backup, { overwrite: i > 0 });
    await restore(backup, inStores(`${name}-restored.db`));
    for (const path of [bundle, file]) await store.exportBundle(path, { overwrite: i > 0, partRows: 500 });
  }
  const schedule = store.scheduleBackups({ directory: copies, every: 60_000, keep: 1 });
  for (let i = 0; i < 2; i++) await schedule.run();
  await schedule.stop();
  const loaded = await openOrLoad(inStores(`${name}-loaded.db`), bundle, small);
  await loaded.clear();
  await loaded.importBundle(file);
  await loaded.close();
  await verifyBundle(bundle);
}

async function use(options, name) {
  const store = await open({ ...options, ...small });
  for (const part of [write, read, look]) {
    phase(`${name}: ${part.name}`);
    await part(store);
  }
  phase(`${name}: copy`);
  await copy(store, name);
  await store.close();
}

async function useBackend() {
  const backend = new MyceliaStorageBackend({ dbPath: inStores('backend.db') });
  for (let i = 0; i < 100; i++) await backend.set(`k${i}`, { i });
  const { transactionId } = await backend.beginTransaction();
  await backend.set('k', 1, { transactionId });
  await backend.commit(transactionId);
  await backend.query({ field: 'i', operator: 'gt', value: 5 }, { sort: { field: 'i', order: 'desc' } });
  await backend.getStatus();
  await (await backend.store()).copyFrom(backend, { namespaces: [] });
  await backend.close();
}

// The tracer must see what this would look like.
mark('control');
const control = join(/** @type {string} */ (process.env.SQLITE_TMPDIR), 'etilqs_control');
writeFileSync(control, 'x', { flag: 'wx' });
unlinkSync(control);
mark('session');
phase('migrate');
await migrate(kernelFile);
await (await open({ path: kernelFile })).close();
await migrate(kernelFile, { to: 1 });
await use({ path: inStores('store.db') }, 'store');
await use({ mode: 'memory' }, 'memory');
phase('again');
const again = await open({ path: inStores('store.db'), ...small });
await again.clear();
await again.close();
phase('backend');
await useBackend();
mark('end');
data('done');
