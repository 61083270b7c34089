// Writes on their way to the engine: gathers those issued in one go, and knows which keys are not yet settled.

import { nextTick } from 'node:process';

import { controlled } from './control.js';
import { StorageError, toError } from './errors.js';
import { native } from './native.js';
import { KIND, OpList } from './op-list.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./native.js').CallTarget} CallTarget */
/** @typedef {import('./control.js').Control} Control */
/** @typedef {import('./hold.js').Hold} Hold */
/** @typedef {import('./native.js').WriteResult} WriteResult */
/** @typedef {import('./native.js').FailureRecord} FailureRecord */
/** @typedef {import('./turn.js').Turn} Turn */
/** @typedef {import('./op-list.js').Op} Op */
/** @typedef {import('./options.js').Durability} Durability */
/**
 * What one change came to: the entry's new version, or how many rows went; and the durability of its commit, undefined
 * inside a transaction.
 * @typedef {{ version: number, durability?: Durability }} Written
 */
/** @typedef {(number | Error)[] & { durability?: Durability }} Results one for each change */

/** Enough to share a commit, few enough that the writer thread starts while this one still serialises the rest. */
const EARLY = 64;
/** While it is at work more is gathered: 500 writes at once are three requests, and no more commits. */
const LATER = 256;
/** A read during a longer request waits for it rather than look its key up among so many. */
const INDEXED = 10_000;
/** Of Op.kind; the rest are flags. */
const KIND_BITS = 15;

const NONE = new OpList();

/** Making or dropping an index takes long, and changes no entry. @param {Op} op */
const isIndex = ({ kind }) => (kind & KIND_BITS) === KIND.createIndex || (kind & KIND_BITS) === KIND.dropIndex;

/** A request that the engine has, or is about to get. */
class Batch {
  list = new OpList();
  /** @type {((result: number | Error, durability: Durability | undefined) => void)[]} */ waiters = [];
  /** @type {Promise<void> | undefined} settled when the engine has answered, never rejected */ settled;
  /** Whether it may touch any key: clear and the like. */
  touchesAll = false;
  durability = 0;
  /** @type {Set<string> | undefined} of the first #indexed changes, since most requests are never asked for a key */ #keys;
  #indexed = 0;

  /** @param {string} ns @param {string} key @returns {boolean} */
  touches(ns, key) {
    if (this.touchesAll) return true;
    const { ops } = this.list;
    this.#keys ??= new Set();
    for (; this.#indexed < ops.length; this.#indexed++) this.#keys.add(`${ops[this.#indexed].ns}\0${ops[this.#indexed].key}`);
    return this.#keys.has(`${ns}\0${key}`);
  }

  /**
   * Lets go of what the engine has. A request that waited for long is in V8's old generation, and keeps there what it
   * refers to until the next full collection. For the same reason requests are not kept in a Set, whose every table
   * refers to the next: dead ones in the old generation would make each scavenge copy all that came after them.
   */
  release() {
    this.list = NONE;
    this.#keys = undefined;
  }
}

/** @param {number} version @param {Durability | undefined} durability @returns {Written} */
const written = (version, durability) => (durability === undefined ? { version } : { version, durability });

/** @param {WriteResult} result @param {number} count @returns {(number | Error)[]} one for each operation */
export function spread(result, count) {
  if (typeof result === 'number') return [result];
  const [numbers, failures] = result;
  /** @type {(number | Error)[]} */
  const all = Array.from({ length: count }, (_, i) => numbers[i]);
  for (let i = 0; failures !== undefined && i < failures.length; i += 2) {
    const index = /** @type {number} */ (failures[i]);
    // The number beside a failure is the version that was found instead.
    all[index] = Object.assign(StorageError.from(/** @type {FailureRecord} */ (failures[i + 1])), numbers[index] > 0 && { foundVersion: numbers[index] });
  }
  return all;
}

/**
 * @typedef {object} Answer
 * @property {((result: number | Error, durability: Durability | undefined) => void)[]} waiters
 * @property {number | Error | (number | Error)[]} results one for all of them, or one for each
 * @property {Durability | undefined} level
 */

/** @param {Answer} answer */
function tell({ waiters, results, level }) {
  for (let i = 0; i < waiters.length; i++) waiters[i](Array.isArray(results) ? results[i] : results, level);
}

/** Of a store, or of one transaction. */
export class WriteQueue {
  /** @type {NativeStore} */ #native;
  /** @type {number} 0: none */ #transaction;
  /** @type {Turn} */ #turn;
  /** @type {Hold | undefined} */ #hold;
  /** @type {(failure: unknown) => unknown} */ #explain;
  /** @type {Batch | undefined} the one being gathered */ #gathering;
  /** @type {Batch[]} handed to the engine, not answered: a few; no Set: see release() */ #inFlight = [];
  /** @type {Answer[]} what the engine has answered and the callers not yet know */ #answers = [];
  /** Of those that came in their turn, how many the callers know. */ #told = 0;

  /**
   * @param {NativeStore} store @param {Turn} turn
   * @param {{ transaction?: number, hold?: Hold, explain?: (failure: unknown) => unknown }} [of] hold: what may keep changes from
   *   the engine; explain: makes the error that users see of one of the addon's
   */
  constructor(store, turn, { transaction = 0, hold, explain = toError } = {}) {
    this.#explain = explain;
    this.#native = store;
    this.#turn = turn;
    this.#transaction = transaction;
    this.#hold = hold;
  }

  /** Whether everything issued so far has been answered. */
  get idle() {
    return this.#gathering === undefined && this.#inFlight.length === 0;
  }

  /** Resolves once the callers know of every answer that has come: not of those that come meanwhile, which may be without end. */
  async answered() {
    const upTo = this.#told + this.#answers.length;
    while (this.#told < upTo) await this.#turn.next();
  }

  /**
   * Queues one change. It goes to the engine with the others of this turn's current microtask run, in order.
   * @param {Op} op
   * @param {number} durability
   * @returns {Promise<Written>}
   */
  add(op, durability) {
    if (this.#gathering !== undefined && this.#gathering.durability !== durability) this.flush();
    if (this.#gathering === undefined) {
      this.#gathering = new Batch();
      this.#gathering.durability = durability;
      queueMicrotask(this.#flushLater);
    }
    const batch = this.#gathering;
    batch.list.push(op);
    if (op.key === undefined && !isIndex(op)) batch.touchesAll = true;
    const promise = new Promise((resolve, reject) => {
      batch.waiters.push((result, level) => (typeof result === 'number' ? resolve(written(result, level)) : reject(result)));
    });
    if (batch.waiters.length >= (this.#inFlight.length === 0 ? EARLY : LATER)) this.flush();
    return promise;
  }

  /**
   * Sends one change as a request of its own, which may end its wait for its turn.
   * @param {Op} op
   * @param {number} durability
   * @param {Control} control
   * @returns {Promise<Written>}
   */
  async addAlone(op, durability, control) {
    const list = new OpList();
    list.push(op);
    const results = await this.addAll(list, durability, false, control);
    const [result] = results;
    if (typeof result !== 'number') throw result;
    return written(result, results.durability);
  }

  /**
   * Sends many changes as one request of their own.
   * @param {OpList} list
   * @param {number} durability
   * @param {boolean} atomic all or nothing; a failure rejects
   * @param {Control} [control] may end its wait for its turn
   * @returns {Promise<Results>}
   */
  async addAll(list, durability, atomic, control) {
    this.flush();
    if (list.length === 0) return [];
    // One that is dropped settles before those ahead of it, for which reads must go on waiting.
    const before = control === undefined ? undefined : this.pendingOnAll();
    const batch = new Batch();
    batch.list = list;
    batch.touchesAll = list.length > INDEXED;
    const start = async (/** @type {CallTarget} */ target) => list.send(this.#native, target, durability, atomic, false);
    const result = await this.#send(batch, this.#unlessHeld(() => controlled(this.#native, this.#transaction, control, start), list, control), before);
    const level = this.#reached(result, durability);
    return level === undefined ? spread(result, list.length) : Object.assign(spread(result, list.length), { durability: level });
  }

  /**
   * Lets reads wait for something that changes any key: the commit of a transaction.
   * @template T
   * @param {() => Promise<T>} start
   * @returns {Promise<T>}
   */
  barrier(start) {
    this.flush();
    const batch = new Batch();
    batch.touchesAll = true;
    return this.#send(batch, start());
  }

  /** Hands what was gathered to the engine now. */
  flush() {
    const batch = this.#gathering;
    if (batch === undefined) return;
    this.#gathering = undefined;
    const inline = this.#hold?.until === undefined && this.#inFlight.length === 0 && this.#turn.hasTime();
    const { list, durability } = batch;
    let result;
    try {
      result = this.#unlessHeld(() => list.send(this.#native, this.#transaction, durability, false, inline), list);
    } catch (failure) {
      return tell(this.#answerOf(batch, this.#explain(failure)));
    }
    if (inline) this.#turn.touch();
    if (result instanceof Promise || typeof (/** @type {any} */ (result).then) === 'function') {
      this.#send(batch, /** @type {Promise<WriteResult>} */ (result)).then(
        (value) => this.#answerInTurn(batch, value),
        (error) => this.#answerInTurn(batch, error),
      );
    } else {
      tell(this.#answerOf(batch, /** @type {WriteResult} */ (result)));
    }
  }

  /** @template T @param {() => T} work @param {OpList} list @param {Control} [control] @returns {T | Promise<Awaited<T>>} */
  #unlessHeld(work, list, control) {
    return this.#hold === undefined ? work() : this.#hold.pass(work, { list, control });
  }

  #flushLater = () => {
    // Who hears of the answers that still wait will want to write as well: one request for all of them is one commit, where
    // many small ones would stay many. #answerNext() sends it.
    if (this.#answers.length > 1) return;
    // Awaited one by one, inline writes would never let the loop turn.
    if (this.#turn.hasTime()) this.flush();
    else this.#turn.next().then(() => this.flush());
  };

  /**
   * @template T
   * @param {Batch} batch
   * @param {Promise<T>} promise
   * @param {Promise<unknown>} [before] it counts as settled no sooner than this
   * @returns {Promise<T>}
   */
  async #send(batch, promise, before) {
    this.#inFlight.push(batch);
    let settle = () => {};
    batch.settled = new Promise((resolve) => {
      settle = resolve;
    });
    try {
      return await promise;
    } catch (failure) {
      throw this.#explain(failure);
    } finally {
      this.#inFlight.splice(this.#inFlight.indexOf(batch), 1);
      batch.release();
      if (before === undefined) settle();
      else before.then(settle);
    }
  }

  /**
   * Answers after those before it, in a turn with time for it.
   * @param {Batch} batch
   * @param {WriteResult | unknown} result
   */
  #answerInTurn(batch, result) {
    const isFirst = this.#answers.length === 0;
    const { waiters, results, level } = this.#answerOf(batch, result);
    for (let from = 0; from < waiters.length; from += EARLY) {
      const to = from + EARLY;
      this.#answers.push({ waiters: waiters.slice(from, to), results: Array.isArray(results) ? results.slice(from, to) : results, level });
    }
    if (isFirst) this.#answerNext();
  }

  /**
   * The continuations of hundreds of promises would hold the loop: those of one answer run to their end, which is when
   * nextTick calls back, and after a millisecond of them the other answers wait for a later turn.
   */
  #answerNext = () => {
    if (this.#answers.length === 0) return this.flush();
    if (!this.#turn.hasTime()) {
      this.flush();
      return void this.#turn.next().then(this.#answerNext);
    }
    this.#turn.touch();
    tell(this.#answers[0]);
    queueMicrotask(this.#whenContinued);
  };

  // Not from a tick: one that a tick adds runs before the microtasks.
  #whenContinued = () => nextTick(this.#answered);

  #answered = () => {
    this.#answers.shift();
    this.#told++;
    this.#answerNext();
  };

  /** @param {WriteResult} result @param {number} asked @returns {Durability | undefined} of the commit; in a transaction there was none yet */
  #reached(result, asked) {
    if (this.#transaction !== 0) return undefined;
    return /** @type {Durability} */ (native.durabilities[Array.isArray(result) ? (result[2] ?? asked) : asked]);
  }

  /** @param {Batch} batch @param {WriteResult | unknown} result an Error when the whole request failed @returns {Answer} */
  #answerOf(batch, result) {
    const { waiters } = batch;
    batch.waiters = [];
    const level = this.#reached(/** @type {WriteResult} */ (result), batch.durability);
    return { waiters, results: Array.isArray(result) ? spread(/** @type {WriteResult} */ (result), waiters.length) : /** @type {number | Error} */ (result), level };
  }

  /**
   * What a read of this key has to wait for: nothing, or a promise that never rejects.
   * @param {string} ns
   * @param {string} key
   * @returns {Promise<unknown> | undefined}
   */
  pendingOn(ns, key) {
    if (this.#gathering?.touches(ns, key)) this.flush();
    /** @type {Promise<void> | undefined} */
    let last;
    // Requests settle in order, so the last one that touches the key is enough.
    for (const batch of this.#inFlight) if (batch.touches(ns, key)) last = batch.settled;
    return last;
  }

  /** @returns {Promise<unknown> | undefined} as pendingOn(), for a read of anything */
  pendingOnAll() {
    this.flush();
    /** @type {Promise<void> | undefined} */
    let last;
    for (const batch of this.#inFlight) last = batch.settled;
    return last;
  }
}
