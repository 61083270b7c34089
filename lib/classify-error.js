// What kind of failure an error is, and what to do about it.

import { isRetryable } from './errors.js';

/**
 * @typedef {'busy' | 'disk_full' | 'io' | 'corrupt' | 'readonly' | 'constraint' | 'schema' | 'misuse'} Category
 */

/** Primary result codes of SQLite. @type {Record<number, Category>} */
const OF_SQLITE = {
  3: 'readonly', // PERM
  5: 'busy', // BUSY
  6: 'busy', // LOCKED
  7: 'io', // NOMEM
  8: 'readonly', // READONLY
  10: 'io', // IOERR
  11: 'corrupt', // CORRUPT
  13: 'disk_full', // FULL
  14: 'io', // CANTOPEN
  15: 'busy', // PROTOCOL
  17: 'schema', // SCHEMA
  19: 'constraint', // CONSTRAINT
  23: 'readonly', // AUTH
  26: 'corrupt', // NOTADB
};
/** Extended codes that say more than their primary one. @type {Record<number, Category>} */
const OF_EXTENDED = {
  8458: 'corrupt', // IOERR_DATA: a page failed its checksum
  1032: 'io', // READONLY_DBMOVED: the file is not the one that was opened
};
/** @type {Record<string, Category>} */
const OF_CODE = {
  HYPHA_BUSY: 'busy', HYPHA_QUEUE_FULL: 'busy', HYPHA_TIMEOUT: 'busy', HYPHA_SNAPSHOT_EXPIRED: 'busy', HYPHA_WAL_LIMIT: 'busy',
  HYPHA_TRANSACTION_TIMEOUT: 'busy',
  HYPHA_FULL: 'disk_full', HYPHA_LOW_DISK: 'disk_full',
  HYPHA_IO: 'io', HYPHA_NOMEM: 'io', HYPHA_CANT_OPEN: 'io', HYPHA_INDETERMINATE: 'io', HYPHA_STOPPED: 'io', HYPHA_WAL_MOVED: 'io',
  HYPHA_WAL_UNAVAILABLE: 'io',
  HYPHA_CORRUPT: 'corrupt', HYPHA_NOT_A_DATABASE: 'corrupt',
  HYPHA_READ_ONLY: 'readonly',
  HYPHA_CONFLICT: 'constraint', HYPHA_CONSTRAINT: 'constraint', HYPHA_EXISTS: 'constraint', HYPHA_NOT_FOUND: 'constraint',
  HYPHA_NAMESPACE_EXISTS: 'constraint', HYPHA_NAMESPACE_NOT_FOUND: 'constraint', HYPHA_NAMESPACE_NOT_EMPTY: 'constraint',
  HYPHA_SCHEMA_TOO_NEW: 'schema', HYPHA_SCHEMA_OUTDATED: 'schema', HYPHA_SCHEMA_CHANGED: 'schema',
};
/** @type {Record<Category, string>} */
const ADVICE = {
  busy: 'Try again later. If it lasts, look for a long transaction or read in any process: diagnose() tells.',
  disk_full: 'Free space on the disk, then try again. Nothing was written.',
  io: 'Check the disk and the permissions of the folder, then open the store again.',
  corrupt: 'Stop writing, keep a copy of the file and its log, and restore a backup.',
  readonly: 'Open the store without readOnly, and check the permissions of the file and its folder.',
  constraint: 'Read the entry again and decide anew: what is stored does not allow this change.',
  schema: 'Open the file with the version of HyphaDB that its schema needs, or let open() migrate it.',
  misuse: 'Correct the call: the same one will always fail.',
};
/** Where that of the category would mislead. @type {Record<string, string>} */
const ADVICE_OF_CODE = {
  HYPHA_TRANSACTION_TIMEOUT: 'Do less in one transaction, or give it a longer timeout: it was rolled back.',
  HYPHA_TRANSACTION_INVALID: 'Begin another transaction: this one has ended.',
  HYPHA_ABORTED: 'Call again without that signal, if it is still wanted: the caller ended it.',
  HYPHA_CLOSED: 'Open the store again: this one, or what was made from it, is closed.',
  HYPHA_FORKED: 'Open the store in the process that uses it.',
  HYPHA_NOMEM: 'Free memory, then try again.',
  HYPHA_INDETERMINATE: 'Check the disk, open the store again, and read whether the change is there.',
  HYPHA_OPTIONS_CONFLICT: 'Open the file with the same options everywhere in this process.',
  HYPHA_DUPLICATE_LIBRARY: 'Let the process load one copy of HyphaDB: the message names both.',
  HYPHA_BUNDLE_INVALID: 'Get the bundle anew, or repair it: verifyBundle() tells what is wrong with it.',
  HYPHA_INTERNAL: 'Report it, with its message and stack: it is a defect in HyphaDB.',
};
/** The codes of HyphaDB for SQLite's failures that the same call may get over: by primary and by extended code. @type {Record<number, string>} */
const PASSING = { 5: 'HYPHA_BUSY', 6: 'HYPHA_BUSY', 7: 'HYPHA_NOMEM', 13: 'HYPHA_FULL', 15: 'HYPHA_BUSY', 3082: 'HYPHA_NOMEM' };

/** @param {any} error @returns {number} SQLite's extended result code, 0 if there is none */
function sqliteOf(error) {
  const code = error?.sqliteCode ?? error?.errcode;
  return typeof code === 'number' ? code : 0;
}

/**
 * @param {any} error of HyphaDB, or anything with its `code`, or with SQLite's result code in `sqliteCode` or `errcode`
 * @returns {{ category: Category, retryable: boolean, advice: string }} by codes, never by the text; retryable is what
 *   ERROR_CODES says of the code unless the error says it itself
 */
export function classifyError(error) {
  const category = categoryOf(error);
  const code = codeOf(error);
  const retryable = typeof error?.retryable === 'boolean' ? error.retryable : isRetryable(code);
  return { category, retryable, advice: Object.hasOwn(ADVICE_OF_CODE, code) ? ADVICE_OF_CODE[code] : ADVICE[category] };
}

/** @param {any} error @returns {string} its own, or the one that HyphaDB gives such a failure */
function codeOf(error) {
  if (typeof error?.code === 'string' && error.code.startsWith('HYPHA_')) return error.code;
  const sqlite = sqliteOf(error);
  return PASSING[sqlite] ?? PASSING[sqlite & 0xff] ?? '';
}

/** @param {any} error @returns {Category} */
function categoryOf(error) {
  const sqlite = sqliteOf(error);
  const known = OF_EXTENDED[sqlite] ?? OF_SQLITE[sqlite & 0xff];
  if (known !== undefined) return known;
  const code = codeOf(error);
  return Object.hasOwn(OF_CODE, code) ? OF_CODE[code] : 'misuse';
}
