// Which transaction bodies the running code is inside of.

import { AsyncLocalStorage } from 'node:async_hooks';

/** Those whose body is running, from the outside in. @type {AsyncLocalStorage<Set<object>>} */
const inside = new AsyncLocalStorage();
let running = 0;

/**
 * Runs the body of a transaction of `owner`, so that uses of the owner inside it are recognised.
 * @template T
 * @param {object} owner
 * @param {() => T} body
 * @returns {Promise<Awaited<T>>}
 */
export async function runInside(owner, body) {
  const owners = new Set(inside.getStore());
  owners.add(owner);
  running++;
  try {
    return await inside.run(owners, body);
  } finally {
    running--;
  }
}

/** @param {object} owner @returns {boolean} whether this code runs inside the body of a transaction of the owner */
export const isInside = (owner) => running !== 0 && inside.getStore()?.has(owner) === true;
