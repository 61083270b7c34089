// What another process sees of the locks that this one holds on a database.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './child-run.js';

const program = fileURLToPath(new URL('../../build/release/hypha_lock_probe', import.meta.url));

export class LockProbe {
  #child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  #lines = createInterface({ input: this.#child.stdout });

  /** @param {string} path @returns {Promise<{ database: number, log: number }>} pids of the holders, 0: nobody */
  async look(path) {
    const answer = once(this.#lines, 'line');
    this.#child.stdin.write(`${path}\n`);
    const [line] = await within('the lock probe', answer);
    const [database, log] = line.split(' ').map(Number);
    return { database, log };
  }

  async end() {
    this.#child.stdin.end();
    await once(this.#child, 'close');
  }
}
