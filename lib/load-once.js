// The import of openOrLoad(): done once for a file, whoever else is about to do it.

import { performance } from 'node:perf_hooks';
import { setTimeout } from 'node:timers';

import { importFrom } from './bundles.js';
import { Control, within } from './control.js';
import { METHOD_OPTIONS, readOptions } from './options.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./bundles.js').ImportOptions} ImportOptions */

/** The mark that such an import leaves in the file. */
const LOADED = 'bundle_load';

/** Without a timeout: how long others may have the writer, one of which is expected to load the bundle. Milliseconds. */
export const LOAD_PATIENCE = 600_000;

/** Where busyTimeout is short, between two attempts. */
const PAUSE = 50;

const pause = () => new Promise((resolve) => {
  setTimeout(resolve, PAUSE);
});

/**
 * importBundle(), unless it has been done before. busyTimeout is meant for writes; an import of another process takes as
 * long as its bundle is large.
 * @param {StoreSession} session
 * @param {string} path
 * @param {ImportOptions} options
 * @param {number} [patience] milliseconds, where no timeout is given
 * @returns {Promise<void>}
 */
export async function loadOnce(session, path, options, patience = LOAD_PATIENCE) {
  const given = readOptions(options, METHOD_OPTIONS.importBundle);
  const control = Control.of(given);
  const until = given.timeout === undefined ? performance.now() + patience : Infinity;
  while ((await session.readControlled(control, 'meta', LOADED)) === '') {
    try {
      await importFrom(session, path, { ...given, ...control?.rest }, true);
      return;
    } catch (error) {
      const isBusy = /** @type {import('./errors.js').StorageError} */ (error).code === 'HYPHA_BUSY';
      if (!isBusy || performance.now() >= until) throw error;
    }
    await within(control, pause());
  }
}
