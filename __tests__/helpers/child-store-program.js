// The other side of child-store.js.

import process from 'node:process';
import { open } from '../../lib/index.js';

let store;
let tx;

async function run(method, args) {
  if (method === 'open') return void (store = await open(...args));
  if (method === 'begin') return void (tx = await store.beginTransaction(...args));
  // Functions do not cross: what they would do has a name here.
  if (method === 'update_plus') return store.update(args[0], (n = 0) => n + args[1]);
  if (method === 'atomic_sum') return store.atomic().sum(args[0], args[1]).commit();
  if (method.startsWith('tx.')) return tx[method.slice(3)](...args);
  return store[method](...args);
}

process.on('message', async ({ id, method, args }) => {
  try {
    process.send({ id, value: await run(method, args) });
  } catch (error) {
    process.send({ id, error: { code: error.code, message: error.message, retryable: error.retryable } });
  }
});
