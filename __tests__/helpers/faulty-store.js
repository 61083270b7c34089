// A store in memory with the methods that the clients of a stress run use, correct unless it is told to have a fault.

import { setImmediate } from 'node:timers/promises';

/** @typedef {'none' | 'transactions do not wait' | 'reads are dirty' | 'reads are old' | 'commits are torn' | 'acknowledged writes vanish' | 'versions are not compared'} Fault */

const conflict = () => Object.assign(new Error('another version'), { code: 'HYPHA_CONFLICT' });
const full = (key, { namespace }) => `${namespace}\0${key}`;
const copy = (value) => (value === undefined ? undefined : structuredClone(value));

export class FaultyStore {
  /** @type {Map<string, { value: any, version: number }>} */ #entries = new Map();
  #old = new Map();
  #version = 0;
  #writes = 0;
  #last = Promise.resolve();

  /** @param {Fault} fault */
  constructor(fault) {
    this.fault = fault;
  }

  /** Runs `work` when all earlier ones have ended, if transactions wait for each other. */
  async #alone(work) {
    const before = this.#last;
    let done;
    this.#last = new Promise((resolve) => {
      done = resolve;
    });
    if (this.fault !== 'transactions do not wait') await before;
    try {
      return await work();
    } finally {
      done();
    }
  }

  #put(key, value) {
    if (this.fault === 'reads are old' && this.#version % 50 === 0) this.#old = new Map(this.#entries);
    if (this.fault === 'acknowledged writes vanish' && ++this.#writes % 100 === 0) return 1;
    if (value === undefined) this.#entries.delete(key);
    else this.#entries.set(key, { value: copy(value), version: ++this.#version });
    return this.#version;
  }

  #see(key) {
    return (this.fault === 'reads are old' ? this.#old : this.#entries).get(key);
  }

  async #commit(changes) {
    for (const [key, value] of changes) {
      this.#put(key, value);
      for (let i = 0; this.fault === 'commits are torn' && i < 10; i++) await setImmediate();
    }
  }

  #transaction() {
    const changes = new Map();
    const undo = [];
    const dirty = this.fault === 'reads are dirty';
    const read = (key) => (changes.has(key) ? changes.get(key) : this.#entries.get(key)?.value);
    const write = (key, value) => {
      if (dirty) {
        const before = this.#entries.get(key)?.value;
        undo.unshift(() => this.#put(key, before));
        this.#put(key, value);
      } else changes.set(key, value);
    };
    return {
      commit: () => this.#commit(changes),
      undo: () => undo.forEach((step) => step()),
      get: async (key, o) => (await setImmediate(), copy(read(full(key, o)))),
      set: async (key, value, o) => {
        write(full(key, o), copy(value));
        for (let i = dirty ? 10 : 1; i > 0; i--) await setImmediate(); // time for others to look
      },
      delete: async (key, o) => (await setImmediate(), write(full(key, o), undefined), true),
      list: async ({ namespace }) => [...this.#entries.keys()].filter((key) => key.startsWith(`${namespace}\0`)).map((key) => key.slice(namespace.length + 1)).sort(),
    };
  }

  transaction(body) {
    return this.#alone(async () => {
      const tx = this.#transaction();
      let result;
      try {
        result = await body(tx);
      } catch (error) {
        tx.undo();
        throw error;
      }
      await tx.commit();
      return result;
    });
  }

  beginTransaction() {
    return new Promise((begun) => {
      this.#alone(() => new Promise((ended) => {
        const tx = this.#transaction();
        begun({ ...tx, commit: async () => (await tx.commit(), ended()), rollback: async () => (tx.undo(), ended()) });
      }));
    });
  }

  atomic() {
    const edits = [];
    const add = (change) => (key, operand, o) => (edits.push([full(key, o), (value) => change(value, operand)]), builder);
    const builder = {
      append: add((list = [], value) => [...list, value]),
      sum: add((value = 0, n) => value + n),
      commit: () => this.#alone(async () => {
        await this.#commit(edits.map(([key, change]) => [key, change(this.#entries.get(key)?.value)]));
        return { ok: true };
      }),
    };
    return builder;
  }

  set(key, value, o) {
    return this.#alone(async () => {
      await setImmediate();
      const found = this.#entries.get(full(key, o))?.version ?? null;
      const differs = o.ifVersion !== undefined && o.ifVersion !== found && this.fault !== 'versions are not compared';
      if (differs) throw conflict();
      return { version: this.#put(full(key, o), value) };
    });
  }

  update(key, change, o) {
    return this.#alone(async () => this.#put(full(key, o), change(copy(this.#entries.get(full(key, o))?.value))));
  }

  async getEntry(key, o) {
    return copy(this.#see(full(key, o)));
  }

  async get(key, o) {
    return copy(this.#see(full(key, o))?.value);
  }

  async getMany(keys, o) {
    return new Map(keys.map((key) => [key, copy(this.#see(full(key, o))?.value)]).filter(([, value]) => value !== undefined));
  }

  async query([{ value: keys }], o) {
    return [...(await this.getMany(keys, o))].map(([key, value]) => ({ key, value }));
  }
}
