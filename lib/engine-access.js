// The engine as operations on the whole store see it: past the queue of writes, and past transactions.

import { Control, controlled } from './control.js';
import { settle } from './errors.js';
import { native } from './native.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */

export class EngineAccess {
  /** @type {NativeStore} */ #native;
  #control;

  /** @param {NativeStore} store @param {Control} [control] of the call that needs it, for each of its steps */
  constructor(store, control) {
    this.#native = store;
    this.#control = control;
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
    const given = this.#control?.rest;
    const control = kind === 'storage' ? this.#control : new Control({ ...given, timeout: given?.timeout ?? WHOLE_FILE_MS });
    return JSON.parse(await controlled(this.#native, 0, control, (target) => this.#native.read(target, kind, ...args)));
  }

  /**
   * Work on the whole file, between two commits. What has begun goes on to its end.
   * @param {string} what one of native.maintenances
   * @returns {Promise<any>} what it came to
   */
  async maintain(what) {
    const number = native.maintenances.indexOf(what);
    return JSON.parse(await controlled(this.#native, 0, this.#control, (target) => this.#native.maintain(target, number)));
  }

  /** @param {number} connection -1 for the writer, else a reader's number @param {number} timeout @returns {Promise<void>} */
  async ping(connection, timeout) {
    return settle(this.#native.ping(connection, timeout));
  }
}

/** What reads every page of a large file takes its time, and no query's timeout is meant for it. */
const WHOLE_FILE_MS = 24 * 60 * 60 * 1000;
