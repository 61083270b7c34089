// How the data methods reach an engine inside a transaction: the methods of StoreSession.

import { controlled } from './control.js';
import { StorageError, closed, settle } from './errors.js';
import { OpList } from './op-list.js';
import { spread } from './write-queue.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./op-list.js').Op} Op */
/** @typedef {import('./control.js').ReadControl} ReadControl */

export class TransactionSession {
  /** @type {StoreSession} */ #store;
  /** @type {NativeStore} */ #native;
  /** @type {number} */ #id;
  #ended = false;

  /** @param {StoreSession} store @param {NativeStore} handle @param {number} id */
  constructor(store, handle, id) {
    this.#store = store;
    this.#native = handle;
    this.#id = id;
    this.limits = store.limits;
  }

  get id() {
    return this.#id;
  }

  #check() {
    if (this.#store.isClosed) throw closed();
    if (this.#ended) throw new StorageError('HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
  }

  /** @param {string} ns @param {string} key @returns {Promise<string | undefined>} */
  async valueText(ns, key) {
    return (await this.read('entry', ns, key))?.[0];
  }

  /** @param {string} ns @param {string} key @returns {Promise<true | undefined>} */
  async isPresent(ns, key) {
    return (await this.read('entry', ns, key)) === undefined ? undefined : true;
  }

  /**
   * @template T
   * @param {string} _ns
   * @param {string} _key
   * @param {unknown} _inline
   * @param {(store: Pick<NativeStore, 'read'>) => Promise<T>} elsewhere
   * @returns {Promise<T>}
   */
  readPoint(_ns, _key, _inline, elsewhere) {
    this.#check();
    const inTransaction = { read: (/** @type {unknown} */ _, /** @type {string} */ kind, /** @type {unknown[]} */ ...args) => this.#native.read(this.#id, kind, ...args) };
    return settle(elsewhere(inTransaction));
  }

  /** @param {string} ns @param {string[]} keys @returns {Promise<[chunks: (string | number)[], present: string]>} */
  async readMany(ns, keys) {
    return this.read('many', ns, keys);
  }

  /** @param {string} kind @param {unknown[]} args @returns {Promise<any>} */
  async read(kind, ...args) {
    return this.readControlled(undefined, kind, ...args);
  }

  /** @param {ReadControl | undefined} control @param {string} kind @param {unknown[]} args @returns {Promise<any>} */
  async readControlled(control, kind, ...args) {
    this.#check();
    return controlled(this.#native, this.#id, control, kind, args);
  }

  nextTurn() {
    return this.#store.nextTurn();
  }

  /** @template T @param {string} name @param {() => Promise<T>} work @returns {Promise<T>} */
  inOrder(name, work) {
    return this.#store.inOrder(`${this.#id}\0${name}`, work);
  }

  /** @param {Op} op @returns {Promise<number>} */
  async write(op) {
    const list = new OpList();
    list.push(op);
    const [result] = await this.writeAll(list, false);
    if (typeof result !== 'number') throw result;
    return result;
  }

  /** @param {OpList} ops @param {boolean} atomic @returns {Promise<(number | Error)[]>} */
  async writeAll(ops, atomic) {
    this.#check();
    if (ops.length === 0) return [];
    return spread(await settle(Promise.resolve(ops.send(this.#native, this.#id, 0, atomic, false))), ops.length);
  }

  /** @param {boolean} commit @returns {Promise<void>} */
  async end(commit) {
    this.#check();
    this.#ended = true;
    try {
      await this.#store.end(this.#id, commit);
    } catch (error) {
      // Past its deadline it stays "timed out" for every later use.
      if (/** @type {StorageError} */ (error).code === 'HYPHA_TRANSACTION_TIMEOUT') this.#ended = false;
      throw error;
    }
  }
}
