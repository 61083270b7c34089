// The engine as operations on the whole store see it: past the queue of writes, and past transactions.

import { Control, controlled } from './control.js';
import { settle } from './errors.js';
import { native } from './native.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */

export class EngineAccess {
  /** @type {NativeStore} */ #native;

  /** @param {NativeStore} store */
  constructor(store) {
    this.#native = store;
  }

  /** @returns {any} what the engine has counted and measured; addon/engine/exec/stats_json.h describes it */
  stats() {
    return JSON.parse(this.#native.stats());
  }

  /**
   * A read of the state of things, which waits for no write.
   * @param {'diagnose' | 'storage' | 'integrity'} kind
   * @param {unknown[]} args
   * @returns {Promise<any>}
   */
  async inspect(kind, ...args) {
    const control = kind === 'storage' ? undefined : new Control({ timeout: WHOLE_FILE_MS });
    return JSON.parse(await controlled(this.#native, 0, control, (target) => this.#native.read(target, kind, ...args)));
  }

  /**
   * Work on the whole file, between two commits.
   * @param {string} what one of native.maintenances
   * @returns {Promise<any>} what it came to
   */
  async maintain(what) {
    return JSON.parse(await settle(this.#native.maintain(native.maintenances.indexOf(what))));
  }

  /** @param {number} connection -1 for the writer, else a reader's number @param {number} timeout @returns {Promise<void>} */
  async ping(connection, timeout) {
    return settle(this.#native.ping(connection, timeout));
  }
}

/** What reads every page of a large file takes its time, and no query's timeout is meant for it. */
const WHOLE_FILE_MS = 24 * 60 * 60 * 1000;
