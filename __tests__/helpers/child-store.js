// A store in another process, driven call by call.

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { within } from './child-run.js';

const program = fileURLToPath(new URL('./child-store-program.js', import.meta.url));

export class RemoteStore {
  #child;
  #waiting = new Map();
  #next = 1;

  /** @param {object} options as open() takes them */
  static async open(options) {
    const remote = new RemoteStore();
    await remote.call('open', options);
    return remote;
  }

  constructor() {
    this.#child = fork(program, [], { execArgv: [], env: { ...process.env, NODE_OPTIONS: '' }, serialization: 'advanced' });
    this.#child.on('message', ({ id, value, error }) => {
      const { resolve, reject } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) reject(Object.assign(new Error(error.message), error));
      else resolve(value);
    });
    this.exited = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve({ code, signal })));
  }

  /** @param {string} method of the store, or 'open', 'update_plus', 'atomic_sum', or 'tx.' and a method of its transaction */
  call(method, ...args) {
    const id = this.#next++;
    const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.send({ id, method, args });
    return within(`${method} in the other process`, answer);
  }

  async end() {
    this.#child.disconnect();
    return within('end of the other process', this.exited);
  }

  async kill() {
    this.#child.kill('SIGKILL');
    return within('death of the other process', this.exited);
  }
}
