// Backups that are made by themselves, and how many of them are kept.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { closed } from './errors.js';

/** @typedef {import('./copies.js').BackupReport} BackupReport */
/**
 * @typedef {object} ScheduleOptions
 * @property {string} directory that is there; others may keep files in it
 * @property {number} every milliseconds between the starts of two backups
 * @property {number} keep newest backups that are kept
 * @property {(report: BackupReport) => unknown} [onBackup] what it, and onError, throw or reject with is a process warning
 * @property {(error: unknown) => unknown} [onError]
 */

/** @typedef {import('./errors.js').StorageError} StorageError */

/** How many backups may get their names in one millisecond. */
const SAME_MOMENT = 1000;

/** The files that belong to a database which is open, or was when its process was killed. */
const BESIDE = ['-wal', '-shm', '-journal'];

/** What a process that was killed left behind is certainly nobody's by then. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000;

/**
 * What the names of a store's backups begin with: its own name, and what tells it from another of that name whose backups
 * go to the same folder.
 * @param {string | undefined} path @returns {string}
 */
function stemOf(path) {
  const name = path === undefined ? 'memory' : basename(path).replace(/\.[^.]*$/, '') || basename(path);
  const which = path === undefined ? randomUUID() : resolve(path);
  return `${name}-${createHash('sha256').update(which).digest('hex').slice(0, 8)}`;
}

/**
 * Whoever listens has no part in the backup, which does not wait for it: what it throws, or rejects with, is a warning.
 * @template T @param {((told: T) => unknown) | undefined} listener @param {T} told
 */
async function tell(listener, told) {
  try {
    await listener?.(told);
  } catch (error) {
    process.emitWarning(`a listener of scheduleBackups() threw ${String(error)}`);
  }
}

/** @param {string} stem @returns {RegExp} */
const namesOf = (stem) => new RegExp(`^${stem.replace(/[^\w]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}-\\d{8}T\\d{9}Z\\.db(\\.tmp-.*|-wal|-shm|-journal)?$`, 'u');

/**
 * Deletes a backup, unless it is in use: what is written to it then would go as well. Who opens it between the look and the
 * deletion is not seen.
 * @param {string} path
 * @param {(path: string) => Promise<void>} settleFile
 */
async function forget(path, settleFile) {
  const failure = await settleFile(path).then(() => undefined, (/** @type {StorageError} */ error) => error);
  if (failure?.code === 'HYPHA_BUSY') return; // the next time, then; any other failure says that nobody here has it
  if (BESIDE.some((suffix) => existsSync(path + suffix))) return; // another process has it
  await rm(path, { force: true }); // another schedule may have been first
}

/** Made by Store.scheduleBackups(). */
export class BackupSchedule {
  #make;
  #settleFile;
  #options;
  #stem;
  #names;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  /** @type {Promise<BackupReport | undefined> | undefined} */ #running;
  #stopped = false;
  /** The last one that was made. @type {BackupReport | undefined} */ last;
  /** Why the last attempt failed; undefined when it did not. @type {unknown} */ lastError;

  /**
   * @param {{ make: (path: string) => Promise<BackupReport>, settleFile: (path: string) => Promise<void> }} how settleFile:
   *   fails with HYPHA_BUSY where this process has the database open, and leaves no log beside one that nobody has open
   * @param {string | undefined} path of the store
   * @param {ScheduleOptions} options checked
   */
  constructor({ make, settleFile }, path, options) {
    this.#make = make;
    this.#settleFile = settleFile;
    this.#options = options;
    this.#stem = stemOf(path);
    this.#names = namesOf(this.#stem);
    this.#timer = setInterval(() => this.run(), options.every);
    this.#timer.unref(); // a schedule alone is no reason for a process to go on
  }

  /**
   * Makes one now. While one is under way, that one counts; after stop() it fails with HYPHA_CLOSED.
   * @returns {Promise<BackupReport | undefined>} undefined when it failed: see lastError and onError
   */
  run() {
    return (this.#running ??= this.#runOnce().finally(() => (this.#running = undefined)));
  }

  async #runOnce() {
    const { onBackup, onError } = this.#options;
    try {
      if (this.#stopped) throw closed('the schedule was stopped');
      const report = await this.#makeOne();
      this.last = report;
      await this.#forgetOld(basename(report.path));
      this.lastError = undefined;
      tell(onBackup, report);
      return report;
    } catch (error) {
      this.lastError = error;
      tell(onError, error);
      return undefined;
    }
  }

  /** Another schedule, perhaps of another process, may have taken the name of this moment. @returns {Promise<BackupReport>} */
  async #makeOne() {
    const now = Date.now();
    for (let later = 0; ; later++) {
      const stamp = new Date(now + later).toISOString().replace(/[-:.]/g, '');
      try {
        return await this.#make(join(this.#options.directory, `${this.#stem}-${stamp}.db`));
      } catch (error) {
        if (/** @type {StorageError} */ (error).code !== 'HYPHA_EXISTS' || later === SAME_MOMENT - 1) throw error;
      }
    }
  }

  /**
   * The one that was just made is the newest, whatever time the others claim: the clock may have been ahead.
   * @param {string} made
   */
  async #forgetOld(made) {
    const { directory, keep } = this.#options;
    const files = (await readdir(directory, { withFileTypes: true })).filter((each) => each.isFile());
    const names = files.map(({ name }) => name).filter((name) => this.#names.test(name)).sort();
    const backups = names.filter((name) => name.endsWith('.db'));
    const whole = [...backups.filter((name) => name > made), ...backups.filter((name) => name <= made)];
    for (const name of whole.slice(0, Math.max(0, whole.length - keep))) await forget(join(directory, name), this.#settleFile);
    for (const name of names.filter((each) => each.includes('.tmp-'))) {
      const path = join(directory, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity })); // has its own name by now, or is gone
      if (Date.now() - mtimeMs > ABANDONED_AFTER) await rm(path, { force: true });
    }
    // Two who look at one backup at once may leave its log.
    for (const name of names.filter((each) => !each.includes('.tmp-') && !each.endsWith('.db'))) {
      if (!existsSync(join(directory, name.replace(/-[a-z]+$/, '')))) await rm(join(directory, name), { force: true });
    }
  }

  /** No more of them. @returns {Promise<void>} resolved once the one under way has ended */
  async stop() {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#running;
  }
}
