// hyphadb: an embedded document store.

import { native } from './native.js';

/** The version of the SQLite inside the addon. */
export const SQLITE_VERSION = native.sqliteVersion;
/** Every error code: whether the same call may succeed later, and what it means. */
export const ERROR_CODES = Object.freeze(native.errorCodes);

export { restore } from './copies.js';
export { BackupSchedule } from './backup-schedule.js';
export { open, openOrLoad } from './open.js';
export { migrate } from './migrate.js';
export { exportBundle, importBundle, verifyBundle } from './bundles.js';
export { classifyError } from './classify-error.js';
export { StorageError } from './errors.js';
export { Store } from './store.js';
export { Transaction } from './transaction.js';
export { Snapshot } from './snapshot.js';
export { WriteBuffer } from './write-buffer.js';
export { ShutdownSafety } from './shutdown-safety.js';
export { WalConfig } from './wal-config.js';
