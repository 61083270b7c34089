// Calls every method of a store while its worker thread is ending, and writes down what the calls gave.

import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { open } from '../../../lib/index.js';
import { BACKEND_METHODS, STORE_METHODS, TRANSACTION_METHODS, seed } from '../matrix/methods.js';
import { MyceliaStorageBackend } from '../../../lib/mycelia/index.js';

const { path, way, report } = workerData;
const store = await open({ path, durability: 'normal' });
await seed(store);
const backend = new MyceliaStorageBackend({ dbPath: `${path}-of-backend` });
await backend.open();
const tx = await store.beginTransaction();
await tx.set('uncommitted', 1);

function shapeOf(call) {
  try {
    const value = call();
    return value instanceof Promise ? 'promise' : 'value';
  } catch (error) {
    return error.code ?? `${error}`;
  }
}

function callEverything() {
  const answers = {};
  for (const [kind, on, methods] of [['transaction', tx, TRANSACTION_METHODS], ['store', store, STORE_METHODS], ['backend', backend, BACKEND_METHODS]]) {
    for (const [name, { call }] of Object.entries(methods)) {
      // Ended at once, the others would only say so.
      if (kind !== 'end' || name === 'rollback') answers[`${kind} ${name}`] = shapeOf(() => call(on));
    }
  }
  return answers;
}

process.on('exit', () => writeFileSync(report, JSON.stringify(callEverything())));
process.on('unhandledRejection', () => {}); // nobody waits for the answers

const ways = {
  return: () => parentPort.close(),
  throw: () => {
    throw new Error('thrown on purpose');
  },
  exit: () => process.exit(6),
  'exit with everything under way': () => {
    callEverything();
    process.exit(6);
  },
  terminate: () => {
    callEverything();
    parentPort.postMessage('everything is under way');
    setInterval(() => shapeOf(() => store.get('k')), 0);
  },
};
ways[way]();
