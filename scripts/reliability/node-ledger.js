// What each client asked for and was told. One byte a unit, written with a system call of its own: the page cache
// outlives the process, so that whatever was written before a SIGKILL can be read after it.

import { closeSync, openSync, readSync, writeSync } from 'node:fs';

export const UNITS = 1 << 15;
export const TOLD = /** @type {const} */ ({ nothing: 0, asked: 1, acked: 2, failed: 3, unknown: 4 });

export class Ledger {
  #file;

  /** @param {string} path @param {number} clients 0: as it is */
  constructor(path, clients = 0) {
    this.#file = openSync(path, clients > 0 ? 'w+' : 'r+', 0o600);
    if (clients > 0) writeSync(this.#file, new Uint8Array(clients * UNITS));
  }

  tell(client, unit, told) {
    writeSync(this.#file, Uint8Array.of(told), 0, 1, client * UNITS + unit);
  }

  /** @returns {number[]} what the client was told of each unit that it asked for */
  told(client) {
    const bytes = new Uint8Array(UNITS);
    readSync(this.#file, bytes, 0, UNITS, client * UNITS);
    const end = bytes.indexOf(TOLD.nothing);
    return [...bytes.subarray(0, end < 0 ? UNITS : end)];
  }

  close() {
    closeSync(this.#file);
  }
}
