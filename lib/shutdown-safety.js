// Closing every store when the process is told to end by a signal. Opt-in: a library has no business with signals
// unless it is asked.

import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

import { StorageError, invalidArgument } from './errors.js';
import { liveStores } from './live-stores.js';
import { SHUTDOWN_OPTIONS, readOptionsWithDefaults } from './options.js';

/** @typedef {{ signals?: NodeJS.Signals[], timeout?: number }} ShutdownOptions */

/**
 * On one of the signals it closes the stores of this thread, which sends what their buffers hold, and then lets the
 * process end as it would have ended: by that signal, unless the program has a listener of its own for it, which is
 * then the one to decide. A second signal meanwhile ends the process at once, unless the program listens to it; one that
 * comes later, where the program went on, begins anew. Stores of workers are not closed; what they acknowledged is safe in any case.
 */
export class ShutdownSafety {
  /** @type {ShutdownSafety | undefined} */ static #installed;

  /** @type {NodeJS.Signals[]} */ #signals;
  #timeout;
  #closing = false;

  /** @param {NodeJS.Signals[]} signals @param {number} timeout */
  constructor(signals, timeout) {
    this.#signals = signals;
    this.#timeout = timeout;
  }

  /**
   * Starts listening; again with the same options it does nothing.
   * @param {ShutdownOptions} [options] signals: default SIGINT, SIGTERM and SIGHUP; timeout: milliseconds that closing may
   *   take, default 5000; then the process ends all the same
   * @returns {ShutdownSafety} HYPHA_OPTIONS_CONFLICT when it is installed with other options
   */
  static install(options) {
    const { signals, timeout } = readOptionsWithDefaults(options, SHUTDOWN_OPTIONS);
    if (!isMainThread) throw invalidArgument('ShutdownSafety', 'installed on the main thread, the only one that gets signals');
    const wanted = new ShutdownSafety([...new Set(signals)].sort(), timeout);
    const installed = ShutdownSafety.#installed;
    if (installed === undefined) return wanted.#listen();
    const same = installed.#timeout === timeout && installed.#signals.join() === wanted.#signals.join();
    if (!same) throw new StorageError('HYPHA_OPTIONS_CONFLICT', 'ShutdownSafety is installed with other options; uninstall() first');
    return installed;
  }

  #listen() {
    ShutdownSafety.#installed = this;
    // In front: a listener of the program's that runs only once is still there to be counted.
    for (const signal of this.#signals) process.prependListener(signal, this.#onSignal);
    return this;
  }

  /** Stops listening. May be called again. */
  uninstall() {
    for (const signal of this.#signals) process.off(signal, this.#onSignal);
    if (ShutdownSafety.#installed === this) ShutdownSafety.#installed = undefined;
  }

  #onSignal = (/** @type {NodeJS.Signals} */ signal) => {
    const isOurs = process.listenerCount(signal) === 1;
    if (this.#closing) return this.#end(signal, isOurs);
    this.#closing = true;
    this.#closeAll().then(() => {
      this.#closing = false; // a program that goes on may open others
      this.#end(signal, isOurs);
    });
  };

  /** Never rejects: a store that cannot be closed does not keep the process from ending. */
  async #closeAll() {
    const closed = Promise.allSettled(liveStores().map((store) => store.close()));
    const stop = new AbortController();
    const late = delay(this.#timeout, undefined, { signal: stop.signal }).catch(() => {}); // aborted: closed in time
    await Promise.race([closed, late]);
    stop.abort();
  }

  /** @param {NodeJS.Signals} signal @param {boolean} isOurs nobody else listens to it */
  #end(signal, isOurs) {
    if (!isOurs) return;
    this.uninstall();
    process.kill(process.pid, signal);
  }
}
