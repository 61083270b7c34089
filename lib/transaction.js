// An interactive transaction.

import { NamespaceMethods } from './namespace-methods.js';

/** @typedef {import('./session.js').TransactionSession} TransactionSession */

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

  /** @returns {Promise<void>} resolved once the changes are durable as the store's durability says */
  async commit() {
    await this.#session.end(true);
  }

  /** @returns {Promise<void>} */
  async rollback() {
    await this.#session.end(false);
  }
}
