// Bundles: the content of a store as JSON Lines. docs/bundles.md describes the format; the work is done by the engine,
// on a thread of its own.

import { cancellable } from './control.js';
import { StorageError, toError } from './errors.js';
import { native } from './native.js';
import { METHOD_OPTIONS, readOptions, readOptionsWithDefaults } from './options.js';
import { checkPath, toArray, checkNamespace } from './validate.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./native.js').BundleFailureRecord} BundleFailureRecord */

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
 */

/**
 * @typedef {object} ImportOptions
 * @property {'error' | 'update' | 'skip'} [onConflict] what becomes of an entry whose key is present: nothing at all is
 *   imported (default), it takes the place, or it is left out
 * @property {boolean} [dryRun] tries everything and keeps nothing
 * @property {AbortSignal} [signal]
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
  checkPath(path, 'path');
  const form = given.form ?? (path.endsWith('.jsonl') ? 'file' : 'directory');
  const namespaces = /** @type {string[]} */ (given.namespaces === undefined ? [] : toArray(given.namespaces, 'options.namespaces', Infinity));
  for (const name of namespaces) checkNamespace(name, session.limits);
  return session.longRead((store) =>
    cancellable((token) => store.exportBundle(token, path, form === 'file', given.overwrite, given.partRows, namespaces), { signal: given.signal, explain: bundleError }),
  );
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
  checkPath(path, 'path');
  const onConflict = native.onConflict.indexOf(given.onConflict);
  return session.longWrite((store) =>
    cancellable((token) => store.importBundle(token, path, onConflict, given.dryRun, once), { signal: given.signal, explain: bundleError }),
  );
}

/**
 * Reads a whole bundle and says what is wrong with it, without a store.
 * @param {string} path
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<{ ok: boolean, problems: BundleProblem[] } & BundleSummary>} at most 100 problems; rejects when
 *   there is no bundle to read
 */
export async function verifyBundle(path, options) {
  const { signal } = readOptions(options, METHOD_OPTIONS.verifyBundle);
  checkPath(path, 'path');
  const report = await cancellable((token) => native.verifyBundle(token, path), { signal, explain: bundleError });
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
