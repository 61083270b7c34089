// The end of a session: what close() waits for, and what it does not.

import { clearTimeout, setImmediate, setTimeout } from 'node:timers';

import { onAbort } from './control.js';
import { closed } from './errors.js';

export class Closing {
  #running = 0; // reads and updates that were begun; not a Set of them, see Batch.release()
  /** @type {(() => void) | undefined} */ #onNone;
  #stop = new AbortController(); // fires when close() begins
  #over = new AbortController(); // fires when it has ended
  #gaveUp = false; // nothing is waited for any more
  begun = false;

  /** @returns {AbortSignal} fires when close() begins */
  get signal() {
    return this.#stop.signal;
  }

  begin() {
    this.begun = true;
    this.#stop.abort();
  }

  /** Nothing more will come from the engine. */
  over() {
    this.#over.abort();
  }

  /** Fails where close() does not wait for updates any more. */
  checkWaits() {
    if (this.#gaveUp) throw closed();
  }

  /**
   * Lets close() wait for it.
   * @template T
   * @param {Promise<T>} promise
   * @returns {Promise<T>}
   */
  during(promise) {
    this.#running++;
    const done = () => {
      if (--this.#running === 0) this.#onNone?.();
    };
    promise.then(done, done);
    return promise;
  }

  /** Settled once nothing runs. @param {number} patience milliseconds that updates have: others who write the same keys could keep them for long */
  async ended(patience) {
    const timer = setTimeout(() => {
      this.#gaveUp = true;
    }, patience);
    while (this.#running > 0) {
      await new Promise((/** @type {(value?: unknown) => void} */ resolve) => {
        this.#onNone = resolve;
      });
    }
    clearTimeout(timer);
    this.#gaveUp = true;
  }

  /**
   * Waits for what a user's function promised that close() waits for: once it has begun, no longer than a turn of the event
   * loop.
   * @template T
   * @param {Promise<T>} promise
   * @param {() => Promise<void>} nextTurn
   * @returns {Promise<T>}
   */
  unlessBegun(promise, nextTurn) {
    return unlessFired(promise, this.#stop.signal, nextTurn);
  }

  /**
   * The same for one that close() does not wait for: once it is over, and whatever was asked of the store is answered.
   * @template T @param {Promise<T>} promise @returns {Promise<T>}
   */
  unlessOver(promise) {
    return unlessFired(promise, this.#over.signal, () => new Promise((resolve) => {
      setImmediate(resolve);
    }));
  }
}

/**
 * Nobody knows whether what a user's function promised ever comes: fails with HYPHA_CLOSED when it is not there `later`
 * than the signal.
 * @template T
 * @param {Promise<T>} promise
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} later
 * @returns {Promise<T>}
 */
function unlessFired(promise, signal, later) {
  return new Promise((resolve, reject) => {
    const giveUp = () => later().then(() => reject(closed()));
    /** @type {(() => void) | undefined} */
    let unwatch;
    if (signal.aborted) giveUp();
    else unwatch = onAbort(signal, giveUp);
    promise.then(resolve, reject).finally(unwatch);
  });
}
