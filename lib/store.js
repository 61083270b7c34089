// The store: one open database file.

import { BackupSchedule } from './backup-schedule.js';
import { backup, verify } from './copies.js';
import { exportTo, importFrom } from './bundles.js';
import { copyFrom } from './copy-from.js';
import { Control, controlOf, within } from './control.js';
import { closed, invalidArgument } from './errors.js';
import { loadOnce } from './load-once.js';
import { settleFile } from './migrate.js';
import { METHOD_OPTIONS, readOptions, readOptionsWithDefaults } from './options.js';
import { runTransaction } from './run-transaction.js';
import { Snapshot } from './snapshot.js';
import { Operations, stopWatching } from './operations.js';
import { Transaction } from './transaction.js';
import { checkPath, fixedPath } from './validate.js';
import { WriteBuffer } from './write-buffer.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./options.js').OpenOptions} OpenOptions */
/** @typedef {import('./copy-from.js').ContractBackend} ContractBackend */
/** @typedef {import('./copies.js').BackupReport} BackupReport */
/** @typedef {import('./control.js').CallControl} CallControl */
/**
 * @typedef {object} TransactionOptions
 * @property {number} [timeout] milliseconds from the moment it owns the writer; default limits.transactionTimeout
 * @property {boolean} [readOnly] reads from a snapshot, and waits only for what this store wrote before; at most as old
 *   as limits.snapshotAge
 * @property {AbortSignal} [signal] ends the wait for the writer, and rolls back
 * @property {import('./options.js').Durability} [durability] of its commit; default that of the store. None where it only reads
 */

/**
 * @typedef {object} Verification
 * @property {boolean} ok
 * @property {{ kind: 'structure' | 'schema' | 'count' | 'namespace' | 'value' | 'checksum', message: string, namespace?: string, key?: string }[]} problems
 *   the first 100
 */
/** Names a method that is not part of the public interface. */
export const loadBundleOnce = Symbol('loadBundleOnce');

/** @param {unknown} options @param {import('./options.js').OptionTable} table @returns {import('./session.js').BeginOptions} */
function transactionOptions(options, table) {
  const given = readOptions(options, table);
  if (given.readOnly && given.durability !== undefined) throw invalidArgument('options.durability', 'absent in a transaction that only reads');
  return given;
}

export class Store extends Operations {
  /** @type {StoreSession} */ #session;
  /** @type {ReturnType<typeof import('./options.js').readOpenOptions>} */ #options;
  /** @type {Promise<import('./native.js').CloseReport> | undefined} */ #closing;
  /** @type {Set<BackupSchedule>} */ #schedules = new Set();

  /**
   * Use open().
   * @param {StoreSession} session
   * @param {ReturnType<typeof import('./options.js').readOpenOptions>} options
   */
  constructor(session, options) {
    super(session, options);
    this.#session = session;
    this.#options = options;
  }

  /**
   * Runs `body` in a transaction: commits when it returns or resolves, rolls back when it throws or rejects.
   * Inside the body use `tx`; the store itself answers HYPHA_NESTED there.
   * @template T
   * @param {(tx: Transaction) => T} body
   * @param {TransactionOptions & { retries?: number }} [options] retries: how often to run the body again when it failed
   *   with HYPHA_BUSY or HYPHA_CONFLICT, the doing of other processes; default 0
   * @returns {Promise<Awaited<T>>} what the body returned
   */
  async transaction(body, options) {
    if (typeof body !== 'function') throw invalidArgument('body', 'a function');
    return runTransaction(this.#session, body, transactionOptions(options, METHOD_OPTIONS.transaction));
  }

  /**
   * A transaction that ends with its own commit() or rollback().
   * @param {TransactionOptions} [options]
   * @returns {Promise<Transaction>}
   */
  async beginTransaction(options) {
    return new Transaction(await this.#session.begin(transactionOptions(options, METHOD_OPTIONS.beginTransaction)));
  }

  /**
   * Runs `body` with a view that stands still: every read of it sees the store as it was when the snapshot was taken,
   * after all that was issued before. Nobody waits for it. Past limits.snapshotAge its reads fail with
   * HYPHA_SNAPSHOT_EXPIRED; beyond limits.maxSnapshots snapshots and iterators at once there is HYPHA_BUSY; a body that
   * goes on when the store is closed is given up with HYPHA_CLOSED.
   * @template T
   * @param {(view: Snapshot) => T} body
   * @param {CallControl} [options] ends the wait for what was issued before, and for the body
   * @returns {Promise<Awaited<T>>} what the body returned
   */
  async snapshot(body, options) {
    const control = controlOf(options);
    if (typeof body !== 'function') throw invalidArgument('body', 'a function');
    const session = await this.#session.beginWhole(0, control);
    try {
      return await this.#session.untilClosed(within(control, (async () => body(new Snapshot(session)))()));
    } finally {
      await session.release();
    }
  }

  /**
   * Copies all entries of a backend with the contract's methods into this store, and checks counts and content.
   * @param {ContractBackend} backend
   * @param {{ namespaces?: string[] } & CallControl} [options] namespaces: default all that it lists, and 'default'. What
   *   was copied when it ends early stays
   * @returns {Promise<{ namespaces: number, entries: number }>}
   */
  async copyFrom(backend, options) {
    const given = readOptions(options, METHOD_OPTIONS.copyFrom);
    return copyFrom(this, backend, given, Control.of(given));
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

  /**
   * Writes all of the store, or some namespaces of it, as a bundle: a directory of JSON Lines and a manifest, or one file.
   * It is one snapshot, with every write issued before in it; it gets its name when it is complete and on the disk.
   * @param {string} path
   * @param {import('./bundles.js').ExportOptions} [options]
   * @returns {Promise<import('./bundles.js').BundleSummary>} HYPHA_EXISTS when the name is taken
   */
  async exportBundle(path, options) {
    return exportTo(this.#session, path, options);
  }

  /**
   * Reads a bundle into the store, in one transaction: all of it or nothing. Reads meanwhile see the store as it was;
   * other writes wait, and so do other imports of this process, for as long as it takes. Times and texts are those of the bundle; so are versions, unless this store has given some as
   * high. A bundle that is wrong is told with `part` and `line` of the error.
   * @param {string} path
   * @param {import('./bundles.js').ImportOptions} [options]
   * @returns {Promise<import('./bundles.js').ImportResult>}
   */
  async importBundle(path, options) {
    const { alreadyLoaded: _, ...result } = await importFrom(this.#session, path, options);
    return result;
  }

  /** For openOrLoad(). @param {string} path @param {import('./bundles.js').ImportOptions} options @param {number} [patience] as of loadOnce() */
  async [loadBundleOnce](path, options, patience) {
    await loadOnce(this.#session, path, options, patience);
  }

  /**
   * Copies the store, as it is now with every write issued before, into a file of its own, while reads and writes go on.
   * The file is there only once it has been read back and found whole; when this fails nothing is left behind.
   * @param {string} path in a directory that is there
   * @param {import('./copies.js').CopyOptions & { overwrite?: boolean }} [options] overwrite: replace a file that is there
   * @returns {Promise<BackupReport>}
   */
  async backup(path, options) {
    const given = readOptions(options, METHOD_OPTIONS.backup);
    const control = Control.of(given);
    checkPath(path, 'path');
    return this.#session.readWhole((native, stop) => backup(native, path, given, control, stop), control);
  }

  /**
   * Makes a backup every so often, and keeps the newest. The timer does not keep the process alive; close() stops it.
   * @param {{ directory: string, every?: number, keep?: number, onBackup?: (report: BackupReport) => unknown, onError?: (error: unknown) => unknown }} options
   *   every: milliseconds, default a day; keep: default 7
   * @returns {BackupSchedule}
   */
  scheduleBackups(options) {
    const given = readOptionsWithDefaults(options, METHOD_OPTIONS.scheduleBackups);
    if (given.directory === undefined) throw invalidArgument('options.directory', 'a non-empty string');
    if (this.#session.isClosed) throw closed();
    given.directory = fixedPath(given.directory);
    const path = this.#options.mode === 'memory' ? undefined : this.#options.path;
    const schedule = new BackupSchedule({ make: (to) => this.backup(to), settleFile }, path, /** @type {any} */ (given));
    this.#schedules.add(schedule);
    return schedule;
  }

  /**
   * Looks for damage. 'quick' reads the structure of tables and indexes; 'full' also compares each index with its table, and each
   * entry with its checksum. Damage is an answer, not an error.
   * @param {{ level?: 'quick' | 'full' } & CallControl} [options] level: default 'full'
   * @returns {Promise<Verification>}
   */
  async verify(options) {
    const given = readOptionsWithDefaults(options, METHOD_OPTIONS.verify);
    const control = Control.of(given);
    return within(control, this.#session.readWhole((native, stop) => verify(native, given.level, control, stop), control));
  }

  /**
   * Runs what was issued before, then closes the file; open transactions are rolled back. Every later call fails with
   * HYPHA_CLOSED. May be called again: the same promise.
   * @returns {Promise<import('./native.js').CloseReport>} how that left the write-ahead log
   */
  close() {
    this[stopWatching]();
    return (this.#closing ??= this.#close());
  }

  async #close() {
    const stopped = [...this.#schedules].map((schedule) => schedule.stop());
    try {
      return await this.#session.close();
    } finally {
      await Promise.all(stopped);
    }
  }

  /** @returns {Promise<void>} */
  async [Symbol.asyncDispose]() {
    await this.close();
  }
}
