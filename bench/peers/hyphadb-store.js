import { join } from 'node:path';
import { open as openStore, SQLITE_VERSION } from '../../lib/index.js';

export async function open(directory) {
  const store = await openStore({ path: join(directory, 'hyphadb.db'), durability: 'normal' });
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
    },
  };
}

export const version = () => `SQLite ${SQLITE_VERSION}`;
