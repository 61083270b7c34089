// atomic(): checks and changes of many keys, all or nothing.

import { Control } from './control.js';
import { invalidArgument } from './errors.js';
import { EDIT, KIND, OpList } from './op-list.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { checkKey, metadataToJson, valueToJson } from './validate.js';

/** @typedef {import('./scope.js').Scope} Scope */
/** @typedef {import('./options.js').Durability} Durability */
/** @typedef {{ namespace?: string }} KeyOptions */

/**
 * @typedef {{ ok: true, version: number, durability?: Durability } | { ok: false, conflicts: { key: string, namespace: string, version: number | null }[] }} AtomicResult
 *   version: of the last change; durability: of the commit, absent inside a transaction; of a conflict, the one found, null for an absent key
 */

/**
 * Gathers checks and changes, and runs them with commit(). Each argument is taken when its method is called.
 *
 * In sum, min, max and append an array in second place is always a path into the value; `[]` is the value itself.
 */
export class Atomic {
  /** @type {Scope} */ #scope;
  #ops = new OpList();
  #done = false;

  /** @param {Scope} scope */
  constructor(scope) {
    this.#scope = scope;
  }

  /** @param {Omit<import('./op-list.js').Op, 'ns'>} op @param {KeyOptions | undefined} options @returns {this} */
  #push(op, options) {
    const ns = this.#scope.nsOf(options);
    checkKey(op.key, this.#scope.session.limits);
    this.#scope.checkBatch(this.#ops.length + 1);
    const { kind, key, value, metadata, ifVersion } = op;
    this.#ops.push({ kind, ns, key, value, metadata, ifVersion });
    return this;
  }

  /**
   * commit() changes nothing unless the entry has this version.
   * @param {string} key
   * @param {number | null} version null: the key is absent
   * @param {KeyOptions} [options]
   * @returns {this}
   */
  check(key, version, options) {
    const ok = version === null || (Number.isSafeInteger(version) && version > 0);
    if (!ok) throw invalidArgument('version', 'a positive integer, or null for an absent key');
    return this.#push({ kind: KIND.check, key, value: undefined, metadata: undefined, ifVersion: version ?? 0 }, options);
  }

  /** @param {string} key @param {unknown} value @param {{ namespace?: string, metadata?: object | null }} [options] @returns {this} */
  set(key, value, options) {
    const { metadata, ...rest } = readOptions(options, METHOD_OPTIONS.atomicSet);
    const { limits } = this.#scope.session;
    return this.#push({ kind: KIND.set, key, value: valueToJson(value, limits), metadata: metadataToJson(metadata, limits), ifVersion: undefined }, rest);
  }

  /** @param {string} key @param {KeyOptions} [options] @returns {this} */
  delete(key, options) {
    return this.#push({ kind: KIND.delete, key, value: undefined, metadata: undefined, ifVersion: undefined }, options);
  }

  /**
   * Adds to a number; an absent one counts as 0.
   * @param {string} key
   * @param {string[] | number} pathOrNumber
   * @param {number | KeyOptions} [numberOrOptions]
   * @param {KeyOptions} [options]
   * @returns {this}
   */
  sum(key, pathOrNumber, numberOrOptions, options) {
    return this.#edit(EDIT.sum, key, pathOrNumber, numberOrOptions, options);
  }

  /** @param {string} key @param {string[] | number} pathOrNumber @param {number | KeyOptions} [numberOrOptions] @param {KeyOptions} [options] @returns {this} */
  min(key, pathOrNumber, numberOrOptions, options) {
    return this.#edit(EDIT.min, key, pathOrNumber, numberOrOptions, options);
  }

  /** @param {string} key @param {string[] | number} pathOrNumber @param {number | KeyOptions} [numberOrOptions] @param {KeyOptions} [options] @returns {this} */
  max(key, pathOrNumber, numberOrOptions, options) {
    return this.#edit(EDIT.max, key, pathOrNumber, numberOrOptions, options);
  }

  /**
   * Puts a value at the end of an array; an absent one counts as empty.
   * @param {string} key
   * @param {any} pathOrValue
   * @param {any} [valueOrOptions]
   * @param {KeyOptions} [options]
   * @returns {this}
   */
  append(key, pathOrValue, valueOrOptions, options) {
    return this.#edit(EDIT.append, key, pathOrValue, valueOrOptions, options);
  }

  /** @param {number} edit @param {string} key @param {any} second @param {any} third @param {any} fourth @returns {this} */
  #edit(edit, key, second, third, fourth) {
    const [path, operand, options] = Array.isArray(second) ? [second, third, fourth] : [[], second, third];
    if (!path.every((name) => typeof name === 'string')) throw invalidArgument('path', 'an array of strings');
    if (edit !== EDIT.append && !Number.isFinite(operand)) throw invalidArgument('n', 'a finite number');
    const value = valueToJson(operand, this.#scope.session.limits);
    const metadata = path.length === 0 ? undefined : JSON.stringify(path);
    return this.#push({ kind: KIND.edit | edit, key, value, metadata, ifVersion: undefined }, options);
  }

  /**
   * Runs everything in one transaction. Call once.
   * @param {{ durability?: Durability } & import('./control.js').CallControl} [options]
   * @returns {Promise<AtomicResult>}
   */
  async commit(options) {
    const given = readOptions(options, METHOD_OPTIONS.commit);
    const control = Control.of(given);
    if (this.#done) throw invalidArgument('commit()', 'called once');
    this.#done = true;
    const results = await this.#scope.session.writeAll(this.#ops, true, given.durability, control);
    const conflicts = results.flatMap((result, i) => (result instanceof Error ? [this.#conflict(result, i)] : []));
    if (conflicts.length > 0) return { ok: false, conflicts };
    const version = Math.max(0, .../** @type {number[]} */ (results));
    return results.durability === undefined ? { ok: true, version } : { ok: true, version, durability: results.durability };
  }

  /** @param {Error} error @param {number} index */
  #conflict(error, index) {
    const { key, ns } = this.#ops.ops[index];
    const found = /** @type {any} */ (error).foundVersion;
    return { key: /** @type {string} */ (key), namespace: ns, version: found > 0 ? found : null };
  }
}
