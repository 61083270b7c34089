// The life of a transaction that is given as a function.

import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

import { Body } from './bodies.js';
import { aborted, checkSignal, onAbort } from './control.js';
import { StorageError } from './errors.js';
import { Transaction } from './transaction.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./session.js').BeginOptions} BeginOptions */

/** What another process may cause, and what may go better the next time. */
const RETRIED = new Set(['HYPHA_BUSY', 'HYPHA_CONFLICT']);
/** The longest pause before another attempt, in milliseconds. */
const LONGEST_PAUSE = 50;

/**
 * Begins a transaction, runs `body`, and commits or rolls back; again, where the failure is another process's doing.
 * @template T
 * @param {StoreSession} store
 * @param {(tx: Transaction) => T} body
 * @param {BeginOptions & { retries?: number }} options checked
 * @returns {Promise<Awaited<T>>}
 */
export async function runTransaction(store, body, options) {
  if (!options.retries) return runOnce(store, body, options);
  const giveUp = performance.now() + store.busyTimeout;
  for (let attempt = 1; ; attempt++) {
    try {
      return await runOnce(store, body, options);
    } catch (error) {
      const { code } = /** @type {StorageError} */ (error);
      const again = RETRIED.has(code) && attempt <= options.retries && (code !== 'HYPHA_BUSY' || performance.now() < giveUp);
      if (!again) throw error;
    }
    // With jitter, so that processes that collide do not keep step.
    await pause(Math.random() * Math.min(LONGEST_PAUSE, 2 ** attempt));
  }
}

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => {
  setTimeout(resolve, milliseconds);
});

/**
 * @template T
 * @param {StoreSession} store
 * @param {(tx: Transaction) => T} body
 * @param {BeginOptions} options
 * @returns {Promise<Awaited<T>>}
 */
async function runOnce(store, body, options) {
  const tx = new Transaction(await store.begin(options));
  const { signal } = options;
  const place = options.readOnly ? undefined : new Body(store);
  let result;
  try {
    checkSignal(signal); // it may have fired since the writer was there
    const running = place === undefined ? Promise.resolve().then(() => body(tx)) : place.run(() => body(tx));
    result = await bounded(store, running, options.timeout ?? store.limits.transactionTimeout, signal);
    checkSignal(signal);
  } catch (error) {
    place?.end(); // one that goes on is not waited for
    await tx.rollback().catch(() => {}); // the body's own error is the one to tell; the engine rolls back in any case
    throw error;
  }
  await tx.commit();
  return result;
}

/**
 * Waits for a body no longer than its transaction lives, and not after its store is closed: one that never returns must
 * not keep its caller, nor the process.
 * @template T
 * @param {StoreSession} store
 * @param {Promise<T>} running
 * @param {number} timeout
 * @param {AbortSignal | undefined} signal
 * @returns {Promise<T>}
 */
function bounded(store, running, timeout, signal) {
  return store.untilClosed(new Promise((resolve, reject) => {
    const unwatch = signal && onAbort(signal, () => end(() => reject(aborted(signal))));
    const late = () => end(() => reject(new StorageError('HYPHA_TRANSACTION_TIMEOUT', 'the body of the transaction did not end in time; it was rolled back')));
    const timer = setTimeout(late, timeout);
    /** @param {() => void} tell */
    const end = (tell) => {
      clearTimeout(timer);
      unwatch?.();
      tell();
    };
    running.then((value) => end(() => resolve(value)), (error) => end(() => reject(error)));
  }));
}
