import { join } from 'node:path';
import { open as openStore, SQLITE_VERSION } from '../../lib/index.js';

export async function open(directory, { synced = false } = {}) {
  const store = await openStore({ path: join(directory, 'hyphadb.db'), durability: synced ? 'full' : 'normal' });
  return {
    get: (key) => store.get(key),
    has: (key) => store.has(key),
    getMany: (keys) => store.getMany(keys),
    set: (key, value) => store.set(key, value),
    setMany: (entries, options) => store.setMany(entries, options),
    createIndex: (namespace, field) => store.createIndex(namespace, field),
    list: (prefix) => store.list({ prefix }),
    query: (filter, options) => store.query(filter, options),
    count: (filter) => store.count({ filter }),
    update: (key, change) => store.update(key, change),
    transact: (key, change) => store.transaction(async (tx) => {
      const value = change(await tx.get(key));
      await tx.set(key, value);
      return { value };
    }),
    setInOne: (entries, how) => store.transaction(async (tx) => {
      if (how === 'together') await Promise.all(entries.map(({ key, value }) => tx.set(key, value)));
      else for (const { key, value } of entries) await tx.set(key, value);
    }),
    create: (key, value) => store.atomic().check(key, null).set(key, value).commit(),
    close: () => store.close(),
    read: {
      get: (value) => value,
      has: (exists) => exists,
      getMany: (values) => values.size,
      set: (result) => result.version > 0,
      setMany: (result) => result.ok,
      list: (keys) => keys.length,
      query: (entries) => entries.length,
      count: (count) => count,
      update: ({ value }) => value.age,
    },
  };
}

export const version = () => `SQLite ${SQLITE_VERSION}`;
