// How the data methods reach an engine inside a transaction: the methods of StoreSession. While nobody else has the writer,
// what the transaction does runs on this thread.

import { StorageError, settle } from './errors.js';
import { KIND } from './op-list.js';
import { DEFAULT_NAMESPACE } from './scope.js';
import { ViewSession } from './snapshot-session.js';
import { WriteQueue } from './write-queue.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./native.js').RawEntry} RawEntry */
/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./op-list.js').Op} Op */
/** @typedef {import('./op-list.js').OpList} OpList */
/** @typedef {import('./options.js').Durability} Durability */
/** @typedef {import('./turn.js').Turn} Turn */
/** @typedef {import('./control.js').Control} Control */

/** Rolls back a transaction that nobody can end any more. @type {FinalizationRegistry<{ handle: NativeStore, id: number }>} */
const abandoned = new FinalizationRegistry(({ handle, id }) => {
  try {
    // A failure says that it is over already: by its deadline, or with its store.
    Promise.resolve(handle.end(id, false, false)).catch(() => {});
  } catch {
    // The same, of a closed store.
  }
});

export class TransactionSession extends ViewSession {
  /** @type {Turn} */ #turn;
  /** @type {WriteQueue} */ #queue;
  /** @type {TransactionSession | undefined} */ #outer;

  /**
   * @param {StoreSession} store @param {NativeStore} handle @param {Turn} turn @param {number} id
   * @param {Durability} durability of its commit
   * @param {TransactionSession} [outer] of a nested one
   */
  constructor(store, handle, turn, id, durability, outer) {
    super(store, handle, id);
    this.durability = durability;
    this.#turn = turn;
    this.#outer = outer;
    this.#queue = outer === undefined ? new WriteQueue(handle, turn, { transaction: id, explain: (failure) => this.explain(failure) }) : outer.#queue;
    if (outer === undefined) abandoned.register(this, { handle, id }, this);
  }

  /** @override */
  check() {
    super.check();
    this.#outer?.check();
  }

  /** Runs `body` between a savepoint and its end. @template T @param {(session: TransactionSession) => T} body @returns {Promise<Awaited<T>>} */
  async nest(body) {
    const inner = new TransactionSession(this.store, this.native, this.#turn, this.id, this.durability, this);
    await this.write({ kind: KIND.savepoint, ns: DEFAULT_NAMESPACE });
    let result;
    try {
      result = await body(inner);
    } catch (error) {
      inner.ended = true;
      await this.write({ kind: KIND.rollbackTo, ns: DEFAULT_NAMESPACE }).catch(() => {}); // the body's own error is the one to tell
      throw error;
    }
    inner.ended = true;
    await this.write({ kind: KIND.release, ns: DEFAULT_NAMESPACE });
    return result;
  }

  /** @override @param {string} ns @param {string} key @returns {RawEntry | undefined | Promise<RawEntry | undefined>} */
  entry(ns, key) {
    this.check();
    this.#queue.flush();
    if (this.#turn.hasTime()) {
      const entry = this.#entryInline(ns, key);
      if (typeof entry !== 'number') return entry;
    }
    return settle(this.native.read(this.id, 'entry', ns, key));
  }

  /** @override @param {string} ns @param {string} key @returns {RawEntry | undefined} */
  entrySync(ns, key) {
    this.check();
    this.#queue.flush();
    const entry = this.#entryInline(ns, key);
    return typeof entry === 'number' ? super.entrySync(ns, key) : entry;
  }

  /** @param {string} ns @param {string} key @returns {RawEntry | undefined | number} a number: not on this thread */
  #entryInline(ns, key) {
    this.#turn.touch();
    try {
      return this.native.entryInline(this.id, ns, key);
    } catch (failure) {
      throw this.explain(failure);
    }
  }

  /** @override @param {Control | undefined} control @param {string} kind @param {unknown[]} args @returns {Promise<any>} */
  async readControlled(control, kind, ...args) {
    this.check();
    this.#queue.flush();
    return super.readControlled(control, kind, ...args);
  }

  /** @template T @param {string} name @param {() => Promise<T>} work @param {Control} [control] @returns {Promise<T>} */
  inOrder(name, work, control) {
    return this.store.lines.inOwnOrder(`${this.id}\0${name}`, work, control);
  }

  /** @param {Op} op @param {Durability} [_durability] @param {Control} [control] @returns {Promise<import('./write-queue.js').Written>} */
  write(op, _durability, control) {
    this.check();
    return control === undefined ? this.#queue.add(op, 0) : this.#queue.addAlone(op, 0, control);
  }

  /** @param {Op} op @param {Durability | undefined} durability @param {Control | undefined} control @returns {Promise<import('./write-queue.js').Written>} */
  writeOfUpdate(op, durability, control) {
    return this.write(op, durability, control);
  }

  /** @param {OpList} ops @param {boolean} atomic @param {Durability} [_durability] @param {Control} [control] @returns {Promise<import('./write-queue.js').Results>} */
  async writeAll(ops, atomic, _durability, control) {
    this.check();
    return this.#queue.addAll(ops, 0, atomic, control);
  }

  /** @param {boolean} commit @returns {Promise<void>} */
  async end(commit) {
    this.check();
    if (this.#outer !== undefined) throw new StorageError('HYPHA_NESTED', 'a nested transaction ends with its body');
    this.#queue.flush();
    this.ended = true;
    try {
      await this.store.end(this.id, commit);
      abandoned.unregister(this);
    } catch (failure) {
      const error = /** @type {StorageError} */ (this.explain(failure));
      // Past its deadline it stays "timed out" for every later use.
      if (error.code === 'HYPHA_TRANSACTION_TIMEOUT') this.ended = false;
      throw error;
    }
  }
}
