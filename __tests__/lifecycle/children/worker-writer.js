// A worker that writes without pause, tells what was acknowledged, and ends as it was told.

import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { open } from '../../../lib/index.js';

const { path, number, way } = workerData;
const store = await open({ path, durability: 'normal' });
let acked = 0;
let writing = true;

const ends = {
  return: () => (writing = false),
  close: () => {
    writing = false;
    store.close();
  },
  throw: () => {
    throw new Error('thrown on purpose');
  },
  exit: () => process.exit(6),
  terminate: () => {},
  'terminate at start': () => (writing = false),
};

for (let i = 0; writing; i++) {
  const keys = [`w${number}-${i}`, `w${number}-${i}b`];
  await Promise.all(keys.map((key) => store.set(key, { key })));
  for (const key of keys) parentPort.postMessage(key);
  store.query([{ field: 'key', operator: 'startsWith', value: `w${number}-` }], { limit: 3 }).catch(() => {});
  acked += keys.length;
  if (acked === 20) ends[way]();
}
