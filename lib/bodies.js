// Which transaction bodies the running code is inside of.

import { AsyncLocalStorage } from 'node:async_hooks';

/** Those that ran when this code was begun, or what began it. @type {AsyncLocalStorage<Body[]>} */
const inside = new AsyncLocalStorage();
let running = 0;

/**
 * The body of a transaction of `owner`: uses of the owner inside it are recognised until it has ended. What it began and did
 * not wait for, such as a timer, may outlive it, and is then no longer inside.
 */
export class Body {
  /** @type {object | undefined} undefined once it has ended */ #owner;

  /** @param {object} owner */
  constructor(owner) {
    this.#owner = owner;
    running++;
  }

  /** @template T @param {() => T} body @returns {Promise<Awaited<T>>} */
  async run(body) {
    const around = (inside.getStore() ?? []).filter((each) => each.#owner !== undefined);
    try {
      return await inside.run([...around, this], body);
    } finally {
      this.end();
    }
  }

  /** It has ended, or nobody waits for it any more. May be called again. */
  end() {
    if (this.#owner !== undefined) running--;
    this.#owner = undefined;
  }

  /** @param {object} owner @returns {boolean} */
  isOf(owner) {
    return this.#owner === owner;
  }
}

/** @template T @param {object} owner @param {() => T} body @returns {Promise<Awaited<T>>} */
export const runInside = (owner, body) => new Body(owner).run(body);

/** @param {object} owner @returns {boolean} whether this code runs inside the body of a transaction of the owner that has not ended */
export const isInside = (owner) => running !== 0 && inside.getStore()?.some((body) => body.isOf(owner)) === true;
