// The data methods and those on namespaces: what a store and a transaction offer.

import { DataMethods } from './data-methods.js';
import { invalidArgument } from './errors.js';
import { FLAG, KIND } from './op-list.js';
import { METHOD_OPTIONS, readOptions, unknownOption } from './options.js';
import { parseChunks } from './results.js';
import { DEFAULT_NAMESPACE } from './scope.js';
import { checkNamespace, metadataToJson } from './validate.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./transaction-session.js').TransactionSession} TransactionSession */
/** @typedef {import('./data-methods.js').NamespaceInfo} NamespaceInfo */
/** @typedef {string | { field: string } | { path: string[] } | { metadata: string }} IndexField */

export class NamespaceMethods extends DataMethods {
  /** @type {StoreSession | TransactionSession} */ #session;

  /** @param {StoreSession | TransactionSession} session */
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
   * @param {{ metadata?: object | null }} [options]
   * @returns {Promise<void>}
   */
  async createNamespace(name, options) {
    const given = readOptions(options, METHOD_OPTIONS.createNamespace);
    checkNamespace(name, this.#session.limits);
    const metadata = metadataToJson(given.metadata, this.#session.limits);
    await this.#session.write({ kind: KIND.createNamespace, ns: name, metadata });
  }

  /**
   * @param {string} name
   * @param {{ recursive?: boolean }} [options] without recursive a namespace with entries is refused
   * @returns {Promise<void>}
   */
  async deleteNamespace(name, options) {
    const given = readOptions(options, METHOD_OPTIONS.deleteNamespace);
    checkNamespace(name, this.#session.limits);
    await this.#session.write({ kind: given.recursive ? KIND.deleteNamespace | FLAG.recursive : KIND.deleteNamespace, ns: name });
  }

  /** @returns {Promise<string[]>} all of them by name, 'default' included */
  async listNamespaces() {
    return parseChunks(await this.#session.read('namespaces'), () => this.#session.nextTurn());
  }

  /**
   * @param {string} name
   * @returns {Promise<NamespaceInfo | undefined>}
   */
  async getNamespace(name) {
    checkNamespace(name, this.#session.limits);
    const raw = await this.#session.read('namespace', name);
    if (raw === undefined) return undefined;
    const [explicit, metadata, createdAt] = raw;
    // 'default' counts as created from the start, with or without a row of its own.
    return { name, explicit: explicit || name === DEFAULT_NAMESPACE, metadata: metadata === undefined ? {} : JSON.parse(metadata), createdAt };
  }

  /**
   * Indexes a property, or several in this order, of the namespace's entries: a name as filters have it, or
   * `{ path: [...] }`, or `{ metadata: name }`. Making one that exists does nothing. Other writes wait meanwhile.
   * @param {string} namespace
   * @param {IndexField | IndexField[]} fields
   * @param {{ unique?: boolean }} [options] unique: two entries with the same string, number or boolean there are
   *   refused with HYPHA_CONSTRAINT
   * @returns {Promise<void>}
   */
  async createIndex(namespace, fields, options) {
    const given = readOptions(options, METHOD_OPTIONS.createIndex);
    checkNamespace(namespace, this.#session.limits);
    const kind = given.unique ? KIND.createIndex | FLAG.unique : KIND.createIndex;
    await this.#session.write({ kind, ns: namespace, value: indexFields(fields) });
  }

  /**
   * @param {string} namespace
   * @param {IndexField | IndexField[]} fields as given to createIndex()
   * @returns {Promise<boolean>} whether there was such an index
   */
  async dropIndex(namespace, fields) {
    checkNamespace(namespace, this.#session.limits);
    return (await this.#session.write({ kind: KIND.dropIndex, ns: namespace, value: indexFields(fields) })) > 0;
  }

  /** @param {string} namespace @returns {Promise<{ fields: object[], unique: boolean }[]>} */
  async listIndexes(namespace) {
    checkNamespace(namespace, this.#session.limits);
    return JSON.parse(await this.#session.read('indexes', namespace));
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
