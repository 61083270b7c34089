// open() and openOrLoad().

import process from 'node:process';

import { setErrorCodes, settle } from './errors.js';
import { modeWarning } from './file-mode.js';
import { keepAsLive } from './live-stores.js';
import { toNative } from './migrate.js';
import { native } from './native.js';
import { readOpenOptions } from './options.js';
import { StoreSession } from './session.js';
import { Store, loadBundleOnce } from './store.js';
import { checkPath, fixedPath } from './validate.js';

/** @typedef {import('./options.js').OpenOptions} OpenOptions */

setErrorCodes(native.errorCodes);

let watchesExit = false;

/** process.exit() runs no cleanup of the addon's on the main thread: only this hook sees it. */
function watchExit() {
  if (watchesExit) return;
  watchesExit = true;
  process.once('exit', () => native.closeAll());
}

/**
 * Opens a database file, making or migrating it as the options say, or a database in memory. A relative path is one from the
 * folder of the process at the call.
 * @param {OpenOptions} options
 * @returns {Promise<Store>}
 */
export async function open(options) {
  const checked = readOpenOptions(options);
  if (checked.mode !== 'memory') checked.path = fixedPath(/** @type {string} */ (checked.path));
  watchExit();
  const [warn, store] = await Promise.all([modeWarning(checked.path), settle(native.open(toNative(checked)))]);
  warn();
  return keepAsLive(new Store(new StoreSession(store, checked), checked));
}

/**
 * Opens a database file and loads a bundle into it the first time: whether that was done is recorded in the file, in
 * the transaction that does it. While others have the writer, who may be loading it, this waits for `timeout`, or ten
 * minutes, whatever busyTimeout is.
 * @param {string} path of the database
 * @param {string} bundle needed only the first time
 * @param {Omit<OpenOptions, 'path'> & Pick<import('./bundles.js').ImportOptions, 'onConflict' | 'signal' | 'timeout'>} [options]
 * @returns {Promise<Store>}
 */
export async function openOrLoad(path, bundle, options) {
  checkPath(bundle, 'bundle');
  const { onConflict, signal, timeout, ...rest } = { __proto__: null, ...options };
  const store = await open({ ...rest, path });
  try {
    await store[loadBundleOnce](bundle, { onConflict, signal, timeout });
  } catch (error) {
    // On a full disk that fails as well, but why nothing was loaded is what counts.
    await store.close().catch((closing) => process.emitWarning(String(closing)));
    throw error;
  }
  return store;
}
