// What operators of a store need: how it is, what it does, and work on the whole file.

import { classifyError } from './classify-error.js';
import { Control, controlOf, within } from './control.js';
import { DiskWatch } from './disk-watch.js';
import { StorageError, invalidArgument } from './errors.js';
import { NamespaceMethods } from './namespace-methods.js';
import { native } from './native.js';
import { CHECKPOINT_MODES, METHOD_OPTIONS, readOptionsWithDefaults } from './options.js';
import { ping } from './ping.js';
import { diagnoseWal } from './wal-diagnosis.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./engine-access.js').EngineAccess} EngineAccess */
/** @typedef {import('./control.js').CallControl} CallControl */
/** @typedef {ReturnType<typeof import('./options.js').readOpenOptions>} CheckedOptions */

/**
 * @typedef {object} StoreStatus
 * @property {number} size entries
 * @property {number} namespaces 'default' included
 * @property {number} bytes of the database file
 * @property {number} walBytes of the write-ahead log in use
 * @property {number} schemaVersion
 * @property {string | undefined} path undefined in memory mode
 * @property {string} durability
 * @property {string} sqliteVersion
 */

/**
 * @typedef {object} Histogram of latencies in microseconds, of batches in operations; a percentile is off by an eighth at
 *   most
 * @property {number} count
 * @property {number} sum
 * @property {number} p50
 * @property {number} p95
 * @property {number} p99
 * @property {number} max
 */

/**
 * @typedef {object} StoreStats since this process opened the file; of all its stores on that file together
 * @property {{ operations: number, bytes: number }} queue writes that wait for the writer
 * @property {{ open: boolean }} transaction
 * @property {boolean} stopped after a failed sync or a replaced file
 * @property {Histogram} batches operations that shared a commit on the writer thread
 * @property {{ write: Histogram, inlineWrite: Histogram, commit: Histogram, read: Histogram }} latency write and read
 *   from the call to the answer, through the queue; inlineWrite on the calling thread; commit of a whole group
 * @property {number} commits that changed something
 * @property {{ transactions: number, lockWaits: number }} retries transactions begun again, and waits for other processes
 * @property {{ hits: number, misses: number }} statements of the caches of prepared statements
 * @property {{ hits: number, misses: number, writes: number, spills: number }} pageCache
 * @property {{ threads: number, waiting: number, open: number, oldestAge: number, expired: number }} readers waiting:
 *   reads in the queue; open: read transactions, the oldest of which is oldestAge milliseconds old; expired: ended to make
 *   room for a checkpoint
 * @property {{ passive: number, full: number, restart: number, truncate: number, busy: number, failed: number,
 *   last: { mode: string, busy: boolean, ms: number } | null }} checkpoints
 * @property {{ frames: number, copied: number, syncs: number, refused: number }} log pages in it, of those the ones in
 *   the database; syncs asked for by flush() and durability 'periodic'; writes refused with HYPHA_WAL_LIMIT
 * @property {number} connections opened
 * @property {{ database_size_bytes: number, wal_size_bytes: number, shm_size_bytes: number, total_size_mb: number,
 *   table_counts: { entries: number, namespaces: number } | null, wal_mode: boolean, cache_size: number,
 *   page_size: number, mmap_size: number, storage_path: string | null }} performance sizes of the files as they are on
 *   the disk; cache_size as the pragma has it, negative in KiB
 */

/**
 * @typedef {object} Problem
 * @property {string} category as of classifyError()
 * @property {string} what
 * @property {string} advice
 */

/**
 * @typedef {object} Diagnosis
 * @property {{ source: string, id: number | null, namespace: string | null, key: string | null, reason: string }[]} quarantine
 *   rows of a migrated file that an entry cannot represent; migrate(path, { to: 1 }) gives them back
 * @property {string} integrity 'ok', or what SQLite's integrity check found
 * @property {{ version: number, verified: boolean, problem?: string }} schema
 * @property {import('./wal-diagnosis.js').WalDiagnosis} wal
 * @property {{ freeBytes: number | null, minFreeBytes: number, low: boolean }} disk freeBytes null: in memory, or nobody can tell,
 *   which is then a problem
 * @property {Problem[]} problems empty when all is well
 */

/**
 * @typedef {object} CheckpointReport
 * @property {'passive' | 'restart' | 'truncate'} mode
 * @property {boolean} busy readers or another process were in the way of what the mode asks for
 * @property {number} frames pages in the log, after it
 * @property {number} copied of those, the ones in the database
 * @property {number} ms
 */

/**
 * @typedef {object} Optimization
 * @property {boolean} ok false: the integrity check found something
 * @property {{ mode: 'optimize' | 'full', ms: number } | null} analyze
 * @property {CheckpointReport | null} checkpoint
 * @property {{ mode: 'quick' | 'full', problems: string[] } | null} integrity
 * @property {{ ms: number } | null} vacuum
 */

/** VACUUM writes the file anew beside itself, and once more through the log. */
const VACUUM_FACTOR = 2;
const RECOVER_PING_MS = 1000;
/** A writer that has stopped says so at once. */
const STOPPED_PING_MS = 1000;

/** Names a method that is not part of the public interface. */
export const stopWatching = Symbol('stopWatching');

export class Operations extends NamespaceMethods {
  /** @type {StoreSession} */ #session;
  /** @type {CheckedOptions} */ #options;
  /** @type {DiskWatch} */ #disk;

  /** @param {StoreSession} session @param {CheckedOptions} options */
  constructor(session, options) {
    super(session);
    this.#session = session;
    this.#options = options;
    const path = options.mode === 'memory' ? undefined : /** @type {string} */ (options.path);
    this.#disk = new DiskWatch(path, options.minFreeBytes);
    this.#disk.start();
    /** What opening found of a log that its last user had not copied into the database. */
    this.recoveryReport = Object.freeze(session.recovery());
  }

  /** For close(). */
  [stopWatching]() {
    this.#disk.stop();
  }

  /**
   * Resolves once every write issued before is on the disk, whatever its durability was.
   * @param {CallControl} [options] ends the wait for it
   * @returns {Promise<void>} rejects with HYPHA_INDETERMINATE when the disk failed; then the store has stopped
   */
  async flush(options) {
    await this.#session.flush(controlOf(options));
  }

  /**
   * Copies the write-ahead log into the database file: with 'PASSIVE' as much as nobody is in the way of, with 'RESTART'
   * all of it, so that the log is started over, with 'TRUNCATE' all of it, and the log is emptied.
   * @param {'PASSIVE' | 'RESTART' | 'TRUNCATE'} [mode] default 'TRUNCATE'
   * @param {CallControl} [options] of the wait for its turn
   * @returns {Promise<CheckpointReport>} unless 'PASSIVE' HYPHA_BUSY when readers or another process were in the way
   */
  async checkpoint(mode = 'TRUNCATE', options = undefined) {
    const control = controlOf(options);
    if (!CHECKPOINT_MODES.includes(mode)) throw invalidArgument('mode', "'PASSIVE', 'RESTART' or 'TRUNCATE'");
    /** @type {CheckpointReport} */
    const report = await this.#session.operate((engine) => engine.maintain(mode.toLowerCase()), { needsWriter: true, control });
    if (report.busy && mode !== 'PASSIVE') throw new StorageError('HYPHA_BUSY', 'readers or another process need what is in the write-ahead log');
    return report;
  }

  /** @param {CallControl} [options] @returns {Promise<StoreStatus>} */
  async status(options) {
    const status = JSON.parse(await this.#session.readControlled(controlOf(options), 'status'));
    const { path, mode, durability } = this.#options;
    return { ...status, path: mode === 'memory' ? undefined : path, durability, sqliteVersion: native.sqliteVersion };
  }

  /**
   * What the store has done and measured. Waits for no write.
   * @param {{ counts?: boolean } & CallControl} [options] counts: false leaves table_counts out, which read the index of all keys
   * @returns {Promise<StoreStats>}
   */
  async stats(options) {
    const given = readOptionsWithDefaults(options, METHOD_OPTIONS.stats);
    return this.#session.operate(async (engine) => {
      const measured = engine.stats();
      const performance = await engine.inspect('storage', given.counts);
      delete performance.wal_frames; // as `log` has them
      delete performance.wal_backfilled;
      return { ...measured, performance };
    }, { control: Control.of(given) });
  }

  /**
   * What is wrong, and what to do about it. Reads the whole file.
   * @param {CallControl} [options]
   * @returns {Promise<Diagnosis>}
   */
  async diagnose(options) {
    return this.#session.operate(async (engine) => {
      const report = await engine.inspect('diagnose');
      const wal = await diagnoseWal(engine, this.#options);
      const stop = await whyStopped(engine);
      const { failure, ...disk } = await this.#lookAtDisk();
      return { ...report, wal, disk, problems: problemsOf({ report, wal, stop, disk, failure }) };
    }, { control: controlOf(options) });
  }

  /**
   * Whether the writer can begin a transaction, and each reader read from the file. A reader whose connection is broken
   * gets a new one first.
   * @param {CallControl} [options] timeout: of each of them, which is then told as one that did not answer; default 1000
   * @returns {Promise<import('./ping.js').Pong>}
   */
  async ping(options) {
    const { timeout, signal } = readOptionsWithDefaults(options, METHOD_OPTIONS.ping);
    return this.#session.operate((engine) => ping(engine, timeout, this.#options.readOnly === true), { control: Control.of({ signal }) });
  }

  /**
   * Keeps a store that has been written much in shape. Other writes wait meanwhile, reads do not.
   * @param {{ analyze?: 'optimize' | 'full' | false, checkpoint?: 'PASSIVE' | 'RESTART' | 'TRUNCATE' | false,
   *   integrity?: 'quick' | 'full' | false, vacuum?: boolean } & CallControl} [options] default: 'optimize', 'PASSIVE',
   *   false, false. A vacuum needs twice the file's size of free disk (else HYPHA_LOW_DISK) and as much memory as the file
   *   is large. HYPHA_BUSY at once where another process holds the write lock. signal and timeout end it between two of its
   *   steps, and the integrity check at any moment
   * @returns {Promise<Optimization>}
   */
  async optimize(options) {
    const given = readOptionsWithDefaults(options, METHOD_OPTIONS.optimize);
    const { analyze, checkpoint, integrity, vacuum } = given;
    return this.#session.operate(async (engine) => {
      if (vacuum) await this.#needSpace(engine);
      /** @type {Optimization} */
      const result = { ok: true, analyze: null, checkpoint: null, integrity: null, vacuum: null };
      if (integrity) {
        const problems = await engine.inspect('integrity', integrity === 'full');
        result.integrity = { mode: integrity, problems };
        result.ok = problems.length === 0;
        if (!result.ok) return result; // rewriting a damaged file may lose what could be saved of it
      }
      if (analyze) result.analyze = { mode: analyze, ...(await engine.maintain(analyze === 'full' ? 'analyze' : 'optimize')) };
      if (vacuum) result.vacuum = await engine.maintain('vacuum');
      if (checkpoint) result.checkpoint = await engine.maintain(checkpoint.toLowerCase());
      return result;
    }, { needsWriter: true, control: Control.of(given) });
  }

  /** @returns {Promise<{ freeBytes: number | null, minFreeBytes: number, low: boolean, failure?: StorageError }>} */
  async #lookAtDisk() {
    try {
      return await this.#disk.check();
    } catch (cause) {
      const failure = new StorageError('HYPHA_IO', `nobody can tell how much of the disk is free: ${/** @type {Error} */ (cause).message}`, { cause });
      return { freeBytes: null, minFreeBytes: this.#options.minFreeBytes, low: false, failure };
    }
  }

  /** Rejects unless a vacuum would fit on the disk. @param {EngineAccess} engine */
  async #needSpace(engine) {
    const { freeBytes, failure } = await this.#lookAtDisk();
    if (failure !== undefined) throw failure;
    if (freeBytes === null) return;
    const { database_size_bytes: size } = await engine.inspect('storage', false);
    if (freeBytes < VACUUM_FACTOR * size) {
      throw new StorageError('HYPHA_LOW_DISK', `a vacuum needs ${VACUUM_FACTOR * size} bytes of free disk, there are ${freeBytes}`);
    }
  }

  /**
   * After errors of the disk or of the log: gives broken readers new connections, copies the log, and checks the file. No
   * file is ever deleted. A store that has stopped has to be opened again instead.
   * @param {CallControl} [options]
   * @returns {Promise<{ ok: boolean, ping: import('./ping.js').Pong, checkpoint: object, integrity: string[] }>}
   */
  async recover(options) {
    const control = controlOf(options);
    return this.#session.operate(async (engine) => {
      const pong = await within(control, ping(engine, RECOVER_PING_MS, this.#options.readOnly === true));
      const checkpoint = await engine.maintain('passive');
      const integrity = await engine.inspect('integrity', false);
      return { ok: pong.ok && integrity.length === 0, ping: pong, checkpoint, integrity };
    }, { needsWriter: true, control });
  }
}

/** @param {EngineAccess} engine @returns {Promise<string | undefined>} what its next write would fail with; undefined while the writer goes on */
async function whyStopped(engine) {
  if (!engine.stats().stopped) return undefined;
  return (await ping(engine, STOPPED_PING_MS, false, true)).connections[0].code ?? 'HYPHA_STOPPED';
}

/**
 * @param {{ report: any, wal: import('./wal-diagnosis.js').WalDiagnosis, stop: string | undefined,
 *   disk: { low: boolean, freeBytes: number | null }, failure: StorageError | undefined }} found
 */
function problemsOf({ report, wal, stop, disk, failure }) {
  /** @type {Problem[]} */
  const problems = [];
  const add = (/** @type {string} */ code, /** @type {string} */ what) => {
    const { category, advice } = classifyError({ code });
    problems.push({ category, what, advice });
  };
  if (report.integrity !== 'ok') add('HYPHA_CORRUPT', report.integrity);
  if (!report.schema.verified) add('HYPHA_SCHEMA_CHANGED', report.schema.problem);
  if (stop !== undefined) add(stop, `the writer has stopped, and every write is ${stop}`);
  if (wal.blockedBy !== null) add('HYPHA_BUSY', `a ${wal.blockedBy} keeps the write-ahead log from being copied`);
  if (failure !== undefined) add(failure.code, failure.message);
  if (disk.low) add('HYPHA_FULL', `${disk.freeBytes} bytes are free`);
  return problems;
}
