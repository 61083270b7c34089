// Lines of work by name, where each waits for the one before.

import { within } from './control.js';
import { settle } from './errors.js';

/** @typedef {import('./control.js').Control} Control */
/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./errors.js').StorageError} StorageError */

export class Lines {
  /** @type {NativeStore} */ #native;
  /** @type {{ isClosed: boolean }} */ #owner;
  /** @type {Map<string, Promise<void>>} the last of each line of this store */ #last = new Map();
  #lastTicket = 0;

  /** @param {NativeStore} store @param {{ isClosed: boolean }} owner */
  constructor(store, owner) {
    this.#native = store;
    this.#owner = owner;
  }

  /**
   * Runs `work` after all earlier ones of the same name, of every store of the file in this process.
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} work
   * @param {Control} [control] may end the wait
   * @returns {Promise<T>}
   */
  inOrder(name, work, control) {
    return this.inOwnOrder(name, () => this.#inSharedOrder(name, work, control), control);
  }

  /**
   * The same among those of this store.
   * @template T
   * @param {string} name
   * @param {() => Promise<T>} work
   * @param {Control} [control] may end the wait
   * @returns {Promise<T>}
   */
  async inOwnOrder(name, work, control) {
    const before = this.#last.get(name) ?? Promise.resolve();
    const mine = before.then(() => {
      control?.check();
      return work();
    });
    const settled = mine.then(() => {}, () => {}); // the caller has the failure; the next in line only waits
    this.#last.set(name, settled);
    settled.then(() => {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    });
    await control?.race(before); // then `mine` finds the same, and does nothing
    return mine;
  }

  /**
   * Takes the last place of a line of the file, in this very call.
   * @param {string} name
   * @returns {{ turn: Promise<void> | undefined, leave: () => void }} turn: undefined when it has come; rejects with
   *   HYPHA_CLOSED when close() leaves the line. Whoever entered leaves
   */
  enter(name) {
    const ticket = ++this.#lastTicket;
    const turn = this.#native.enterLine(name, ticket);
    const leave = () => {
      if (!this.#owner.isClosed) this.#native.leaveLine(name, ticket); // close() has left all lines
    };
    return { turn: turn && settle(turn), leave };
  }

  /** @param {Promise<void>} turn @param {Control | undefined} control */
  async #itsTurn(turn, control) {
    try {
      await within(control, turn);
    } catch (error) {
      // close() leaves the line in the middle of the wait: without it the work may only have to be done again.
      if (/** @type {StorageError} */ (error).code !== 'HYPHA_CLOSED') throw error;
    }
  }

  /** @template T @param {string} name @param {() => Promise<T>} work @param {Control | undefined} control @returns {Promise<T>} */
  async #inSharedOrder(name, work, control) {
    if (this.#owner.isClosed) return work(); // it was issued before; the lines of the file are left
    const { turn, leave } = this.enter(name);
    try {
      if (turn !== undefined) await this.#itsTurn(turn, control);
      return await work();
    } finally {
      leave();
    }
  }
}
