// The data methods and those on namespaces: what a store and a transaction offer.

import { DataMethods } from './data-methods.js';
import { FLAG, KIND } from './op-list.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { parseChunks } from './results.js';
import { checkNamespace, metadataToJson } from './validate.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./session.js').TransactionSession} TransactionSession */
/** @typedef {import('./data-methods.js').NamespaceInfo} NamespaceInfo */

export class NamespaceMethods extends DataMethods {
  /** @type {StoreSession | TransactionSession} */ #session;

  /** @param {StoreSession | TransactionSession} session */
  constructor(session) {
    super(session);
    this.#session = session;
  }

  /**
   * The same data methods with the namespace fixed.
   * @param {string} name
   * @returns {DataMethods}
   */
  namespace(name) {
    checkNamespace(name, this.#session.limits);
    return new DataMethods(this.#session, name);
  }

  /**
   * Namespaces also come into being with their first entry; creating such a one makes it explicit.
   * @param {string} name fails with HYPHA_NAMESPACE_EXISTS when it was created before
   * @param {{ metadata?: object | null }} [options]
   * @returns {Promise<void>}
   */
  async createNamespace(name, options) {
    const given = readOptions(options, METHOD_OPTIONS.createNamespace);
    checkNamespace(name, this.#session.limits);
    const metadata = metadataToJson(given.metadata, this.#session.limits);
    await this.#session.write({ kind: KIND.createNamespace, ns: name, metadata });
  }

  /**
   * @param {string} name
   * @param {{ recursive?: boolean }} [options] without recursive a namespace with entries is refused
   * @returns {Promise<void>}
   */
  async deleteNamespace(name, options) {
    const given = readOptions(options, METHOD_OPTIONS.deleteNamespace);
    checkNamespace(name, this.#session.limits);
    await this.#session.write({ kind: given.recursive ? KIND.deleteNamespace | FLAG.recursive : KIND.deleteNamespace, ns: name });
  }

  /** @returns {Promise<string[]>} all of them by name, 'default' included */
  async listNamespaces() {
    return parseChunks(await this.#session.read('namespaces'), () => this.#session.nextTurn());
  }

  /**
   * @param {string} name
   * @returns {Promise<NamespaceInfo | undefined>}
   */
  async getNamespace(name) {
    checkNamespace(name, this.#session.limits);
    const raw = await this.#session.read('namespace', name);
    if (raw === undefined) return undefined;
    const [explicit, metadata, createdAt] = raw;
    return { name, explicit, metadata: metadata === undefined ? {} : JSON.parse(metadata), createdAt };
  }
}
