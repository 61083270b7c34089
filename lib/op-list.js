// Changes on their way into the addon, in the cheapest form it can read.

import { Buffer } from 'node:buffer';

import { native } from './native.js';

/** @typedef {import('./native.js').NativeStore} NativeStore */
/** @typedef {import('./native.js').WriteResult} WriteResult */

/** @type {Record<string, number>} */
export const KIND = Object.fromEntries(native.writeKinds.map((name, index) => [name, index]));
export const FLAG = { noOverwrite: 16, recursive: 32, all: 64, unique: 128 };
/** What an edit does, beside KIND.edit. */
export const EDIT = { sum: 0, min: 1 << 8, max: 2 << 8, append: 3 << 8 };

/**
 * One change.
 * @typedef {object} Op
 * @property {number} kind KIND and FLAG
 * @property {string} ns
 * @property {string} [key] absent for changes of whole namespaces
 * @property {string} [value] JSON text; of an index its fields
 * @property {string} [metadata] JSON text
 * @property {number} [ifVersion] 0 for "absent"
 */

/** Between the texts of a joined list: JSON text never holds it, and a key that does sends the list the long way. */
const SEPARATOR = '\0';

/** What the engine counts of each change beside its texts: WriteOp::Bytes(). */
const OP_BYTES = 64;

/** @param {Op} op @returns {Op} with every property its own, whatever Object.prototype was given */
function complete(op) {
  if (Object.hasOwn(op, 'metadata') && Object.hasOwn(op, 'ifVersion')) return op;
  const { kind, ns, key, value, metadata, ifVersion } = /** @type {Op} */ ({ __proto__: null, ...op });
  return { kind, ns, key, value, metadata, ifVersion };
}

/**
 * Sets of one namespace without metadata and conditions, which most are, cross as two joined strings: every element of
 * an array costs a call of Node-API.
 */
export class OpList {
  /** @type {Op[]} */ #ops = [];
  #uniform = true;
  #bytes = 0;

  get length() {
    return this.#ops.length;
  }

  /** Of keys, values and metadata together, in UTF-16 code units. */
  get size() {
    return this.#bytes;
  }

  /** @returns {number} the same in bytes of UTF-8 */
  byteLength() {
    return this.#ops.reduce((sum, { key = '', value = '', metadata = '' }) => sum + Buffer.byteLength(key) + Buffer.byteLength(value) + Buffer.byteLength(metadata), 0);
  }

  /** @returns {number} what the engine counts of it against limits.queueBytes */
  queuedBytes() {
    return this.#ops.reduce((sum, { ns }) => sum + Buffer.byteLength(ns) + OP_BYTES, this.byteLength());
  }

  /** @returns {readonly Op[]} */
  get ops() {
    return this.#ops;
  }

  /** @param {Op} given */
  push(given) {
    const op = complete(given);
    const { kind, ns, key, value, metadata } = op;
    this.#bytes += (key?.length ?? 0) + (value?.length ?? 0) + (metadata?.length ?? 0);
    if (this.#uniform) {
      const first = this.#ops.length === 0 ? op : this.#ops[0];
      this.#uniform =
        (kind & 15) === KIND.set && metadata === undefined && op.ifVersion === undefined && kind === first.kind &&
        ns === first.ns && !(/** @type {string} */ (key).includes(SEPARATOR));
    }
    this.#ops.push(op);
  }

  /**
   * Hands the changes to the engine as one request.
   * @param {NativeStore} store
   * @param {import('./native.js').CallTarget} target
   * @param {number} durability index in native.durabilities
   * @param {boolean} atomic
   * @param {boolean} inline whether it may be run on this thread at once
   * @returns {WriteResult | Promise<WriteResult>}
   */
  send(store, target, durability, atomic, inline) {
    const ops = this.#ops;
    if (!this.#uniform) {
      const flat = ops.flatMap((op) => [op.kind, op.ns, op.key, op.value, op.metadata, op.ifVersion]);
      return store.write(target, flat, durability, atomic, inline);
    }
    const [{ kind, ns, key, value }] = ops;
    const single = ops.length === 1;
    const keys = single ? key : ops.map((op) => op.key).join(SEPARATOR);
    const values = single ? value : ops.map((op) => op.value).join(SEPARATOR);
    return store.writeSets(target, kind, ns, ops.length, /** @type {string} */ (keys), /** @type {string} */ (values), durability, atomic, inline);
  }
}
