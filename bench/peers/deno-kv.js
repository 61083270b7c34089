import { join } from 'node:path';
import { openKv } from '@deno/kv';
import { chunks } from '../data.js';
import { endOfPrefix } from './prefix.js';

const MAX_KEYS_A_READ = 10; // more are refused
const MAX_BATCH = 1000;

export async function open(directory) {
  const kv = await openKv(join(directory, 'deno-kv.db'));

  async function getMany(keys) {
    const parts = chunks(keys, MAX_KEYS_A_READ).map((part) => kv.getMany(part.map((key) => [key])));
    return (await Promise.all(parts)).flat();
  }

  async function setMany(entries) {
    const atomic = kv.atomic();
    for (const { key, value } of entries) atomic.set([key], value);
    return atomic.commit();
  }

  async function list(prefix) {
    const keys = [];
    const range = { start: [prefix], end: [endOfPrefix(prefix)] };
    for await (const { key } of kv.list(range, { batchSize: MAX_BATCH })) keys.push(key[0]);
    return keys;
  }

  return {
    get: (key) => kv.get([key]),
    has: async (key) => (await kv.get([key])).versionstamp !== null,
    getMany,
    set: (key, value) => kv.set([key], value),
    setMany,
    list,
    create: (key, value) => kv.atomic().check({ key: [key], versionstamp: null }).set([key], value).commit(),
    close: async () => kv.close(),
    read: {
      get: (entry) => entry.value,
      has: (exists) => exists,
      getMany: (entries) => entries.filter((entry) => entry.versionstamp !== null).length,
      set: (result) => result.ok,
      setMany: (result) => result.ok,
      list: (keys) => keys.length,
    },
  };
}
