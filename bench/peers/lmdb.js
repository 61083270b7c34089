import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { endOfPrefix } from './prefix.js';

export async function open(directory) {
  const db = openLmdb({ path: join(directory, 'lmdb') });
  return {
    get: (key) => db.get(key),
    has: (key) => db.doesExist(key),
    getMany: (keys) => db.getMany(keys),
    set: (key, value) => db.put(key, value),
    setMany: (entries) => db.transaction(() => {
      for (const { key, value } of entries) db.put(key, value);
      return true;
    }),
    list: (prefix) => db.getKeys({ start: prefix, end: endOfPrefix(prefix) }).asArray,
    close: () => db.close(),
    read: {
      get: (value) => value,
      has: (exists) => exists,
      getMany: (values) => values.filter((value) => value !== undefined).length,
      set: (done) => done,
      setMany: (done) => done,
      list: (keys) => keys.length,
    },
  };
}
