// Where the data methods of an object act: a session, and perhaps one namespace of it.

import { invalidArgument } from './errors.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { checkNamespace, toArray, tooManyEntries } from './validate.js';

/** @typedef {import('./session.js').StoreSession | import('./transaction-session.js').TransactionSession | import('./snapshot-session.js').SnapshotSession} Session */

export const DEFAULT_NAMESPACE = 'default';

export class Scope {
  /** @type {string | undefined} */ #namespace;

  /**
   * @param {Session} session
   * @param {string} [namespace] the only one that calls may name
   */
  constructor(session, namespace) {
    this.session = session;
    this.#namespace = namespace;
  }

  /** Whether no namespace is fixed. */
  get isWhole() {
    return this.#namespace === undefined;
  }

  /** @param {string} [given] @returns {string} the namespace of a call */
  ns(given) {
    if (given === undefined) return this.#namespace ?? DEFAULT_NAMESPACE;
    checkNamespace(given, this.session.limits);
    if (this.#namespace !== undefined && given !== this.#namespace) {
      throw invalidArgument('options.namespace', `"${this.#namespace}" or absent here`);
    }
    return given;
  }

  /** @param {{ namespace?: string } | undefined} options @returns {string} */
  nsOf(options) {
    return options === undefined ? this.ns() : this.ns(readOptions(options, METHOD_OPTIONS.key).namespace);
  }

  /** @param {{ namespace?: string } & import('./control.js').CallControl | undefined} options of a read @returns {string} */
  nsOfRead(options) {
    return options === undefined ? this.ns() : this.ns(readOptions(options, METHOD_OPTIONS.read).namespace);
  }

  /**
   * The elements of a batch.
   * @param {unknown} list
   * @param {string} name
   */
  batch(list, name) {
    return toArray(list, name, this.session.limits.batchEntries);
  }

  /** @param {number} count */
  checkBatch(count) {
    const { batchEntries } = this.session.limits;
    if (count > batchEntries) throw tooManyEntries(batchEntries);
  }
}
