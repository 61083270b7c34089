// migrate(): another schema version for a file that nobody has open.

import { settle } from './errors.js';
import { native } from './native.js';
import { MIGRATE_OPTIONS, readOpenOptions, readOptions } from './options.js';

/** The one that open() makes. */
const LATEST = 2;

/** @param {ReturnType<typeof readOpenOptions>} options @returns {object} as the addon reads them */
export function toNative(options) {
  return {
    ...options,
    path: options.path ?? '',
    memory: options.mode === 'memory',
    durability: native.durabilities.indexOf(options.durability),
  };
}

/**
 * Moves a file that nobody has open to another schema version. Version 1 is the layout of the kernel's own backend.
 * @param {string} path
 * @param {{ to: 1 | 2, keepOld?: boolean, busyTimeout?: number }} options
 * @returns {Promise<void>}
 */
export async function migrate(path, options) {
  const { to = LATEST, ...rest } = readOptions(options, MIGRATE_OPTIONS);
  await settle(native.migrate(toNative(readOpenOptions({ ...rest, path })), to));
}

/**
 * For whoever is about to delete a store of the latest version: a migration to the version that it has.
 * @param {string} path
 * @returns {Promise<void>} HYPHA_BUSY where any thread of this process has it open, or another process writes to it. When this
 *   resolves, a log beside the file belongs to another process; what was left by one that was killed is gone
 */
export async function settleFile(path) {
  await migrate(path, { to: LATEST, busyTimeout: 0 });
}
