// Bundles: the content of a store as JSON Lines. docs/bundles.md describes the format; the work is done by the engine,
// on a thread of its own.

import { Control, cancellable, controlOf } from './control.js';
import { StorageError, toError } from './errors.js';
import { native } from './native.js';
import { METHOD_OPTIONS, readOptionsWithDefaults } from './options.js';
import { checkPath, toArray, checkNamespace } from './validate.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./native.js').BundleFailureRecord} BundleFailureRecord */
/** @typedef {import('./native.js').NativeStore} NativeStore */

/**
 * @typedef {object} BundleSummary what a bundle holds
 * @property {number} createdAt milliseconds since 1970, UTC
 * @property {number} parts
 * @property {number} lines
 * @property {number} bytes
 * @property {number} entries
 * @property {number} namespaces
 * @property {number} indexes
 * @property {number} deletions
 */

/**
 * @typedef {object} ExportOptions
 * @property {'directory' | 'file'} [form] default 'file' for a path that ends in .jsonl, else 'directory'
 * @property {boolean} [overwrite] replace a bundle that has the name; nothing else ever is. Default false
 * @property {number} [partRows] lines of each file of a directory; default 10,000
 * @property {string[]} [namespaces] only these
 * @property {AbortSignal} [signal]
 * @property {number} [timeout] milliseconds
 */

/**
 * @typedef {object} ImportOptions
 * @property {'error' | 'update' | 'skip'} [onConflict] what becomes of an entry whose key is present: nothing at all is
 *   imported (default), it takes the place, or it is left out
 * @property {boolean} [dryRun] tries everything and keeps nothing
 * @property {import('./options.js').Durability} [durability] of its commit; default that of the store
 * @property {AbortSignal} [signal]
 * @property {number} [timeout] milliseconds
 */

/**
 * @typedef {object} ImportResult
 * @property {number} inserted entries; those below likewise
 * @property {number} updated
 * @property {number} skipped
 * @property {number} deleted
 * @property {number} namespaces
 * @property {number} indexes
 * @property {boolean} versionsKept whether the entries have the versions of the bundle, or new ones
 */

/** @typedef {{ code: string, message: string, part?: string, line?: number }} BundleProblem */

/** @param {unknown} failure @returns {unknown} */
function bundleError(failure) {
  const { part, line } = /** @type {BundleFailureRecord} */ (failure ?? {});
  const error = /** @type {any} */ (toError(failure));
  if (!(error instanceof StorageError) || part === undefined) return error;
  const where = line === undefined ? part : `${part}, line ${line}`;
  return Object.assign(new StorageError(error.code, `${where}: ${error.message}`, { sqliteCode: error.sqliteCode }), { part, line });
}

/**
 * @param {StoreSession} session
 * @param {string} path
 * @param {ExportOptions | undefined} options
 * @returns {Promise<BundleSummary>}
 */
export async function exportTo(session, path, options) {
  const given = readOptionsWithDefaults(options, METHOD_OPTIONS.exportBundle);
  const control = Control.of(given);
  checkPath(path, 'path');
  const form = given.form ?? (path.endsWith('.jsonl') ? 'file' : 'directory');
  const namespaces = /** @type {string[]} */ (given.namespaces === undefined ? [] : toArray(given.namespaces, 'options.namespaces', Infinity));
  for (const name of namespaces) checkNamespace(name, session.limits);
  const begin = (/** @type {NativeStore} */ store) => (/** @type {number} */ token) => store.exportBundle(token, path, form === 'file', given.overwrite, given.partRows, namespaces);
  return session.longRead((store) => cancellable(begin(store), { control, explain: bundleError }), control);
}

/**
 * @param {StoreSession} session
 * @param {string} path
 * @param {ImportOptions | undefined} options
 * @param {boolean} [once]
 * @returns {Promise<ImportResult & { alreadyLoaded: boolean }>}
 */
export async function importFrom(session, path, options, once = false) {
  const given = readOptionsWithDefaults(options, METHOD_OPTIONS.importBundle);
  const control = Control.of(given);
  checkPath(path, 'path');
  const onConflict = native.onConflict.indexOf(given.onConflict);
  const level = session.level(given.durability);
  const begin = (/** @type {NativeStore} */ store) => (/** @type {number} */ token) => store.importBundle(token, path, onConflict, given.dryRun, once, level);
  // The store's own cancel() also ends the wait for the writer.
  return session.longWrite((store) => cancellable(begin(store), { control, cancel: (token) => store.cancel(token), explain: bundleError }), control);
}

/**
 * Reads a whole bundle and says what is wrong with it, without a store.
 * @param {string} path
 * @param {import('./control.js').CallControl} [options]
 * @returns {Promise<{ ok: boolean, problems: BundleProblem[] } & BundleSummary>} at most 100 problems; rejects when
 *   there is no bundle to read
 */
export async function verifyBundle(path, options) {
  const control = controlOf(options);
  checkPath(path, 'path');
  const report = await cancellable((token) => native.verifyBundle(token, path), { control, explain: bundleError });
  return { ok: report.problems.length === 0, ...report };
}

/**
 * store.exportBundle() as a function.
 * @param {import('./store.js').Store} store
 * @param {string} path
 * @param {ExportOptions} [options]
 * @returns {Promise<BundleSummary>}
 */
export const exportBundle = (store, path, options) => store.exportBundle(path, options);

/**
 * store.importBundle() as a function.
 * @param {import('./store.js').Store} store
 * @param {string} path
 * @param {ImportOptions} [options]
 * @returns {Promise<ImportResult>}
 */
export const importBundle = (store, path, options) => store.importBundle(path, options);
