// What holds up the write-ahead log, and the mildest thing that helps.

import { ping } from './ping.js';

/** @typedef {import('./engine-access.js').EngineAccess} EngineAccess */

/**
 * @typedef {object} WalDiagnosis
 * @property {string} journalMode
 * @property {number} walBytes of the log file, before anything was done
 * @property {number} frames pages in the log, after it
 * @property {number} backfilled of those, the ones in the database
 * @property {number} busyTimeout
 * @property {number} oldestReaderMs the age of this process's oldest read transaction
 * @property {'reader' | 'writer' | null} blockedBy a reader (of any process) that needs what is in the log; a transaction
 *   or another process that holds the writer
 * @property {'none' | 'passive' | 'restart'} action the checkpoint that was run
 */

/** A read that has run for so long is not waited for. */
const LONG_READER_MS = 1000;
const PATIENCE_MS = 1000;

/**
 * Looks, and where the log is long copies it: first without waiting for anybody, then with a gap between short readers. A
 * FULL checkpoint in the middle of a conflict would only join it.
 * @param {EngineAccess} engine
 * @param {{ busyTimeout?: number, readOnly?: boolean, wal: import('./options.js').WalOptions }} options
 * @returns {Promise<WalDiagnosis>}
 */
export async function diagnoseWal(engine, { busyTimeout = 0, readOnly = false, wal }) {
  const look = () => engine.inspect('storage', false);
  let seen = await look();
  const walBytes = seen.wal_size_bytes;
  const measured = engine.stats();
  const writer = readOnly || measured.transaction.open ? undefined : (await ping(engine, PATIENCE_MS, false, true)).connections[0];
  const held = measured.transaction.open || writer?.category === 'busy';
  /** @type {WalDiagnosis['action']} */
  let action = 'none';
  if (walBytes > /** @type {number} */ (wal.warnBytes) && writer?.ok) {
    action = 'passive';
    let { frames, copied } = await engine.maintain('passive');
    if (copied === frames && measured.readers.oldestAge < LONG_READER_MS) {
      action = 'restart';
      ({ frames, copied } = await engine.maintain('restart'));
    }
    seen = { ...(await look()), wal_frames: frames, wal_backfilled: copied };
  }
  const behind = action !== 'none' && seen.wal_backfilled < seen.wal_frames;
  return {
    journalMode: seen.journal_mode, walBytes, frames: seen.wal_frames, backfilled: seen.wal_backfilled, busyTimeout,
    oldestReaderMs: measured.readers.oldestAge, blockedBy: behind ? 'reader' : held ? 'writer' : null, action,
  };
}
