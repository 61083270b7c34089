// One client of a stress run: issues random transactions one after the other, and writes down what it saw.

import { setImmediate } from 'node:timers/promises';
import { Random } from './random.js';

export const SLOTS = 20;
/** A list longer than this is left alone, and its slot gets a new one. */
export const LIST_LENGTH = 30;
export const ACCOUNTS = 10;
export const BALANCE = 100;
export const BUSY_TIMEOUT = 5000;

export const now = () => Number(process.hrtime.bigint());

const ROLLBACK = new Error('rolled back on purpose');

/** How often each kind of work is done. @type {[weight: number, method: string][]} */
const WORK = [
  [28, 'transact'], [8, 'transactByHand'], [12, 'appendBlindly'], [8, 'compareAndSet'], [8, 'update'],
  [6, 'readOne'], [10, 'readMany'], [5, 'readOnReaderThread'], [4, 'transfer'], [3, 'sumAccounts'], [3, 'count'], [2, 'put'], [3, 'take'],
];
const TOTAL_WEIGHT = WORK.reduce((sum, [weight]) => sum + weight, 0);

export class Client {
  /** Finished pieces of work; failed ones that were meant to fail count too. */
  done = 0;
  conflicts = 0;
  /** @type {Record<string, number>} */ codes = {};
  #appended = 0;
  #jobs = 0;
  #generations = new Array(SLOTS).fill(0);

  /**
   * @param {any} store
   * @param {{ name: string, number: number, clients: number, ns: string, seed: number, record: (line: object) => void }} options
   *   number: of this client, from 0, among all of the run
   */
  constructor(store, { name, number, clients, ns, seed, record }) {
    this.store = store;
    this.name = name;
    this.random = new Random(seed);
    this.#number = number;
    this.#clients = clients;
    this.#in = { namespace: ns };
    this.#jobsIn = { namespace: `${ns}-jobs` };
    this.#record = record;
  }

  #number;
  #clients;
  #in;
  #jobsIn;
  #record;

  /** @param {number} until on the clock of now() */
  async run(until) {
    while (now() < until) await this.step();
  }

  async step() {
    let at = this.random.below(TOTAL_WEIGHT);
    const [, method] = WORK.find(([weight]) => (at -= weight) < 0);
    await this[method]();
  }

  summary() {
    const { done, conflicts, codes } = this;
    return { client: this.name, done, conflicts, codes };
  }

  /** @param {(ops: any[]) => Promise<void>} work fills in what it did and saw */
  async #txn(work) {
    const ops = [];
    // A snapshot lasts as long as a turn of the loop: after this one, no read can be older than `start`.
    const start = now();
    await setImmediate();
    const status = await this.#outcome(start, () => work(ops));
    this.#record({ client: this.name, status, start, end: now(), ops });
  }

  /** @returns {Promise<'ok' | 'fail' | 'unknown'>} */
  async #outcome(start, work) {
    try {
      await work();
      this.done++;
      return 'ok';
    } catch (error) {
      if (error === ROLLBACK) this.done++;
      else if (error.code === 'HYPHA_CONFLICT') this.conflicts++;
      else this.#countCode(error, (now() - start) / 1e6);
      return error.code === 'HYPHA_INDETERMINATE' ? 'unknown' : 'fail';
    }
  }

  #countCode(error, waited) {
    const isLate = error.code === 'HYPHA_BUSY' && waited >= BUSY_TIMEOUT;
    const name = isLate ? 'HYPHA_BUSY after busyTimeout' : (error.code ?? `${error}`);
    this.codes[name] = (this.codes[name] ?? 0) + 1;
  }

  #value() {
    return this.#number + this.#clients * ++this.#appended;
  }

  #key() {
    const slot = this.random.below(SLOTS);
    return `k${slot}-${this.#generations[slot]}`;
  }

  #keys(most) {
    return [...new Set(Array.from({ length: 1 + this.random.below(most) }, () => this.#key()))];
  }

  // What was read, written down; a list that is long enough is the last of its generation.
  #saw(ops, key, list = []) {
    ops.push(['r', key, list]);
    if (list.length >= LIST_LENGTH) this.#generations[Number(/\d+/.exec(key)[0])] = Number(/\d+$/.exec(key)[0]) + 1;
    return list;
  }

  async #work(tx, ops) {
    for (let i = 1 + this.random.below(6); i > 0; i--) {
      const key = this.#key();
      const list = this.#saw(ops, key, await tx.get(key, this.#in));
      if (!this.random.chance(0.5)) continue;
      const value = this.#value();
      ops.push(['a', key, value]);
      await tx.set(key, [...list, value], this.#in);
    }
  }

  transact() {
    return this.#txn((ops) => this.store.transaction(async (tx) => {
      await this.#work(tx, ops);
      if (this.random.chance(0.1)) throw ROLLBACK;
    }));
  }

  transactByHand() {
    return this.#txn(async (ops) => {
      const tx = await this.store.beginTransaction();
      try {
        await this.#work(tx, ops);
      } catch (error) {
        await tx.rollback().catch(() => {}); // the first failure is the one to tell
        throw error;
      }
      if (this.random.chance(0.8)) return tx.commit();
      await tx.rollback();
      throw ROLLBACK;
    });
  }

  appendBlindly() {
    return this.#txn(async (ops) => {
      const atomic = this.store.atomic();
      for (const key of this.#keys(3)) {
        const value = this.#value();
        ops.push(['a', key, value]);
        atomic.append(key, value, this.#in);
      }
      await atomic.commit();
    });
  }

  compareAndSet() {
    return this.#txn(async (ops) => {
      const key = this.#key();
      const entry = await this.store.getEntry(key, this.#in);
      const list = this.#saw(ops, key, entry?.value);
      const value = this.#value();
      ops.push(['a', key, value]);
      await this.store.set(key, [...list, value], { ...this.#in, ifVersion: entry?.version ?? null });
    });
  }

  update() {
    return this.#txn(async (ops) => {
      const key = this.#key();
      const value = this.#value();
      await this.store.update(key, (list) => {
        ops.length = 0; // this may be a further attempt
        const seen = this.#saw(ops, key, list);
        ops.push(['a', key, value]);
        return [...seen, value];
      }, this.#in);
    });
  }

  readOne() {
    return this.#txn(async (ops) => {
      const key = this.#key();
      this.#saw(ops, key, await this.store.get(key, this.#in));
    });
  }

  readMany() {
    return this.#txn(async (ops) => {
      const keys = this.#keys(6);
      const found = await this.store.getMany(keys, this.#in);
      for (const key of keys) this.#saw(ops, key, found.get(key));
    });
  }

  readOnReaderThread() {
    return this.#txn(async (ops) => {
      const keys = this.#keys(6);
      const entries = await this.store.query([{ field: 'key', operator: 'in', value: keys }], this.#in);
      const found = new Map(entries.map(({ key, value }) => [key, value]));
      for (const key of keys) this.#saw(ops, key, found.get(key));
    });
  }

  async #model(model, work) {
    const line = { client: this.name, model };
    await setImmediate();
    const status = await this.#outcome(now(), () => work(line));
    if (line.what !== undefined) this.#record({ ...line, status });
  }

  transfer() {
    const [from, to] = [this.random.below(ACCOUNTS), this.random.below(ACCOUNTS)].map((n) => `account-${n}`);
    const amount = 1 + this.random.below(20);
    if (from === to) return undefined;
    return this.#model('transfer', () => {
      if (this.random.chance(0.5)) return this.store.atomic().sum(from, -amount, this.#in).sum(to, amount, this.#in).commit();
      return this.store.transaction(async (tx) => {
        const [a, b] = [await tx.get(from, this.#in), await tx.get(to, this.#in)];
        await tx.set(from, a - amount, this.#in);
        await tx.set(to, b + amount, this.#in);
      });
    });
  }

  sumAccounts() {
    return this.#model('bank', async (line) => {
      const keys = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`);
      line.what = [...(await this.store.getMany(keys, this.#in)).values()].reduce((sum, each) => sum + each, 0);
    });
  }

  count() {
    return this.#model('counter', async (line) => {
      const { value, version } = await this.store.getEntry('counter', this.#in);
      line.what = value + 1;
      await this.store.set('counter', value + 1, { ...this.#in, ifVersion: version });
    });
  }

  put() {
    return this.#model('put', async (line) => {
      line.what = `${this.random.below(1000)}-${this.#number}-${++this.#jobs}`;
      await this.store.set(line.what, { by: this.name }, this.#jobsIn);
    });
  }

  take() {
    return this.#model('take', (line) => this.store.transaction(async (tx) => {
      const [job] = await tx.list({ ...this.#jobsIn, limit: 1 });
      line.what = job;
      if (job !== undefined && !(await tx.delete(job, this.#jobsIn))) throw new Error('a job that was listed was not there');
    }));
  }
}
