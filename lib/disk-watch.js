// Warns before the disk is full.

import { channel } from 'node:diagnostics_channel';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

import { StorageError } from './errors.js';

const EVERY_MS = 60_000;

/** Subscribe with node:diagnostics_channel; a message is a LowDiskWarning. */
export const LOW_DISK_CHANNEL = 'hyphadb:low-disk';
const lowDisk = channel(LOW_DISK_CHANNEL);

/** @typedef {{ code: 'HYPHA_LOW_DISK', error: StorageError, path: string, freeBytes: number, minFreeBytes: number }} LowDiskWarning */

/** The timers of those that are dropped without stop(), as their stores may be without close(). @type {FinalizationRegistry<NodeJS.Timeout>} */
const timers = new FinalizationRegistry((timer) => clearInterval(timer));

/** A timer's function that keeps nothing alive. @param {WeakRef<DiskWatch>} watch @returns {() => void} */
const lookOf = (watch) => () => void watch.deref()?.check().catch(() => {}); // a folder that is gone is told by the store itself

export class DiskWatch {
  /** @type {string | undefined} */ #path;
  /** @type {number} */ #minFreeBytes;
  /** @type {NodeJS.Timeout | undefined} */ #timer;
  #low = false;

  /** @param {string | undefined} path of the database file, undefined in memory @param {number} minFreeBytes 0: no warnings */
  constructor(path, minFreeBytes) {
    this.#path = path;
    this.#minFreeBytes = minFreeBytes;
  }

  /** Looks now, and every minute until stop() or its collection. Keeps no process alive. */
  start() {
    if (this.#path === undefined || this.#minFreeBytes === 0) return;
    const look = lookOf(new WeakRef(this));
    look();
    this.#timer = setInterval(look, EVERY_MS).unref();
    timers.register(this, this.#timer, this);
  }

  stop() {
    clearInterval(this.#timer);
    timers.unregister(this);
  }

  /**
   * Publishes a warning when the disk has become low since the last look.
   * @returns {Promise<{ freeBytes: number | null, minFreeBytes: number, low: boolean }>} freeBytes null: in memory
   */
  async check() {
    const minFreeBytes = this.#minFreeBytes;
    if (this.#path === undefined) return { freeBytes: null, minFreeBytes, low: false };
    const { bavail, bsize } = await statfs(dirname(this.#path));
    const freeBytes = bavail * bsize;
    const low = freeBytes < minFreeBytes;
    if (low && !this.#low) {
      const error = new StorageError('HYPHA_LOW_DISK', `${freeBytes} bytes are free on the disk of ${this.#path}, fewer than minFreeBytes (${minFreeBytes})`);
      lowDisk.publish({ code: 'HYPHA_LOW_DISK', error, path: this.#path, freeBytes, minFreeBytes });
    }
    this.#low = low;
    return { freeBytes, minFreeBytes, low };
  }
}
