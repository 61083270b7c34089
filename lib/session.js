// How the data methods reach an engine directly. TransactionSession has the same methods; lib/data-methods.js is written
// against both.

import { isInside } from './bodies.js';
import { Closing } from './closing.js';
import { Control, controlled, within } from './control.js';
import { EngineAccess } from './engine-access.js';
import { StorageError, closed, settle, toError } from './errors.js';
import { Hold, importInOrder } from './hold.js';
import { InlineReads } from './inline-reads.js';
import { Lines } from './lines.js';
import { native } from './native.js';
import { DEFAULT_NAMESPACE } from './scope.js';
import { SnapshotSession } from './snapshot-session.js';
import { TransactionSession } from './transaction-session.js';
import { Turn } from './turn.js';
import { flushNow } from './write-buffer.js';
import { WriteQueue } from './write-queue.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./native.js').RawEntry} RawEntry */
/** @typedef {import('./options.js').Limits} Limits */
/** @typedef {import('./options.js').Durability} Durability */
/** @typedef {import('./op-list.js').OpList} OpList */
/** @typedef {import('./op-list.js').Op} Op */
/** @typedef {import('./write-queue.js').Written} Written */
/** @typedef {import('./write-queue.js').Results} Results */
/** @typedef {{ timeout?: number, readOnly?: boolean, signal?: AbortSignal, durability?: Durability }} BeginOptions */

/** More keys than this in one getMany() would hold the loop for too long. */
const INLINE_KEYS = 256;

const durabilities = new Map(native.durabilities.map((name, index) => [name, index]));

export class StoreSession {
  /** @type {NativeStore} */ #native;
  /** @type {WriteQueue} */ #queue;
  /** @type {Turn} */ #turn;
  /** @type {Durability} */ #durability;
  /** @type {InlineReads} */ #inline;
  #closing = new Closing();
  /** @type {Hold} */ #hold;
  /** @type {Lines} */ lines;
  /** Those that hold something. @type {Set<import('./write-buffer.js').WriteBuffer>} */ buffers = new Set();

  /** @param {NativeStore} store @param {{ limits: Limits, durability: Durability, busyTimeout?: number }} options */
  constructor(store, options) {
    this.#native = store;
    this.limits = options.limits;
    this.busyTimeout = options.busyTimeout ?? 0;
    this.#durability = options.durability;
    this.#turn = new Turn(() => store.endTurn());
    this.#inline = new InlineReads(store, this.#turn, this.#closing);
    this.#hold = new Hold(options.limits);
    this.#queue = new WriteQueue(store, this.#turn, { hold: this.#hold });
    this.lines = new Lines(store, this);
  }

  /** Of writes and transactions that ask for none of their own. */
  get durability() {
    return this.#durability;
  }

  get isClosed() {
    return this.#closing.begun;
  }

  /** @param {Durability | undefined} durability @returns {number} as the addon has it */
  level(durability) {
    return /** @type {number} */ (durabilities.get(durability ?? this.#durability));
  }

  /** What the engine makes of a level: a commit without its syncs could take earlier ones with it. @param {Durability} durability @returns {Durability} */
  #reached(durability) {
    return durability === 'off' && this.#durability !== 'off' ? 'normal' : durability;
  }

  #checkOpen() {
    if (this.#closing.begun) throw closed();
  }

  /** Inside its own transaction's body the store would wait for itself. */
  #checkNotNested() {
    if (isInside(this)) {
      throw new StorageError('HYPHA_NESTED', 'use the transaction, not the store, inside the body of its own transaction');
    }
  }

  /**
   * The value's JSON text, at once in the common case: the two hottest reads make no closure and no promise.
   * @param {string} ns
   * @param {string} key
   * @returns {string | undefined | Promise<string | undefined>}
   */
  valueText(ns, key) {
    if (!this.#closing.begun && this.#queue.idle) {
      this.#turn.touch();
      const answer = this.#native.get(ns === DEFAULT_NAMESPACE ? 0 : ns, key);
      if (typeof answer !== 'number') return answer;
    }
    return this.readPoint(ns, key, (store) => store.get(ns, key), async (store) => (await store.read(0, 'entry', ns, key))?.[0]);
  }

  /**
   * @param {string} ns
   * @param {string} key
   * @returns {true | undefined | Promise<true | undefined>}
   */
  isPresent(ns, key) {
    if (!this.#closing.begun && this.#queue.idle) {
      this.#turn.touch();
      const answer = this.#native.has(ns === DEFAULT_NAMESPACE ? 0 : ns, key);
      if (typeof answer !== 'number') return answer;
    }
    const elsewhere = async (/** @type {Pick<NativeStore, 'read'>} */ store) => ((await store.read(0, 'entry', ns, key)) === undefined ? undefined : /** @type {const} */ (true));
    return this.readPoint(ns, key, (store) => store.has(ns, key), elsewhere);
  }

  /**
   * The same two without a promise. Where the inline reader cannot answer, this thread waits for a reader thread.
   * @param {string} ns
   * @param {string} key
   * @returns {string | undefined} the value's JSON text
   */
  valueTextSync(ns, key) {
    const text = this.#pointSync(ns, key, (store) => store.get(ns, key));
    return text === native.ELSEWHERE ? this.#entrySync(ns, key)?.[0] : /** @type {string | undefined} */ (text);
  }

  /** @param {string} ns @param {string} key @returns {boolean} */
  isPresentSync(ns, key) {
    const found = this.#pointSync(ns, key, (store) => store.has(ns, key));
    return found === native.ELSEWHERE ? this.#entrySync(ns, key) !== undefined : found === true;
  }

  /**
   * @template T
   * @param {string} ns
   * @param {string} key
   * @param {(store: NativeStore) => T | number} inline
   * @returns {T | number}
   */
  #pointSync(ns, key, inline) {
    this.#checkOpen();
    if (!this.#queue.idle && this.#queue.pendingOn(ns, key) !== undefined) {
      throw new StorageError('HYPHA_BUSY', 'a write to this key is on its way, and a synchronous read cannot wait for it: await the write first');
    }
    return this.#inline.runSync(inline);
  }

  /** @param {string} ns @param {string} key @returns {RawEntry | undefined} */
  #entrySync(ns, key) {
    try {
      return this.#native.readSync(0, 'entry', ns, key);
    } catch (failure) {
      throw toError(failure);
    }
  }

  /**
   * A read of one key on this thread.
   * @template T
   * @param {string} ns
   * @param {string} key
   * @param {(store: NativeStore) => T | number} inline
   * @param {(store: NativeStore) => Promise<T>} elsewhere
   * @returns {T | Promise<T>}
   */
  readPoint(ns, key, inline, elsewhere) {
    this.#checkOpen();
    return this.#readPoint(ns, key, inline, elsewhere);
  }

  /**
   * @template T
   * @param {string} ns
   * @param {string} key
   * @param {(store: NativeStore) => T | number} inline
   * @param {(store: NativeStore) => Promise<T>} elsewhere
   * @returns {T | Promise<T>}
   */
  #readPoint(ns, key, inline, elsewhere) {
    if (!this.#queue.idle) {
      const pending = this.#queue.pendingOn(ns, key);
      if (pending !== undefined) {
        this.#checkNotNested();
        return this.#closing.during(pending.then(() => this.#inline.run(inline, elsewhere)));
      }
    }
    return this.#inline.run(inline, elsewhere);
  }

  /**
   * @param {string} ns
   * @param {string[]} keys
   * @returns {Promise<[chunks: (string | number)[], present: string]>}
   */
  readMany(ns, keys) {
    return this.#afterWrites(() => {
      const elsewhere = (/** @type {Pick<NativeStore, 'read'>} */ store) => store.read(0, 'many', ns, keys);
      if (keys.length > INLINE_KEYS) return settle(elsewhere(this.#native));
      return this.#inline.run((store) => store.getMany(ns, keys), elsewhere);
    });
  }

  /**
   * Runs a read after every write issued before it: in this very call if there is none.
   * @template T
   * @param {() => T | Promise<T>} read
   * @param {Control} [control] of the wait
   * @returns {Promise<T>}
   */
  async #afterWrites(read, control) {
    const pending = this.#pendingWrites();
    return this.#closing.during(pending === undefined ? Promise.resolve(read()) : within(control, pending).then(read));
  }

  /** @returns {Promise<unknown> | undefined} what a read of anything has to wait for: every write issued before */
  #pendingWrites() {
    this.#checkOpen();
    return this.#issuedWrites();
  }

  #issuedWrites() {
    if (this.#queue.idle) return undefined;
    const pending = this.#queue.pendingOnAll();
    if (pending !== undefined) this.#checkNotNested();
    return pending;
  }

  /**
   * A read on a reader thread.
   * @param {string} kind
   * @param {unknown[]} args
   * @returns {Promise<any>}
   */
  async read(kind, ...args) {
    return this.readControlled(undefined, kind, ...args);
  }

  /**
   * A read on a reader thread that may end early.
   * @param {Control | undefined} control
   * @param {string} kind
   * @param {unknown[]} args
   * @returns {Promise<any>}
   */
  async readControlled(control, kind, ...args) {
    return within(control, this.#afterWrites(() => controlled(this.#native, 0, control, (target) => this.#native.read(target, kind, ...args))));
  }

  /**
   * Something long that reads the whole store, after every write issued before it; it ends early when the store closes.
   * @template T
   * @param {(store: NativeStore, stop: AbortSignal) => Promise<T>} work
   * @param {Control} [control] of what comes before
   * @returns {Promise<T>}
   */
  async readWhole(work, control) {
    this.#checkOpen();
    if (this.buffers.size > 0) await this.#flushBuffersFirst(control);
    return this.#afterWrites(() => work(this.#native, this.#closing.signal), control);
  }

  /**
   * A read of everything that the engine does on a thread of its own, after every write issued before.
   * @template T
   * @param {(store: NativeStore) => Promise<T>} start
   * @param {Control} [control] of what comes before
   * @returns {Promise<T>}
   */
  async longRead(start, control) {
    if (this.buffers.size > 0) await this.#flushBuffersFirst(control);
    return this.#afterWrites(() => start(this.#native), control);
  }

  /**
   * A transaction that the engine runs by itself, after all others of the file in this process. Like any other it does not
   * hold up reads, which see the store as it was until it commits.
   * @template T
   * @param {(store: NativeStore) => Promise<T>} start takes its place among the writes in the call
   * @param {Control} [control] of what comes before
   * @returns {Promise<T>}
   */
  async longWrite(start, control) {
    this.checkUsable();
    if (this.buffers.size > 0) await this.#flushBuffersFirst(control);
    this.#checkOpen();
    this.#queue.flush();
    return this.#closing.during(importInOrder(() => start(this.#native), this, this.#hold, control));
  }

  /** A promise that is settled in a later turn of the event loop. */
  nextTurn() {
    return this.#turn.next();
  }

  /** @param {Op} op @param {Durability} [durability] @param {Control} [control] @returns {Promise<Written>} */
  write(op, durability, control) {
    this.#checkOpen();
    return this.#write(op, durability, control);
  }

  /** @param {Op} op @param {Durability | undefined} durability @param {Control | undefined} control @returns {Promise<Written>} */
  #write(op, durability, control) {
    this.#checkNotNested();
    const level = this.level(durability);
    return control === undefined ? this.#queue.add(op, level) : this.#queue.addAlone(op, level, control);
  }

  /** @param {OpList} ops @param {boolean} atomic @param {Durability} [durability] @param {Control} [control] @returns {Promise<Results>} */
  async writeAll(ops, atomic, durability, control) {
    this.#checkOpen();
    this.#checkNotNested();
    return this.#queue.addAll(ops, this.level(durability), atomic, control);
  }

  /** Fails where write() would for want of an open store, or inside the body of a transaction. */
  checkUsable() {
    this.#checkOpen();
    this.#checkNotNested();
  }

  /** What a write buffer held: even after close() has begun. @param {OpList} ops @param {Durability} [durability] @returns {Promise<Results>} */
  async writeBuffered(ops, durability) {
    return this.#queue.addAll(ops, this.level(durability), false);
  }

  /** Sends what the write buffers hold; resolved once all of it is committed or has failed. */
  async flushBuffers() {
    await Promise.all([...this.buffers].map((buffer) => buffer[flushNow]()));
  }

  /** The same, unless it would wait for the transaction whose body asks for it. @param {Control | undefined} control */
  async #flushBuffersFirst(control) {
    this.checkUsable();
    await within(control, this.flushBuffers());
  }

  /**
   * Runs an update after those of the same name. close() waits for it, and so its steps are open to it until then.
   * @template T @param {string} name @param {() => Promise<T>} work @param {Control} [control] @returns {Promise<T>}
   */
  inOrder(name, work, control) {
    this.#checkOpen();
    return this.#closing.during(this.lines.inOrder(name, work, control));
  }

  /** What an update starts from. @param {string} ns @param {string} key @returns {Promise<RawEntry | undefined>} */
  async entryForUpdate(ns, key) {
    this.#closing.checkWaits();
    return this.#readPoint(ns, key, (store) => store.getEntry(ns, key), (store) => store.read(0, 'entry', ns, key));
  }

  /** What it ends with. @param {Op} op @param {Durability} [durability] @param {Control} [control] @returns {Promise<Written>} */
  async writeOfUpdate(op, durability, control) {
    this.#closing.checkWaits();
    return this.#write(op, durability, control);
  }

  /** What the body of a transaction or a snapshot promised, waited for until close() has ended. @template T @param {Promise<T>} promise @returns {Promise<T>} */
  untilClosed(promise) {
    return this.#closing.unlessOver(promise);
  }

  /** What the function of an update promised, waited for no longer than close() can. @template T @param {Promise<T>} promise @returns {Promise<T>} */
  untilClose(promise) {
    return this.#closing.unlessBegun(promise, () => this.#turn.next());
  }

  /** @param {BeginOptions} options checked @returns {Promise<TransactionSession | SnapshotSession>} */
  async begin({ timeout = this.limits.transactionTimeout, readOnly = false, signal, durability = this.#durability }) {
    const control = Control.of({ signal });
    if (readOnly) return this.beginWhole(timeout, control);
    this.#checkOpen();
    this.#checkNotNested();
    if (this.buffers.size > 0) {
      await this.#flushBuffersFirst(control);
      this.#checkOpen();
    }
    this.#queue.flush();
    const id = await this.#hold.passOrBusy(() => this.#begin(timeout, durability, control), this.busyTimeout, signal);
    return new TransactionSession(this, this.#native, this.#turn, id, this.#reached(durability));
  }

  /** @param {number} timeout @param {Durability} durability @param {Control | undefined} control @returns {number | Promise<number>} */
  #begin(timeout, durability, control) {
    const inline = this.#queue.idle && this.#turn.hasTime();
    if (inline) this.#turn.touch();
    const level = this.level(durability);
    if (control === undefined) {
      const id = this.#native.begin(timeout, level, 0, inline);
      return typeof id === 'number' ? id : settle(id);
    }
    return controlled(this.#native, 0, control, async (target) => this.#native.begin(timeout, level, /** @type {number[]} */ (target)[2], inline));
  }

  /**
   * A snapshot with the effect of every write issued before.
   * @param {number} [timeout] milliseconds, of a transaction; counts where it is less than limits.snapshotAge
   * @param {Control} [control] of the wait for those writes
   * @returns {Promise<SnapshotSession>}
   */
  async beginSnapshot(timeout = 0, control = undefined) {
    const id = await this.#afterWrites(() => settle(this.#native.beginSnapshot(timeout)), control);
    return new SnapshotSession(this, this.#native, id);
  }

  /** The same with what the write buffers hold. @param {number} timeout @param {Control | undefined} control @returns {Promise<SnapshotSession>} */
  async beginWhole(timeout, control) {
    this.#checkOpen();
    if (this.buffers.size > 0) await this.#flushBuffersFirst(control);
    return this.beginSnapshot(timeout, control);
  }

  /** What an iterator reads from: a snapshot of its own. @returns {Promise<import('./snapshot-session.js').IteratorView>} */
  async openView() {
    const session = await this.beginSnapshot();
    return { session, renews: true, release: () => session.release() };
  }

  /** @param {number} id @param {boolean} commit @returns {void | Promise<void>} at once where it could be done so */
  end(id, commit) {
    this.#checkOpen();
    if (!this.#turn.hasTime()) return this.#queue.barrier(async () => this.#native.end(id, commit, false));
    this.#turn.touch();
    const ended = this.#native.end(id, commit, true);
    return ended === undefined ? undefined : this.#queue.barrier(() => ended);
  }

  /** Everything issued before is on the disk when it resolves. @param {Control} [control] @returns {Promise<void>} */
  flush(control) {
    return within(control, this.#closing.during(this.#flush(control)));
  }

  /** close() may begin while it waits, and waits for it. @param {Control | undefined} control */
  async #flush(control) {
    this.#checkOpen();
    if (this.buffers.size > 0) await this.#flushBuffersFirst(undefined);
    await this.#issuedWrites();
    await this.#queue.answered();
    await controlled(this.#native, 0, control, (target) => this.#native.flush(target));
  }

  /**
   * Runs an operation on the whole store to its end, also when close() comes meanwhile.
   * @template T @param {(engine: EngineAccess) => Promise<T>} work
   * @param {{ needsWriter?: boolean, control?: Control }} [options] needsWriter: inside its own transaction's body it would
   *   wait for itself; control: of the waits, and of each step
   * @returns {Promise<T>}
   */
  async operate(work, { needsWriter = false, control = undefined } = {}) {
    this.#checkOpen();
    const run = () => work(new EngineAccess(this.#native, control));
    if (!needsWriter) return within(control, this.#closing.during(run()));
    this.#checkNotNested();
    return this.#afterWrites(run, control);
  }

  recovery() {
    return this.#native.recovery();
  }

  /** Call once. @returns {Promise<import('./native.js').CloseReport>} */
  async close() {
    this.#queue.flush();
    this.#closing.begin();
    this.#native.abandon(); // else reads would wait for writes that wait for a transaction
    await this.flushBuffers();
    await this.#closing.ended(this.limits.transactionTimeout);
    await this.#hold.until; // its writes are with the engine then
    try {
      return await settle(this.#native.close());
    } finally {
      // A process may end right after: who has issued writes hears of them first.
      await this.#turn.next();
      await this.#queue.answered();
      this.#closing.over();
    }
  }
}
