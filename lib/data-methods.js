// The data methods that a store, a namespace and a transaction share: reading comes from ReadMethods, writing is here.

import { Atomic } from './atomic.js';
import { Control } from './control.js';
import { deleteOp, setOp } from './entry-ops.js';
import { StorageError, invalidArgument } from './errors.js';
import { FLAG, KIND, OpList } from './op-list.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { ReadMethods } from './read-methods.js';
import { toEntry } from './results.js';
import { DEFAULT_NAMESPACE, Scope } from './scope.js';
import { checkKey, metadataToJson } from './validate.js';

/** @typedef {import('./scope.js').Session} Session */
/** @typedef {import('./control.js').CallControl} CallControl */
/** @typedef {import('./options.js').Durability} Durability */
/** @typedef {import('./op-list.js').Op} Op */
/** @typedef {import('./read-methods.js').KeyOptions} KeyOptions */
/** @typedef {{ namespace?: string, metadata?: object | null, overwrite?: boolean, ifVersion?: number | null, durability?: Durability } & CallControl} SetOptions */
/** @typedef {{ key: string, value: unknown, namespace?: string, metadata?: object | null, overwrite?: boolean, ifVersion?: number | null }} SetEntry */
/** @typedef {{ key: string, namespace: string, ok: boolean, version?: number, error?: Error }} SetOutcome */
/** @typedef {{ key: string, namespace: string, ok: boolean, deleted?: boolean, error?: Error }} DeleteOutcome */

/** How often update() starts again when others write the same key. */
const UPDATE_RETRIES = 100;

/** Names a method that is not part of the public interface. */
export const writeSet = Symbol('writeSet');

/** The options of a call without any. @type {Record<string, any>} */
const NO_OPTIONS = Object.freeze(Object.create(null));

/**
 * @template T
 * @param {T} result
 * @param {import('./write-queue.js').Results} results
 * @returns {T & { durability?: Durability }} with the level reached; inside a transaction its commit decides
 */
const withDurability = (result, { durability }) => /** @type {any} */ (durability === undefined ? result : { ...result, durability });

export class DataMethods extends ReadMethods {
  /** @type {Scope} */ #scope;

  /**
   * @param {Session} session
   * @param {string} [namespace] fixes the namespace
   */
  constructor(session, namespace) {
    const scope = new Scope(session, namespace);
    super(scope);
    this.#scope = scope;
  }

  /**
   * set() without its own promise.
   * @param {string} key
   * @param {unknown} value
   * @param {Record<string, any>} options checked
   * @returns {Promise<import('./write-queue.js').Written>}
   */
  [writeSet](key, value, options) {
    return this.#scope.session.write(setOp(this.#scope, key, value, options), options.durability, Control.of(options));
  }

  /**
   * The value is taken at the call: changing the object afterwards changes nothing.
   * @param {string} key
   * @param {unknown} value what JSON.stringify can represent
   * @param {SetOptions} [options] metadata given replaces, metadata not given is kept; overwrite: false fails with
   *   HYPHA_EXISTS when the key is present; ifVersion fails with HYPHA_CONFLICT unless the entry has that version
   * @returns {Promise<import('./write-queue.js').Written>} durability: what was reached, which is more than asked for
   *   when a stronger write shared the commit
   */
  async set(key, value, options) {
    const given = options === undefined ? NO_OPTIONS : readOptions(options, METHOD_OPTIONS.set);
    return await this[writeSet](key, value, given);
  }

  /**
   * @param {string} key
   * @param {{ namespace?: string, ifVersion?: number | null, durability?: Durability } & CallControl} [options]
   * @returns {Promise<boolean>} whether there was an entry
   */
  async delete(key, options) {
    const given = options === undefined ? NO_OPTIONS : readOptions(options, METHOD_OPTIONS.delete);
    return (await this.#scope.session.write(deleteOp(this.#scope, key, given), given.durability, Control.of(given))).version > 0;
  }

  /**
   * One request. Unless `atomic`, an entry that fails does not touch the others.
   * @param {Iterable<SetEntry>} entries
   * @param {{ namespace?: string, metadata?: object | null, overwrite?: boolean, atomic?: boolean, durability?: Durability } & CallControl} [options]
   *   an entry's own options win
   * @returns {Promise<{ ok: boolean, outcomes: SetOutcome[], durability?: Durability }>} outcomes in the order of the entries
   */
  async setMany(entries, options) {
    const given = readOptions(options, METHOD_OPTIONS.setMany);
    const control = Control.of(given);
    const list = this.#scope.batch(entries, 'entries');
    const ops = new OpList();
    /** @type {SetOutcome[]} */
    const outcomes = [];
    /** @type {number[]} the outcome of each operation */
    const places = [];
    for (let i = 0; i < list.length; i++) {
      const entry = /** @type {any} */ (list[i]);
      try {
        const op = this.#entryOp(entry, given, i);
        ops.push(op);
        places.push(i);
        outcomes.push({ key: /** @type {string} */ (op.key), namespace: op.ns, ok: true });
      } catch (error) {
        if (given.atomic) throw error;
        const namespace = entry?.namespace ?? this.#scope.ns(given.namespace);
        outcomes.push({ key: entry?.key, namespace, ok: false, error: /** @type {Error} */ (error) });
      }
      this.#checkBatchSize(ops.size);
    }
    if (ops.size * 3 > this.#scope.session.limits.batchBytes) this.#checkBatchSize(ops.byteLength());
    const results = await this.#scope.session.writeAll(ops, given.atomic === true, given.durability, control);
    for (let i = 0; i < results.length; i++) {
      const outcome = outcomes[places[i]];
      const result = results[i];
      if (typeof result === 'number') outcome.version = result;
      else Object.assign(outcome, { ok: false, error: result });
    }
    return withDurability({ ok: outcomes.every((outcome) => outcome.ok), outcomes }, results);
  }

  /** @param {any} entry @param {Record<string, any>} common options of the batch @param {number} index @returns {Op} */
  #entryOp(entry, common, index) {
    if (typeof entry !== 'object' || entry === null) throw invalidArgument(`entries[${index}]`, 'an object { key, value }');
    // Most entries are exactly { key, value }.
    const plain = Object.hasOwn(entry, 'key') && Object.hasOwn(entry, 'value') && Object.keys(entry).length === 2;
    if (plain) return setOp(this.#scope, entry.key, entry.value, common);
    const { key, value, ...own } = readOptions(entry, METHOD_OPTIONS.setManyEntry, `entries[${index}]`);
    const { namespace, metadata, overwrite } = common;
    return setOp(this.#scope, key, value, { __proto__: null, namespace, metadata, overwrite, ...own });
  }

  /** @param {number} size */
  #checkBatchSize(size) {
    const { batchBytes } = this.#scope.session.limits;
    if (size > batchBytes) {
      throw new StorageError('HYPHA_TOO_LARGE', `the batch is larger than limits.batchBytes (${batchBytes} bytes)`);
    }
  }

  /**
   * @param {Iterable<string>} keys
   * @param {{ namespace?: string, atomic?: boolean, durability?: Durability } & CallControl} [options]
   * @returns {Promise<{ ok: boolean, outcomes: DeleteOutcome[], durability?: Durability }>} an absent key is a success
   */
  async deleteMany(keys, options) {
    const given = readOptions(options, METHOD_OPTIONS.deleteMany);
    const control = Control.of(given);
    const ns = this.#scope.ns(given.namespace);
    const list = this.#scope.batch(keys, 'keys');
    /** @type {DeleteOutcome[]} */
    const outcomes = [];
    const ops = new OpList();
    /** @type {number[]} */
    const places = [];
    for (let i = 0; i < list.length; i++) {
      const key = /** @type {string} */ (list[i]);
      outcomes.push({ key, namespace: ns, ok: true });
      try {
        checkKey(key, this.#scope.session.limits);
        ops.push({ kind: KIND.delete, ns, key, value: undefined, metadata: undefined, ifVersion: undefined });
        places.push(i);
      } catch (error) {
        if (given.atomic) throw error;
        outcomes[i] = { key, namespace: ns, ok: false, error: /** @type {Error} */ (error) };
      }
    }
    const results = await this.#scope.session.writeAll(ops, given.atomic === true, given.durability, control);
    for (let i = 0; i < results.length; i++) {
      const result = results[i];
      if (typeof result === 'number') outcomes[places[i]].deleted = result > 0;
      else Object.assign(outcomes[places[i]], { ok: false, error: result });
    }
    return withDurability({ ok: outcomes.every((outcome) => outcome.ok), outcomes }, results);
  }

  /**
   * @param {string} key fails with HYPHA_NOT_FOUND when absent
   * @param {object} metadata
   * @param {{ namespace?: string, merge?: boolean, durability?: Durability } & CallControl} [options] merge (the default) keeps the
   *   properties not given
   * @returns {Promise<import('./write-queue.js').Written>}
   */
  async setMetadata(key, metadata, options) {
    const given = readOptions(options, METHOD_OPTIONS.setMetadata);
    const ns = this.#scope.ns(given.namespace);
    checkKey(key, this.#scope.session.limits);
    const text = metadataToJson(metadata, this.#scope.session.limits);
    if (text === undefined) throw new StorageError('HYPHA_INVALID_VALUE', 'metadata must be a plain object');
    const kind = given.merge === false ? KIND.setMetadata : KIND.mergeMetadata;
    return this.#scope.session.write({ kind, ns, key, value: undefined, metadata: text, ifVersion: undefined }, given.durability, Control.of(given));
  }

  /**
   * Checks and changes of many keys that happen together or not at all.
   * @returns {Atomic}
   */
  atomic() {
    return new Atomic(this.#scope);
  }

  /**
   * Replaces a value by what `change` makes of it. Updates of one key through one store run one after the other; if
   * another writer comes between, `change` is called again with the newer value. close() runs the updates issued before
   * it, but does not wait for a promise of `change` that is not settled in a turn of the event loop: HYPHA_CLOSED.
   * @template [T=any]
   * @param {string} key
   * @param {(value: T | undefined) => T | Promise<T>} change undefined: the key is absent
   * @param {{ namespace?: string, durability?: Durability, retries?: number } & CallControl} [options] retries: default
   *   100, then HYPHA_CONFLICT. A `change` that takes longer than `timeout`, or than limits.transactionTimeout, is HYPHA_TIMEOUT
   * @returns {Promise<{ value: T, version: number, durability?: Durability }>}
   */
  async update(key, change, options) {
    const given = readOptions(options, METHOD_OPTIONS.update);
    const ns = this.#scope.ns(given.namespace);
    checkKey(key, this.#scope.session.limits);
    if (typeof change !== 'function') throw invalidArgument('change', 'a function');
    const control = Control.of(given);
    const work = () => this.#update(key, change, /** @type {any} */ ({ __proto__: null, ...given, namespace: ns }), control);
    return this.#scope.session.inOrder(`${ns}\0${key}`, work, control);
  }

  /**
   * @param {string} key
   * @param {(value: any) => any} change
   * @param {{ namespace: string, durability?: Durability, retries?: number }} options
   * @param {Control | undefined} control
   * @returns {Promise<{ value: any, version: number, durability?: Durability }>}
   */
  async #update(key, change, { namespace, durability, retries = UPDATE_RETRIES }, control) {
    const { session } = this.#scope;
    for (let attempt = 0; ; attempt++) {
      control?.check();
      const reading = session.entryForUpdate(namespace, key);
      const raw = await (control === undefined ? reading : control.race(reading));
      const entry = raw === undefined ? undefined : toEntry(key, raw);
      let value = change(entry?.value);
      if (typeof value?.then === 'function') {
        const rest = control?.rest;
        const limit = new Control({ signal: rest?.signal, timeout: rest?.timeout ?? session.limits.transactionTimeout });
        value = await limit.race(session.untilClose(Promise.resolve(value)));
      }
      const op = setOp(this.#scope, key, value, { __proto__: null, namespace, ifVersion: entry?.version ?? null });
      try {
        const written = await session.writeOfUpdate(op, durability, control);
        return { value, ...written };
      } catch (error) {
        if (/** @type {any} */ (error).code !== 'HYPHA_CONFLICT' || attempt >= retries) throw error;
      }
    }
  }

  /**
   * Deletes all entries of the namespace; without one, of every namespace. Namespaces stay.
   * @param {KeyOptions & { durability?: Durability } & CallControl} [options]
   * @returns {Promise<number>} how many entries went
   */
  async clear(options) {
    const given = readOptions(options, METHOD_OPTIONS.clear);
    const all = given.namespace === undefined && this.#scope.isWhole;
    const op = all ? { kind: KIND.clear | FLAG.all, ns: DEFAULT_NAMESPACE } : { kind: KIND.clear, ns: this.#scope.ns(given.namespace) };
    return (await this.#scope.session.write(op, given.durability, Control.of(given))).version;
  }
}
