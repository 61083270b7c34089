// An interactive transaction.

import { isInside, runInside } from './bodies.js';
import { StorageError, invalidArgument } from './errors.js';
import { NamespaceMethods } from './namespace-methods.js';
import { readOptions } from './options.js';
import { TransactionSession } from './transaction-session.js';

/** @typedef {import('./snapshot-session.js').SnapshotSession} SnapshotSession */

/**
 * Owns the writer until it ends: it sees its own changes, nobody else sees them before commit(), nobody else writes.
 * Past its timeout it is rolled back and every use of it fails with HYPHA_TRANSACTION_TIMEOUT. One that was begun with
 * `readOnly` is a snapshot instead: it holds nobody up, and its writes fail with HYPHA_READ_ONLY.
 *
 * One that nobody holds any more is rolled back when it is collected.
 */
export class Transaction extends NamespaceMethods {
  /** @type {TransactionSession | SnapshotSession} */ #session;
  /** The last of the nested ones. @type {Promise<unknown>} */ #nested = Promise.resolve();

  /** @param {TransactionSession | SnapshotSession} session */
  constructor(session) {
    super(session);
    this.#session = session;
  }

  /** A number that no other transaction of this process has. */
  get id() {
    return this.#session.id;
  }

  /**
   * A transaction inside this one: what `body` did is undone when it throws or rejects, and this one goes on. Several at
   * once run one after the other.
   * @template T
   * @param {(tx: Transaction) => T} body gets the inner transaction, which ends with it
   * @param {{}} [options] there are none: its time, signal and durability are those of this one
   * @returns {Promise<Awaited<T>>}
   */
  async transaction(body, options) {
    readOptions(options, {});
    if (typeof body !== 'function') throw invalidArgument('body', 'a function');
    if (isInside(this)) throw new StorageError('HYPHA_NESTED', 'use the transaction that the body was given');
    const session = this.#session;
    if (!(session instanceof TransactionSession)) return runInside(this, () => body(new Transaction(session)));
    const mine = this.#nested.then(() => session.nest((inner) => runInside(this, () => body(new Transaction(inner)))));
    this.#nested = mine.catch(() => {}); // the caller has the failure; the next in line only waits
    return mine;
  }

  /**
   * Resolves once the changes are durable as its durability says.
   * @returns {Promise<{ durability?: import('./options.js').Durability }>} that of the commit; absent where it only read
   */
  async commit() {
    const session = this.#session;
    await session.end(true);
    return session instanceof TransactionSession ? { durability: session.durability } : {};
  }

  /** @returns {Promise<void>} */
  async rollback() {
    await this.#session.end(false);
  }
}
