import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { endOfPrefix } from './prefix.js';

export async function open(directory) {
  const db = new ClassicLevel(join(directory, 'level'), { valueEncoding: 'json' });
  await db.open();
  return {
    get: (key) => db.get(key),
    has: (key) => db.has(key),
    getMany: (keys) => db.getMany(keys),
    set: (key, value) => db.put(key, value),
    setMany: (entries) => db.batch(entries.map(({ key, value }) => ({ type: 'put', key, value }))),
    list: (prefix) => db.keys({ gte: prefix, lt: endOfPrefix(prefix) }).all(),
    close: () => db.close(),
    read: {
      get: (value) => value,
      has: (exists) => exists,
      getMany: (values) => values.filter((value) => value !== undefined).length,
      set: () => true,
      setMany: () => true,
      list: (keys) => keys.length,
    },
  };
}
