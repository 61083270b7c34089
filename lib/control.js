// Calls that may end early: by a signal, or by a timeout of their own.

import { StorageError, settle } from './errors.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {{ signal?: AbortSignal, timeout?: number }} ReadControl timeout in milliseconds */

let lastToken = 0;
/** @returns {number} by which the addon knows a call that may be cancelled */
export const newToken = () => ++lastToken;

/**
 * A read that ends with HYPHA_ABORTED when its signal fires and with HYPHA_TIMEOUT after its timeout.
 * @param {NativeStore} store
 * @param {number} transaction
 * @param {ReadControl | undefined} control
 * @param {string} kind
 * @param {unknown[]} args
 * @returns {Promise<any>}
 */
export async function controlled(store, transaction, control, kind, args) {
  const { signal, timeout = 0 } = control ?? {};
  if (signal === undefined) return settle(store.read(timeout === 0 ? transaction : [transaction, timeout, 0], kind, ...args));
  const token = newToken();
  const cancel = () => store.cancel(token);
  if (signal.aborted) throw aborted(signal);
  const answer = store.read([transaction, timeout, token], kind, ...args);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await settle(answer);
  } catch (error) {
    throw /** @type {StorageError} */ (error).code === 'HYPHA_ABORTED' ? aborted(signal) : error;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

/** @param {AbortSignal} signal */
export const aborted = (signal) => new StorageError('HYPHA_ABORTED', 'the operation was aborted', { cause: signal.reason });
