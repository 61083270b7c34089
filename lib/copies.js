// Backup and restore: copies of a whole store.

import { Control, cancellable, newToken } from './control.js';
import { native } from './native.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { withProgress } from './progress.js';
import { checkPath } from './validate.js';

/**
 * @typedef {object} BackupReport
 * @property {string} path absolute
 * @property {number} bytes
 * @property {number} entries
 * @property {number} namespaces
 * @property {number} createdAt milliseconds UTC
 * @property {string} contentHash 16 hexadecimal digits over all entries and namespaces, whatever their order in the file
 */
/** @typedef {{ pages: number, totalPages: number }} CopyProgress pages copied so far */
/** @typedef {{ onProgress?: (progress: CopyProgress) => void } & import('./control.js').CallControl} CopyOptions */

/**
 * A copy that tells how far it is. A listener that throws ends it.
 * @param {(token: number) => Promise<BackupReport>} begin
 * @param {CopyOptions} options
 * @param {Control | undefined} control
 * @param {AbortSignal} [stop]
 * @returns {Promise<BackupReport>}
 */
async function runCopy(begin, { onProgress }, control, stop) {
  const token = newToken();
  const listener = onProgress && ((/** @type {number} */ pages, /** @type {number} */ totalPages) => onProgress({ pages, totalPages }));
  const work = () => /** @type {Promise<BackupReport & { totalPages: number }>} */ (cancellable(begin, { control, stop, token }));
  const { totalPages: _told, ...report } = await withProgress(token, listener, work, ({ totalPages }) => totalPages);
  return report;
}

/**
 * @param {import('./native.js').NativeStore} store
 * @param {string} path
 * @param {CopyOptions & { overwrite?: boolean }} options checked
 * @param {Control | undefined} control
 * @param {AbortSignal} stop
 * @returns {Promise<BackupReport>}
 */
export const backup = (store, path, options, control, stop) => runCopy((token) => store.backup(path, options.overwrite ?? false, token), options, control, stop);

/**
 * @param {import('./native.js').NativeStore} store
 * @param {'quick' | 'full'} level
 * @param {Control | undefined} control
 * @param {AbortSignal} stop
 * @returns {Promise<import('./store.js').Verification>}
 */
export async function verify(store, level, control, stop) {
  return JSON.parse(await cancellable((token) => store.verify(level === 'full', token), { control, stop }));
}

/**
 * Puts a copy of the store in the file `from` at `to`, in place of what is there: read back first, and then in one step.
 * @param {string} from a backup, or any file of a store
 * @param {string} to refused with HYPHA_BUSY while anybody has it open
 * @param {CopyOptions} [options]
 * @returns {Promise<BackupReport>} of what `to` now holds
 */
export async function restore(from, to, options) {
  const given = readOptions(options, METHOD_OPTIONS.restore);
  checkPath(from, 'from');
  checkPath(to, 'to');
  return runCopy((token) => native.restore(from, to, token), given, Control.of(given));
}
