// Every case of the contract, by the sentence that it shows.

import { batchCases } from './batches.js';
import { entryCases } from './entries.js';
import { filterCases } from './filters.js';
import { lifecycleCases } from './lifecycle.js';
import { listingCases } from './listing.js';
import { pagingCases } from './paging.js';
import { transactionCases } from './transactions.js';

/** @typedef {{ backend: any, owner: { close(): Promise<any> }, reopen?: () => Promise<any>, close(): Promise<void> }} Session */
/** @typedef {{ open(): Promise<Session> }} Factory */

/** @type {Record<string, Record<string, (backend: any, session: Session) => Promise<void>>>} */
export const groups = {
  entries: entryCases,
  batches: batchCases,
  'lists and namespaces': listingCases,
  filters: filterCases,
  'sorting and paging': pagingCases,
  transactions: transactionCases,
  lifecycle: lifecycleCases,
};

/**
 * Runs one case against a store of its own.
 * @param {Factory} factory
 * @param {string} group
 * @param {string} title
 */
export async function runCase(factory, group, title) {
  const session = await factory.open();
  try {
    await groups[group][title](session.backend, session);
  } finally {
    await session.close();
  }
}
