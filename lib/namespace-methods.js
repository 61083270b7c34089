// The data methods and those on namespaces: what a store and a transaction offer.

import { Control } from './control.js';
import { DataMethods } from './data-methods.js';
import { invalidArgument } from './errors.js';
import { getNamespace, listIndexes, listNamespaces } from './namespace-reads.js';
import { FLAG, KIND } from './op-list.js';
import { METHOD_OPTIONS, readOptions, unknownOption } from './options.js';
import { checkNamespace, metadataToJson } from './validate.js';

/** @typedef {import('./scope.js').Session} Session */
/** @typedef {import('./namespace-reads.js').NamespaceInfo} NamespaceInfo */
/** @typedef {import('./control.js').CallControl} CallControl */
/** @typedef {import('./options.js').Durability} Durability */
/** @typedef {{ values: number, totalValues: number }} IndexProgress values that were read, of those there are to read */
/** @typedef {string | { field: string } | { path: string[] } | { metadata: string }} IndexField */

export class NamespaceMethods extends DataMethods {
  /** @type {Session} */ #session;

  /** @param {Session} session */
  constructor(session) {
    super(session);
    this.#session = session;
  }

  /**
   * The same data methods with the namespace fixed.
   * @param {string} name
   * @returns {DataMethods}
   */
  namespace(name) {
    checkNamespace(name, this.#session.limits);
    return new DataMethods(this.#session, name);
  }

  /**
   * Namespaces also come into being with their first entry; creating such a one makes it explicit.
   * @param {string} name fails with HYPHA_NAMESPACE_EXISTS when it was created before
   * @param {{ metadata?: object | null, durability?: Durability } & CallControl} [options]
   * @returns {Promise<void>}
   */
  async createNamespace(name, options) {
    const given = readOptions(options, METHOD_OPTIONS.createNamespace);
    checkNamespace(name, this.#session.limits);
    const metadata = metadataToJson(given.metadata, this.#session.limits);
    await this.#session.write({ kind: KIND.createNamespace, ns: name, metadata }, given.durability, Control.of(given));
  }

  /**
   * @param {string} name
   * @param {{ recursive?: boolean, durability?: Durability } & CallControl} [options] without recursive a namespace with entries is refused
   * @returns {Promise<void>}
   */
  async deleteNamespace(name, options) {
    const given = readOptions(options, METHOD_OPTIONS.deleteNamespace);
    checkNamespace(name, this.#session.limits);
    const kind = given.recursive ? KIND.deleteNamespace | FLAG.recursive : KIND.deleteNamespace;
    await this.#session.write({ kind, ns: name }, given.durability, Control.of(given));
  }

  /** @param {CallControl} [options] @returns {Promise<string[]>} all of them by name, 'default' included */
  async listNamespaces(options) {
    return listNamespaces(this.#session, options);
  }

  /**
   * @param {string} name
   * @param {CallControl} [options]
   * @returns {Promise<NamespaceInfo | undefined>}
   */
  async getNamespace(name, options) {
    return getNamespace(this.#session, name, options);
  }

  /**
   * Indexes a property, or several in this order, of the namespace's entries: a name as filters have it, or
   * `{ path: [...] }`, or `{ metadata: name }`. Making one that exists does nothing. Other writes wait meanwhile. Unlike
   * any other write it ends midway, with nothing made, by `signal` and `timeout`, except inside a transaction.
   * @param {string} namespace
   * @param {IndexField | IndexField[]} fields
   * @param {{ unique?: boolean, durability?: Durability, onProgress?: (progress: IndexProgress) => void } & CallControl} [options] unique: two entries with the same string, number or boolean there are
   *   refused with HYPHA_CONSTRAINT; onProgress: called about every 50 ms, and if it throws before the index is made, none is
   * @returns {Promise<void>}
   */
  async createIndex(namespace, fields, options) {
    const given = readOptions(options, METHOD_OPTIONS.createIndex);
    checkNamespace(namespace, this.#session.limits);
    const { onProgress } = given;
    const listener = onProgress && ((/** @type {number} */ values, /** @type {number} */ totalValues) => onProgress({ values, totalValues }));
    const kind = given.unique ? KIND.createIndex | FLAG.unique : KIND.createIndex;
    await this.#session.write({ kind, ns: namespace, value: indexFields(fields) }, given.durability, Control.of({ ...given, onProgress: listener }));
  }

  /**
   * @param {string} namespace
   * @param {IndexField | IndexField[]} fields as given to createIndex()
   * @param {{ durability?: Durability } & CallControl} [options]
   * @returns {Promise<boolean>} whether there was such an index
   */
  async dropIndex(namespace, fields, options) {
    const given = readOptions(options, METHOD_OPTIONS.dropIndex);
    checkNamespace(namespace, this.#session.limits);
    const op = { kind: KIND.dropIndex, ns: namespace, value: indexFields(fields) };
    return (await this.#session.write(op, given.durability, Control.of(given))).version > 0;
  }

  /** @param {string} namespace @param {CallControl} [options] @returns {Promise<{ fields: object[], unique: boolean }[]>} */
  async listIndexes(namespace, options) {
    return listIndexes(this.#session, namespace, options);
  }
}

/** More columns than this make an index larger without making it better. */
const MAX_FIELDS = 8;

/** @param {unknown} fields @returns {string} their JSON text, as the catalogue keeps it */
function indexFields(fields) {
  const list = Array.isArray(fields) ? fields : [fields];
  if (list.length === 0 || list.length > MAX_FIELDS) throw invalidArgument('fields', `one to ${MAX_FIELDS} fields`);
  return JSON.stringify(list.map((field, i) => indexField(field, Array.isArray(fields) ? `fields[${i}]` : 'fields')));
}

/** @param {any} field @param {string} where @returns {object} */
function indexField(field, where) {
  if (typeof field === 'string') return indexField({ field }, where);
  const names = typeof field === 'object' && field !== null && !Array.isArray(field) ? Object.keys(field) : [];
  if (names.length !== 1) throw invalidArgument(where, 'a name, { path: [...] } or { metadata: name }');
  const [name] = names;
  const value = field[name];
  if (name === 'path') {
    const ok = Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string');
    if (!ok) throw invalidArgument(`${where}.path`, 'a non-empty array of strings');
    return { path: value };
  }
  if (!['field', 'metadata'].includes(name)) throw unknownOption(name, where, ['field', 'path', 'metadata']);
  if (typeof value !== 'string') throw invalidArgument(`${where}.${name}`, 'a string');
  const reserved = name === 'field' && ['key', '$key', 'value', '$value'].includes(value);
  if (reserved) throw invalidArgument(`${where}.${name}`, 'the name of a property: keys are always indexed, whole values never');
  return { [name]: value };
}
