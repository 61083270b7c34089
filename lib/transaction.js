// An interactive transaction.

import { NamespaceMethods } from './namespace-methods.js';
import { KIND } from './op-list.js';
import { DEFAULT_NAMESPACE } from './scope.js';

/** @typedef {import('./transaction-session.js').TransactionSession} TransactionSession */

/**
 * Owns the writer until it ends: it sees its own changes, nobody else sees them before commit(), nobody else writes.
 * Past its timeout it is rolled back and every use of it fails with HYPHA_TRANSACTION_TIMEOUT.
 */
export class Transaction extends NamespaceMethods {
  /** @type {TransactionSession} */ #session;

  /** @param {TransactionSession} session */
  constructor(session) {
    super(session);
    this.#session = session;
  }

  /** A number that no other transaction of this process has. */
  get id() {
    return this.#session.id;
  }

  /**
   * A transaction inside this one: what `body` did is undone when it throws or rejects, and this one goes on.
   * @template T
   * @param {(tx: Transaction) => T} body gets this transaction
   * @returns {Promise<Awaited<T>>}
   */
  async transaction(body) {
    await this.#session.write({ kind: KIND.savepoint, ns: DEFAULT_NAMESPACE });
    let result;
    try {
      result = await body(this);
    } catch (error) {
      await this.#session.write({ kind: KIND.rollbackTo, ns: DEFAULT_NAMESPACE }).catch(() => {}); // the body's own error is the one to tell
      throw error;
    }
    await this.#session.write({ kind: KIND.release, ns: DEFAULT_NAMESPACE });
    return result;
  }

  /** @returns {Promise<void>} resolved once the changes are durable as the store's durability says */
  async commit() {
    await this.#session.end(true);
  }

  /** @returns {Promise<void>} */
  async rollback() {
    await this.#session.end(false);
  }
}
