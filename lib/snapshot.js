// A view of the store that stands still.

import { getNamespace, listIndexes, listNamespaces } from './namespace-reads.js';
import { ReadMethods } from './read-methods.js';
import { Scope } from './scope.js';
import { checkNamespace } from './validate.js';

/** @typedef {import('./snapshot-session.js').SnapshotSession} SnapshotSession */
/** @typedef {import('./namespace-reads.js').NamespaceInfo} NamespaceInfo */
/** @typedef {import('./control.js').CallControl} CallControl */

/**
 * What store.snapshot() gives to its body: the methods that read, all of one state of the store. Older than
 * limits.snapshotAge, each fails with HYPHA_SNAPSHOT_EXPIRED.
 */
export class Snapshot extends ReadMethods {
  /** @type {SnapshotSession} */ #session;

  /** @param {SnapshotSession} session */
  constructor(session) {
    super(new Scope(session));
    this.#session = session;
  }

  /** The same methods with the namespace fixed. @param {string} name @returns {ReadMethods} */
  namespace(name) {
    checkNamespace(name, this.#session.limits);
    return new ReadMethods(new Scope(this.#session, name));
  }

  /** @param {CallControl} [options] @returns {Promise<string[]>} all of them by name, 'default' included */
  async listNamespaces(options) {
    return listNamespaces(this.#session, options);
  }

  /** @param {string} name @param {CallControl} [options] @returns {Promise<NamespaceInfo | undefined>} */
  async getNamespace(name, options) {
    return getNamespace(this.#session, name, options);
  }

  /** @param {string} namespace @param {CallControl} [options] @returns {Promise<{ fields: object[], unique: boolean }[]>} */
  async listIndexes(namespace, options) {
    return listIndexes(this.#session, namespace, options);
  }
}
