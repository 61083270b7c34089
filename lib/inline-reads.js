// Reads of one key on the calling thread: as many a turn of the event loop as it has time for, the others in a later one.

import { settle, toError } from './errors.js';
import { native } from './native.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./turn.js').Turn} Turn */
/** @typedef {import('./closing.js').Closing} Closing */

export class InlineReads {
  /** @type {NativeStore} */ #native;
  /** @type {Turn} */ #turn;
  /** @type {Closing} */ #closing;
  /** @type {(() => boolean)[]} reads that wait for a turn with time; false: not in this one */ #later = [];

  /** @param {NativeStore} store @param {Turn} turn @param {Closing} closing */
  constructor(store, turn, closing) {
    this.#native = store;
    this.#turn = turn;
    this.#closing = closing;
  }

  /**
   * @template T
   * @param {(store: NativeStore) => T | number} inline
   * @param {(store: NativeStore) => Promise<T>} elsewhere where this thread would have to wait
   * @returns {T | Promise<T>}
   */
  run(inline, elsewhere) {
    this.#turn.touch();
    if (this.#later.length > 0) return this.#runLater(inline, elsewhere);
    const answer = inline(this.#native);
    if (typeof answer !== 'number') return answer;
    if (answer === native.YIELD) return this.#runLater(inline, elsewhere);
    return this.#closing.during(settle(elsewhere(this.#native)));
  }

  /**
   * For who has chosen to hold the loop.
   * @template T
   * @param {(store: NativeStore) => T | number} inline
   * @returns {T | number} ELSEWHERE where this thread would have to wait
   */
  runSync(inline) {
    this.#turn.touch();
    const answer = inline(this.#native);
    if (answer !== native.YIELD) return answer;
    this.#native.endTurn();
    return inline(this.#native);
  }

  /**
   * Waits for a turn with time for this read. Reads that wait are run in order, as many a turn as it has time for.
   * @template T
   * @param {(store: NativeStore) => T | number} inline
   * @param {(store: NativeStore) => Promise<T>} elsewhere
   * @returns {Promise<T>}
   */
  #runLater(inline, elsewhere) {
    if (this.#later.length === 0) this.#turn.next().then(this.#runWaiting);
    return this.#closing.during(
      new Promise((resolve, reject) => {
        this.#later.push(() => {
          try {
            const answer = inline(this.#native);
            if (answer === native.YIELD) return false;
            if (typeof answer === 'number') settle(elsewhere(this.#native)).then(resolve, reject);
            else resolve(answer);
          } catch (failure) {
            reject(toError(failure)); // the reads behind it have their turn all the same
          }
          return true;
        });
      }),
    );
  }

  #runWaiting = () => {
    this.#turn.touch();
    let done = 0;
    while (done < this.#later.length && this.#later[done]()) done++;
    this.#later.splice(0, done);
    if (this.#later.length > 0) this.#turn.next().then(this.#runWaiting);
  };
}
