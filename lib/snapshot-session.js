// How the data methods reach an engine in a snapshot: the methods of StoreSession, without those that write.

import { controlled, within } from './control.js';
import { StorageError, closed, settle, toError } from './errors.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./native.js').RawEntry} RawEntry */
/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./turn.js').Turn} Turn */
/** @typedef {import('./control.js').Control} Control */
/**
 * @typedef {object} IteratorView
 * @property {ViewSession} session
 * @property {boolean} renews whether another may take its place once it is too old
 * @property {() => Promise<void>} release
 */

/** What a transaction and a snapshot have in common: reads that go to one number of the engine's. */
export class ViewSession {
  /** @type {StoreSession} */ store;
  /** @type {NativeStore} */ native;
  /** Unique in the process. @type {number} */ id;
  ended = false;

  /** @param {StoreSession} store @param {NativeStore} handle @param {number} id */
  constructor(store, handle, id) {
    this.store = store;
    this.native = handle;
    this.id = id;
    this.limits = store.limits;
  }

  check() {
    if (this.store.isClosed) throw closed();
    if (this.ended) throw new StorageError('HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
  }

  /**
   * An error of the addon as users see it. Whatever reaches the engine after close() has rolled it back was asked of something
   * that has been closed, not of nothing.
   * @param {unknown} failure
   * @returns {unknown}
   */
  explain(failure) {
    const error = toError(failure);
    return this.store.isClosed && /** @type {StorageError} */ (error)?.code === 'HYPHA_TRANSACTION_INVALID' ? closed() : error;
  }

  /**
   * @param {string} ns
   * @param {string} key
   * @returns {RawEntry | undefined | Promise<RawEntry | undefined>}
   */
  entry(ns, key) {
    return this.read('entry', ns, key);
  }

  /** @param {string} ns @param {string} key @returns {RawEntry | undefined} */
  entrySync(ns, key) {
    this.check();
    try {
      return this.native.readSync(this.id, 'entry', ns, key);
    } catch (failure) {
      throw this.explain(failure);
    }
  }

  /** @param {string} ns @param {string} key @returns {string | undefined | Promise<string | undefined>} */
  valueText(ns, key) {
    const entry = this.entry(ns, key);
    return entry instanceof Promise ? entry.then((found) => found?.[0]) : entry?.[0];
  }

  /** @param {string} ns @param {string} key @returns {true | undefined | Promise<true | undefined>} */
  isPresent(ns, key) {
    const entry = this.entry(ns, key);
    if (entry instanceof Promise) return entry.then((found) => (found === undefined ? undefined : true));
    return entry === undefined ? undefined : true;
  }

  /** @param {string} ns @param {string} key @returns {string | undefined} */
  valueTextSync(ns, key) {
    return this.entrySync(ns, key)?.[0];
  }

  /** @param {string} ns @param {string} key @returns {boolean} */
  isPresentSync(ns, key) {
    return this.entrySync(ns, key) !== undefined;
  }

  /**
   * @template T
   * @param {string} ns
   * @param {string} key
   * @param {unknown} _inline
   * @param {(store: Pick<NativeStore, 'read'>) => Promise<T>} elsewhere reads this entry
   * @returns {Promise<T>}
   */
  readPoint(ns, key, _inline, elsewhere) {
    return elsewhere({ read: async () => this.entry(ns, key) });
  }

  /** @param {string} ns @param {string[]} keys @returns {Promise<[chunks: (string | number)[], present: string]>} */
  async readMany(ns, keys) {
    return this.read('many', ns, keys);
  }

  /** The steps of an update(), see StoreSession. @param {string} ns @param {string} key @returns {Promise<RawEntry | undefined>} */
  async entryForUpdate(ns, key) {
    return this.entry(ns, key);
  }

  /** @template T @param {Promise<T>} promise @returns {Promise<T>} */
  untilClose(promise) {
    return this.store.untilClose(promise);
  }

  /** @param {string} kind @param {unknown[]} args @returns {Promise<any>} */
  async read(kind, ...args) {
    return this.readControlled(undefined, kind, ...args);
  }

  /** @param {Control | undefined} control @param {string} kind @param {unknown[]} args @returns {Promise<any>} */
  async readControlled(control, kind, ...args) {
    this.check();
    try {
      return await within(control, controlled(this.native, this.id, control, (target) => this.native.read(target, kind, ...args)));
    } catch (failure) {
      throw this.explain(failure);
    }
  }

  nextTurn() {
    return this.store.nextTurn();
  }

  /** What an iterator reads from: this. @returns {Promise<IteratorView>} */
  async openView() {
    this.check();
    return { session: this, renews: false, release: async () => {} };
  }
}

/** What those hear who use one that ended by itself. */
const ENDED_BY_ITSELF = new Set(['HYPHA_SNAPSHOT_EXPIRED', 'HYPHA_TRANSACTION_TIMEOUT']);

export class SnapshotSession extends ViewSession {
  /** @returns {Promise<import('./write-queue.js').Written>} */
  async write() {
    this.check();
    throw new StorageError('HYPHA_READ_ONLY', 'the transaction only reads');
  }

  /** @returns {Promise<import('./write-queue.js').Written>} */
  writeOfUpdate() {
    return this.write();
  }

  /** @returns {Promise<import('./write-queue.js').Results>} */
  async writeAll() {
    await this.write();
    return [];
  }

  /** @template T @param {string} _name @param {() => Promise<T>} work @returns {Promise<T>} */
  inOrder(_name, work) {
    return work();
  }

  /** @param {boolean} [_commit] nothing was written @returns {Promise<void>} */
  async end(_commit) {
    this.check();
    this.ended = true;
    try {
      await settle(/** @type {Promise<void>} */ (this.native.end(this.id, false, false)));
    } catch (failure) {
      const error = /** @type {StorageError} */ (this.explain(failure));
      if (ENDED_BY_ITSELF.has(error.code)) this.ended = false; // every later use is told as well
      throw error;
    }
  }

  /** Ends it, if it has not ended by itself. */
  async release() {
    if (this.ended || this.store.isClosed) return;
    try {
      await this.end();
    } catch (error) {
      const { code } = /** @type {StorageError} */ (error);
      if (!ENDED_BY_ITSELF.has(code) && code !== 'HYPHA_CLOSED') throw error;
    }
  }
}
