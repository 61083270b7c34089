// store.buffer(): writes that are gathered for a while and committed together.

import process from 'node:process';
import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';

import { Control, controlOf, within } from './control.js';
import { deleteOp, setOp } from './entry-ops.js';
import { StorageError, invalidArgument } from './errors.js';
import { KIND, OpList } from './op-list.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { parseStored } from './results.js';
import { Scope } from './scope.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./op-list.js').Op} Op */
/** @typedef {import('./options.js').Durability} Durability */
/** @typedef {{ namespace?: string } & import('./control.js').CallControl} ReadOptions */
/** @typedef {{ namespace?: string, metadata?: object | null, overwrite?: boolean, ifVersion?: number | null }} BufferedSetOptions */
/** @typedef {{ maxItems: number, maxBytes: number, flushInterval: number, durability?: Durability }} BufferOptions */
/** @typedef {'bySize' | 'byBytes' | 'byTime' | 'byCall'} Cause */

/**
 * @typedef {object} BufferStats
 * @property {number} buffered items not yet committed
 * @property {number} bytes of their keys, values and metadata
 * @property {number} flushes transactions asked for
 * @property {number} bySize decisions to flush for maxItems; the next ones likewise
 * @property {number} byBytes
 * @property {number} byTime
 * @property {number} byCall by flush(), by a call on the store that comes after what is buffered, or at the end of the process
 * @property {number} retries
 * @property {number} committed items
 * @property {number} failed items
 */

/** A request that failed as a whole is sent again so many times, after 100, 200 and 400 ms. */
const RETRIES = 3;
const FIRST_DELAY = 100;

/**
 * @typedef {object} Item
 * @property {Op} op
 * @property {string} place
 * @property {number} bytes
 * @property {number} queuedBytes what the engine counts of it
 * @property {(result: import('./write-queue.js').Written) => void} resolve
 * @property {(error: unknown) => void} reject
 */

/** Buffers that hold something: a process that would end now has work left. @type {Set<WriteBuffer>} */
const holding = new Set();

function flushAtEnd() {
  for (const buffer of holding) buffer[flushNow]();
}

/** @param {WriteBuffer} buffer */
function nowHolds(buffer) {
  if (holding.size === 0) process.on('beforeExit', flushAtEnd);
  holding.add(buffer);
}

/** @param {WriteBuffer} buffer */
function holdsNoMore(buffer) {
  holding.delete(buffer);
  if (holding.size === 0) process.off('beforeExit', flushAtEnd);
}

/** Names a method that is not part of the public interface: flush() for the store itself. */
export const flushNow = Symbol('flushNow');

/** @param {unknown} error @param {Op} op @returns {StorageError} an error of this item's own */
function failureOf(error, op) {
  const { code = 'HYPHA_INTERNAL', message, sqliteCode } = /** @type {StorageError} */ (error);
  const type = (op.kind & 15) === KIND.delete ? 'delete' : 'set';
  const value = op.value === undefined ? undefined : parseStored(op.value);
  return Object.assign(new StorageError(code, message, { sqliteCode, cause: error }), { item: { type, namespace: op.ns, key: op.key, value } });
}

/**
 * Gathers writes and commits them together: when there are enough of them, when the oldest has waited long enough, before
 * a transaction (read-only ones included), snapshot(), flush(), backup(), verify(), an export or an import of the store,
 * and when the store is closed. Every promise is resolved after the COMMIT that made its item durable, as that of set() is.
 * Items leave the buffer only then, in the order they came. A write of the store itself does not wait for them: it comes
 * before those that are sent later.
 */
export class WriteBuffer {
  /** @type {Store} */ #store;
  /** @type {StoreSession} */ #session;
  /** @type {Scope} */ #scope;
  /** @type {BufferOptions} */ #options;
  /** @type {Item[]} not yet sent, from #head on */ #waiting = [];
  #head = 0;
  /** The place in #waiting up to which they are to be sent, whatever comes after. */ #due = 0;
  /** Bytes of those that are not due. */ #undueBytes = 0;
  /** @type {Map<string, Item[]>} not yet committed, of each key the oldest first */ #pending = new Map();
  #pendingItems = 0;
  #pendingBytes = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} armed while something waits that is not due */ #timer;
  #isSending = false;
  /** Items that were ever added, and of those, from the first on, how many are committed or have failed. */
  #added = 0;
  #settled = 0;
  /** @type {{ upTo: number, resolve: () => void }[]} who waits for so many to be settled, in this order */ #flushing = [];
  #closed = false;
  #stats = { flushes: 0, bySize: 0, byBytes: 0, byTime: 0, byCall: 0, retries: 0, committed: 0, failed: 0 };

  /**
   * Use store.buffer().
   * @param {Store} store
   * @param {StoreSession} session
   * @param {BufferOptions} options
   */
  constructor(store, session, options) {
    this.#store = store;
    this.#session = session;
    this.#scope = new Scope(session);
    this.#options = options;
  }

  /**
   * The value is taken at the call. An item that fails (overwrite, ifVersion, a unique index) fails alone.
   * @param {string} key
   * @param {unknown} value
   * @param {BufferedSetOptions} [options] as of set(); durability is the buffer's
   * @returns {Promise<import('./write-queue.js').Written>} after the commit; the error of an item that was sent has it as `item`
   */
  async set(key, value, options) {
    const op = setOp(this.#scope, key, value, readOptions(options, METHOD_OPTIONS.bufferSet));
    return this.#add(op);
  }

  /**
   * @param {string} key
   * @param {{ namespace?: string, ifVersion?: number | null }} [options]
   * @returns {Promise<boolean>} after the commit: whether there was an entry
   */
  async delete(key, options) {
    return (await this.#add(deleteOp(this.#scope, key, readOptions(options, METHOD_OPTIONS.bufferDelete)))).version > 0;
  }

  /**
   * set() or delete() as data.
   * @param {{ type?: 'set' | 'delete', key: string, value?: unknown } & BufferedSetOptions} item type: default 'set'
   * @returns {Promise<import('./write-queue.js').Written | boolean>}
   */
  async add(item) {
    if (typeof item !== 'object' || item === null) throw invalidArgument('item', 'an object { type, key, value, ... }');
    const { type = 'set', key, value, ...options } = { __proto__: null, ...item };
    if (type === 'set') return this.set(key, value, options);
    if (type !== 'delete') throw invalidArgument('item.type', "'set' or 'delete'");
    if (value !== undefined) throw invalidArgument('item.value', 'absent in a delete');
    return this.delete(key, /** @type {{ namespace?: string }} */ (options));
  }

  /**
   * The value that the newest buffered write gives the key, else the one that is stored. While a write with a condition
   * is buffered, that is settled first.
   * @template [T=any]
   * @param {string} key
   * @param {ReadOptions} [options]
   * @returns {Promise<T | undefined>}
   */
  async get(key, options) {
    const { op, rest } = await this.#newest(key, options);
    if (op === undefined) return this.#store.get(key, rest);
    return op.value === undefined ? undefined : parseStored(op.value);
  }

  /** @param {string} key @param {ReadOptions} [options] @returns {Promise<boolean>} as get() finds it */
  async has(key, options) {
    const { op, rest } = await this.#newest(key, options);
    return op === undefined ? this.#store.has(key, rest) : op.value !== undefined;
  }

  /**
   * Sends what is buffered now.
   * @param {import('./control.js').CallControl} [options] ends the wait for it, not what was sent
   * @returns {Promise<void>} resolved once each of these items is committed or has failed
   */
  async flush(options) {
    const control = controlOf(options);
    this.#session.checkUsable();
    return within(control, this[flushNow]());
  }

  /** @returns {BufferStats} */
  stats() {
    this.#checkOpen();
    return { buffered: this.#pendingItems, bytes: this.#pendingBytes, ...this.#stats };
  }

  /**
   * Flushes; every later use fails with HYPHA_CLOSED. The store stays open.
   * @returns {Promise<void>} HYPHA_NESTED inside the body of a transaction while it holds something
   */
  async close() {
    if (this.#pendingItems > 0 && !this.#session.isClosed) this.#session.checkUsable(); // inside a body it would wait for itself
    this.#closed = true;
    return this[flushNow]();
  }

  /** @returns {Promise<void>} */
  [Symbol.asyncDispose]() {
    return this.close();
  }

  #checkOpen() {
    if (this.#session.isClosed) throw new StorageError('HYPHA_CLOSED', 'the store is closed');
    if (this.#closed) throw new StorageError('HYPHA_CLOSED', 'the buffer is closed');
  }

  /**
   * @param {string} key
   * @param {ReadOptions | undefined} options
   * @returns {Promise<{ op?: Op, rest?: ReadOptions }>} rest: the options of a read of the store after this
   */
  async #newest(key, options) {
    this.#checkOpen();
    const namespace = this.#scope.nsOfRead(options);
    const control = Control.of(options ?? {});
    const items = this.#pending.get(`${namespace}\0${key}`);
    const isUncertain = items?.some(({ op }) => op.ifVersion !== undefined || (op.kind & ~15) !== 0);
    if (items !== undefined && !isUncertain) return { op: items[items.length - 1].op };
    if (isUncertain) {
      this.#session.checkUsable();
      await within(control, this[flushNow]());
      this.#checkOpen();
      // What came meanwhile came after this read.
    }
    return { rest: { namespace, ...control?.rest } };
  }

  /** @param {Op} op @returns {Promise<import('./write-queue.js').Written>} */
  #add(op) {
    this.#checkOpen();
    this.#session.checkUsable();
    const list = new OpList();
    list.push(op);
    const bytes = list.byteLength();
    const { queueOperations, queueBytes } = this.#session.limits;
    if (this.#pendingItems + 1 > queueOperations || this.#pendingBytes + bytes > queueBytes) {
      throw new StorageError('HYPHA_QUEUE_FULL', 'the buffer holds limits.queueOperations items or limits.queueBytes bytes');
    }
    return new Promise((resolve, reject) => this.#keep({ op, place: `${op.ns}\0${op.key}`, bytes, queuedBytes: list.queuedBytes(), resolve, reject }));
  }

  /** @param {Item} item */
  #keep(item) {
    const { maxItems, maxBytes, flushInterval } = this.#options;
    const older = this.#pending.get(item.place);
    if (older === undefined) this.#pending.set(item.place, [item]);
    else older.push(item);
    if (this.#pendingItems++ === 0) {
      nowHolds(this);
      this.#session.buffers.add(this);
    }
    this.#pendingBytes += item.bytes;
    this.#waiting.push(item);
    this.#added++;
    this.#undueBytes += item.bytes;
    if (this.#waiting.length - this.#due >= maxItems) return this.#makeDue('bySize');
    if (this.#undueBytes >= maxBytes) return this.#makeDue('byBytes');
    this.#timer ??= setTimeout(() => this.#makeDue('byTime'), flushInterval).unref();
  }

  /** Everything that waits now will be sent. @param {Cause} cause */
  #makeDue(cause) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length > this.#due) this.#stats[cause]++;
    this.#due = this.#waiting.length;
    this.#undueBytes = 0;
    if (this.#due > this.#head && !this.#isSending) this.#send();
  }

  /** Waits for what was added before, not for what comes meanwhile, which may be without end. @returns {Promise<void>} */
  async [flushNow]() {
    this.#makeDue('byCall');
    const upTo = this.#added;
    if (this.#settled < upTo) await new Promise((/** @type {(value?: void) => void} */ resolve) => this.#flushing.push({ upTo, resolve }));
  }

  /** One request after the other: a later one must not overtake one that is tried again. */
  async #send() {
    this.#isSending = true;
    while (this.#due > this.#head) {
      const items = this.#take();
      await this.#sendOne(items);
      this.#settled += items.length;
      while (this.#flushing[0]?.upTo <= this.#settled) this.#flushing.shift()?.resolve();
    }
    this.#isSending = false;
  }

  /** @returns {Item[]} the next of those due, as many as may share a transaction and the engine takes at once */
  #take() {
    const { maxItems, maxBytes } = this.#options;
    const { queueBytes } = this.#session.limits;
    const from = this.#head;
    let bytes = 0;
    let queued = 0;
    for (; this.#head < this.#due && this.#head - from < maxItems; this.#head++) {
      const item = this.#waiting[this.#head];
      bytes += item.bytes;
      queued += item.queuedBytes;
      if (this.#head > from && (bytes > maxBytes || queued > queueBytes)) break;
    }
    const items = this.#waiting.slice(from, this.#head);
    if (this.#head * 2 >= this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#due -= this.#head;
      this.#head = 0;
    }
    return items;
  }

  /** Never rejects: each item hears of its own end. @param {Item[]} items */
  async #sendOne(items) {
    const list = new OpList();
    for (const { op } of items) list.push(op);
    /** @type {import('./write-queue.js').Results} */
    let results;
    try {
      results = await this.#commit(list);
    } catch (error) {
      results = items.map(() => /** @type {Error} */ (error));
    }
    this.#forget(items);
    for (let i = 0; i < items.length; i++) {
      const result = results[i];
      if (typeof result === 'number') items[i].resolve({ version: result, durability: results.durability });
      else items[i].reject(failureOf(result, items[i].op));
      this.#stats[typeof result === 'number' ? 'committed' : 'failed']++;
    }
  }

  /** @param {OpList} list @returns {Promise<import('./write-queue.js').Results>} */
  async #commit(list) {
    for (let attempt = 0; ; attempt++) {
      try {
        this.#stats.flushes++;
        return await this.#session.writeBuffered(list, this.#options.durability);
      } catch (error) {
        if (!(/** @type {StorageError} */ (error).retryable) || attempt === RETRIES) throw error;
        this.#stats.retries++;
        await delay(FIRST_DELAY * 2 ** attempt);
      }
    }
  }

  /** @param {Item[]} items the oldest of their keys */
  #forget(items) {
    for (const { place, bytes } of items) {
      const ofKey = /** @type {Item[]} */ (this.#pending.get(place));
      ofKey.shift();
      if (ofKey.length === 0) this.#pending.delete(place);
      this.#pendingBytes -= bytes;
    }
    this.#pendingItems -= items.length;
    if (this.#pendingItems > 0) return;
    holdsNoMore(this);
    this.#session.buffers.delete(this);
  }
}
