// Calls that may end early: by a signal, or by a timeout of their own.

import { performance } from 'node:perf_hooks';
import { clearTimeout, setTimeout } from 'node:timers';

import { StorageError, closed, settle, toError } from './errors.js';
import { native } from './native.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { withProgress } from './progress.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./native.js').CallTarget} CallTarget */
/** @typedef {{ signal?: AbortSignal, timeout?: number }} CallControl timeout in milliseconds */
/** @typedef {(done: number, total: number) => void} Listener */

let lastToken = 0;
/** @returns {number} by which the addon knows a call that may be cancelled */
export const newToken = () => ++lastToken;

/** Whatever Object.prototype was given. @param {any} options @param {string} name @returns {any} */
const own = (options, name) => (Object.hasOwn(options, name) ? options[name] : undefined);

/** @param {any} options @returns {boolean} whether they ask for an early end */
export const isControlled = (options) =>
  options !== undefined && options !== null && (own(options, 'signal') !== undefined || own(options, 'timeout') !== undefined);

/** @param {AbortSignal} signal */
export const aborted = (signal) => new StorageError('HYPHA_ABORTED', 'the operation was aborted', { cause: signal.reason });

/**
 * What to call when each signal fires. One listener a signal, however many calls share it: Node warns of more than ten.
 * @type {WeakMap<AbortSignal, Set<() => void>>}
 */
const watched = new WeakMap();

/** Fails when the signal has fired. @param {AbortSignal | undefined} signal */
export function checkSignal(signal) {
  if (signal?.aborted) throw aborted(signal);
}

/**
 * @param {AbortSignal} signal
 * @param {() => void} callback is called soon if it has fired already
 * @returns {() => void} takes it back
 */
export function onAbort(signal, callback) {
  if (signal.aborted) {
    queueMicrotask(callback);
    return () => {};
  }
  let callbacks = watched.get(signal);
  if (callbacks === undefined) {
    const all = new Set([callback]);
    watched.set(signal, all);
    signal.addEventListener('abort', () => [...all].forEach((each) => each()), { once: true });
    callbacks = all;
  }
  callbacks.add(callback);
  return () => callbacks.delete(callback);
}

const timedOut = () => new StorageError('HYPHA_TIMEOUT', 'the operation took longer than its timeout');

/** One call's signal and timeout, counted from its making. */
export class Control {
  #endsAt;

  /**
   * @param {CallControl & { onProgress?: Listener }} given checked
   * @returns {Control | undefined} undefined when nothing is asked for; fails when the signal has fired already
   */
  static of(given) {
    return isControlled(given) || own(given, 'onProgress') !== undefined ? new Control(given) : undefined;
  }

  /** @param {CallControl & { onProgress?: Listener }} given */
  constructor(given) {
    const signal = own(given, 'signal');
    const timeout = own(given, 'timeout');
    checkSignal(signal);
    /** @type {AbortSignal | undefined} */ this.signal = signal;
    this.onProgress = own(given, 'onProgress');
    this.#endsAt = timeout === undefined ? undefined : performance.now() + timeout;
  }

  /** Why the call is to end: once it is. */
  get #why() {
    return this.signal?.aborted ? aborted(this.signal) : timedOut();
  }

  /** Calls back when the signal fires and when the time is up. @param {() => void} callback @returns {() => void} takes it back */
  onEnd(callback) {
    const unwatch = this.signal && onAbort(this.signal, callback);
    const late = () => {
      this.#endsAt = -Infinity; // a timer may come a little early
      callback();
    };
    const timer = this.#endsAt === undefined ? undefined : setTimeout(late, Math.max(0, this.#endsAt - performance.now()));
    return () => {
      clearTimeout(timer);
      unwatch?.();
    };
  }

  /** Fails when the call is to end already. @returns {number} milliseconds left, 0 for no limit */
  get timeLeft() {
    checkSignal(this.signal);
    if (this.#endsAt === undefined) return 0;
    const left = this.#endsAt - performance.now();
    if (left <= 0) throw timedOut();
    return Math.ceil(left);
  }

  /** Fails when the call is to end already. */
  check() {
    return this.timeLeft;
  }

  /** What is left, for a call inside this one. Fails when it is to end already. @returns {CallControl} */
  get rest() {
    const { signal, timeLeft } = this;
    return { signal, timeout: timeLeft === 0 ? undefined : timeLeft };
  }

  /**
   * Stops waiting for `promise` when the signal fires or the time is up. For what changes nothing: a write may have
   * happened all the same.
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  race(promise) {
    return new Promise((resolve, reject) => {
      let forget = () => {};
      const stop = () => {
        forget();
        reject(this.#why);
      };
      promise.then(resolve, reject).then(() => forget());
      forget = this.onEnd(stop);
    });
  }
}

/** Of a call that takes nothing else. @param {CallControl | undefined} options @returns {Control | undefined} */
export const controlOf = (options) => Control.of(readOptions(options, METHOD_OPTIONS.control));

/**
 * As race(), where a call may have no control.
 * @template T
 * @param {Control | undefined} control
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export const within = (control, promise) => (control === undefined ? promise : control.race(promise));

/**
 * Runs work of the addon that ends early when its token is cancelled. That is done when `control` says so, which is then
 * the error, and when `stop` fires, as the store is closed: HYPHA_CLOSED.
 * @template T
 * @param {(token: number) => Promise<T>} begin
 * @param {{ control?: Control, stop?: AbortSignal, token?: number, cancel?: (token: number) => void, explain?: (failure: unknown) => unknown }} how
 *   `explain` makes the error that users see of one of the addon's
 * @returns {Promise<T>}
 */
export async function cancellable(begin, { control, stop, token = newToken(), cancel = native.cancel, explain = toError }) {
  control?.check();
  if (stop?.aborted) throw closed();
  const call = () => cancel(token);
  const unwatch = [control?.onEnd(call), stop && onAbort(stop, call)];
  try {
    return await begin(token);
  } catch (failure) {
    const error = explain(failure);
    if (/** @type {StorageError | undefined} */ (error)?.code !== 'HYPHA_ABORTED') throw error; // a listener may have thrown anything
    control?.check();
    throw stop?.aborted ? closed('the store was closed meanwhile') : error;
  } finally {
    for (const each of unwatch) each?.();
  }
}

/**
 * Makes a call of the addon that ends with HYPHA_ABORTED when the signal fires and with HYPHA_TIMEOUT when its time is
 * up: a read and the making of an index at any moment, any other write only while it has not begun.
 * @template T
 * @param {NativeStore} store
 * @param {number} transaction
 * @param {Control | undefined} control
 * @param {(target: CallTarget) => Promise<T>} start
 * @returns {Promise<T>}
 */
export async function controlled(store, transaction, control, start) {
  if (control === undefined) return settle(start(transaction));
  const { signal, timeLeft, onProgress } = control;
  if (signal === undefined && onProgress === undefined) return settle(start([transaction, timeLeft, 0]));
  const begin = (/** @type {number} */ token) => withProgress(token, onProgress, () => start([transaction, timeLeft, token]));
  return cancellable(begin, { control, cancel: (token) => store.cancel(token) });
}
