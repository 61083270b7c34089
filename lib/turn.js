// One turn of the event loop: work done on this thread is bounded per turn, since awaiting promises that are already
// resolved never leaves the turn by itself.

import { performance } from 'node:perf_hooks';
import { setImmediate as nextTick } from 'node:timers';

/** After this many milliseconds of inline work the rest waits for the next turn. */
const BUDGET = 1;

export class Turn {
  /** @type {() => void} */ #onEnd;
  /** @type {Promise<void> | undefined} */ #ended;
  #open = false;
  #startedAt = 0;

  /** @param {() => void} onEnd */
  constructor(onEnd) {
    this.#onEnd = onEnd;
  }

  /** Marks that something was done in this turn, so that its end will be seen. */
  touch() {
    if (this.#open) return;
    this.#open = true;
    this.#startedAt = performance.now();
    nextTick(this.#end);
  }

  /** @returns {boolean} whether more may be done inline in this turn */
  hasTime() {
    return !this.#open || performance.now() - this.#startedAt < BUDGET;
  }

  /** @returns {Promise<void>} settled in a later turn */
  next() {
    this.touch();
    this.#ended ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#ended;
  }

  /** @type {(() => void) | undefined} */ #resolve;

  #end = () => {
    this.#open = false;
    this.#onEnd();
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#ended = undefined;
    resolve?.();
  };
}
