// The store: one open database file.

import { copyFrom } from './copy-from.js';
import { invalidArgument } from './errors.js';
import { NamespaceMethods } from './namespace-methods.js';
import { native } from './native.js';
import { METHOD_OPTIONS, readOptions, readOptionsWithDefaults } from './options.js';
import { Transaction } from './transaction.js';
import { WriteBuffer } from './write-buffer.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./options.js').OpenOptions} OpenOptions */
/** @typedef {import('./copy-from.js').ContractBackend} ContractBackend */

/**
 * @typedef {object} StoreStatus
 * @property {number} size entries
 * @property {number} namespaces 'default' included
 * @property {number} bytes of the database file
 * @property {number} walBytes of the write-ahead log in use
 * @property {number} schemaVersion
 * @property {string | undefined} path undefined in memory mode
 * @property {string} durability
 * @property {string} sqliteVersion
 */

/**
 * @typedef {object} Diagnosis
 * @property {{ source: string, id: number | null, namespace: string | null, key: string | null, reason: string }[]} quarantine
 *   rows of a migrated file that an entry cannot represent; migrate(path, { to: 1 }) gives them back
 * @property {string} integrity 'ok', or what SQLite's integrity check found
 * @property {{ version: number, verified: boolean, problem?: string }} schema
 */

export class Store extends NamespaceMethods {
  /** @type {StoreSession} */ #session;
  /** @type {ReturnType<typeof import('./options.js').readOpenOptions>} */ #options;
  /** @type {Promise<void> | undefined} */ #closing;

  /**
   * Use open().
   * @param {StoreSession} session
   * @param {ReturnType<typeof import('./options.js').readOpenOptions>} options
   */
  constructor(session, options) {
    super(session);
    this.#session = session;
    this.#options = options;
  }

  /**
   * Runs `body` in a transaction: commits when it returns or resolves, rolls back when it throws or rejects.
   * Inside the body use `tx`; the store itself answers HYPHA_NESTED there.
   * @template T
   * @param {(tx: Transaction) => T} body
   * @param {{ timeout?: number }} [options] milliseconds from the moment it owns the writer
   * @returns {Promise<Awaited<T>>} what the body returned
   */
  async transaction(body, options) {
    if (typeof body !== 'function') throw invalidArgument('body', 'a function');
    const session = await this.#begin(options);
    const tx = new Transaction(session);
    let result;
    try {
      result = await this.#session.runBody(() => body(tx));
    } catch (error) {
      await tx.rollback().catch(() => {}); // the body's own error is the one to tell; the engine rolls back in any case
      throw error;
    }
    await tx.commit();
    return result;
  }

  /**
   * A transaction that ends with its own commit() or rollback().
   * @param {{ timeout?: number }} [options]
   * @returns {Promise<Transaction>}
   */
  async beginTransaction(options) {
    return new Transaction(await this.#begin(options));
  }

  /** @param {{ timeout?: number } | undefined} options */
  #begin(options) {
    const given = readOptions(options, METHOD_OPTIONS.transaction);
    return this.#session.begin(given.timeout ?? this.#session.limits.transactionTimeout);
  }

  /**
   * Copies all entries of a backend with the contract's methods into this store, and checks counts and content.
   * @param {ContractBackend} backend
   * @param {{ namespaces?: string[] }} [options] default: all that it lists, and 'default'
   * @returns {Promise<{ namespaces: number, entries: number }>}
   */
  async copyFrom(backend, options) {
    return copyFrom(this, backend, readOptions(options, METHOD_OPTIONS.copyFrom));
  }

  /**
   * Gathers writes that are to share commits: see WriteBuffer.
   * @param {Partial<import('./write-buffer.js').BufferOptions>} [options] maxItems (50), maxBytes (1 MiB) and
   *   flushInterval (1000 ms after the oldest item) say when they are sent; durability is that of the store unless given
   * @returns {WriteBuffer}
   */
  buffer(options) {
    this.#session.checkUsable();
    const given = readOptionsWithDefaults(options, METHOD_OPTIONS.buffer);
    return new WriteBuffer(this, this.#session, /** @type {import('./write-buffer.js').BufferOptions} */ (/** @type {unknown} */ (given)));
  }

  /** Resolves once every write issued before has been answered. @returns {Promise<void>} */
  async flush() {
    await this.#session.flush();
  }

  /**
   * Copies the write-ahead log into the database file and empties it.
   * @returns {Promise<void>} HYPHA_BUSY when readers or another process were in the way
   */
  async checkpoint() {
    await this.#session.checkpoint();
  }

  /** @returns {Promise<StoreStatus>} */
  async status() {
    const status = JSON.parse(await this.#session.read('status'));
    const { path, mode, durability } = this.#options;
    return { ...status, path: mode === 'memory' ? undefined : path, durability, sqliteVersion: native.sqliteVersion };
  }

  /** @returns {Promise<Diagnosis>} reads the whole file */
  async diagnose() {
    return JSON.parse(await this.#session.read('diagnose'));
  }

  /** @returns {{ queue: { operations: number, bytes: number } }} */
  stats() {
    const { queuedOperations, queuedBytes } = this.#session.stats();
    return { queue: { operations: queuedOperations, bytes: queuedBytes } };
  }

  /**
   * Runs what was issued before, then closes the file; open transactions are rolled back. Every later call fails with
   * HYPHA_CLOSED. May be called again: the same promise.
   * @returns {Promise<void>}
   */
  close() {
    return (this.#closing ??= this.#session.close());
  }

  /** @returns {Promise<void>} */
  [Symbol.asyncDispose]() {
    return this.close();
  }
}
