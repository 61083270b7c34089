// Whole sets of options for the write-ahead log: `open({ path, wal: WalConfig.production() })`.

/** @typedef {import('./options.js').WalOptions} WalOptions */

const MiB = 1024 * 1024;

/** Each call gives a fresh object; what you change or add wins. */
export const WalConfig = Object.freeze({
  /** What open() does without any. @returns {WalOptions} */
  default: () => ({ synchronous: 'FULL', busyTimeout: 5000 }),

  /**
   * Every commit survives the death of the process; a power loss may take those since the last sync of the log, newest
   * first. It is synced before a checkpoint, by a commit at 'full' and by flush().
   * @returns {WalOptions}
   */
  production: () => ({ synchronous: 'NORMAL', busyTimeout: 5000, journalSizeLimit: 100 * MiB }),

  /**
   * For data that can be made again: a power loss may damage the file. Checkpoints are few and large.
   * @returns {WalOptions}
   */
  highPerformance: () => ({
    synchronous: 'OFF', busyTimeout: 5000, journalSizeLimit: 256 * MiB, cacheSizeKiB: 65_536,
    idleBytes: 16 * MiB, busyBytes: 64 * MiB, restartBytes: 128 * MiB,
  }),

  /** Every commit survives a power loss, and the log stays short. @returns {WalOptions} */
  highSafety: () => ({
    synchronous: 'FULL', busyTimeout: 10_000, journalSizeLimit: 16 * MiB,
    idleBytes: MiB, busyBytes: 4 * MiB, restartBytes: 16 * MiB, checkpointInterval: 60_000,
  }),

  /**
   * The pragmas of StepFlow Monitor, for comparison: 10,000 pages of cache, checkpoints within commits. Of its 256 MiB of
   * memory map HyphaDB maps nothing.
   * @returns {WalOptions}
   */
  stepflow: () => ({
    journalMode: 'WAL', synchronous: 'NORMAL', cacheSizeKiB: 40_000, tempStore: 'memory', mmapSize: 256 * MiB,
    walAutocheckpoint: 1000, busyTimeout: 5000,
  }),
});
