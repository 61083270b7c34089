// MyceliaStorageBackend: the kernel's storage contract over a Store.

import { performance } from 'node:perf_hooks';

import { writeSet } from '../data-methods.js';
import { StorageError } from '../errors.js';
import { isStorageQuery } from '../filter.js';
import { open } from '../open.js';
import { readOpenOptions } from '../options.js';
import { isPresent, kernelQuery, limitsOf, valueText } from '../read-methods.js';
import { parseStored } from '../results.js';
import { DEFAULT_NAMESPACE } from '../scope.js';
import { checkKey, checkNamespace, toArray } from '../validate.js';
import { flatten, summarize } from './batches.js';
import { toOpenOptions, wantsDebug } from './config.js';
import { own } from './own.js';

/** @typedef {import('./config.js').MyceliaConfig} MyceliaConfig */
/** @typedef {import('../options.js').Limits} Limits */
/** @typedef {import('../store.js').Store} Store */
/** @typedef {import('../transaction.js').Transaction} Transaction */
/** @typedef {{ namespace?: string, transactionId?: string, [other: string]: any }} CallOptions */

/** @param {string} namespace @param {Store} store @returns {string} the same, checked */
function checked(namespace, store) {
  if (namespace !== DEFAULT_NAMESPACE) checkNamespace(namespace, store[limitsOf]);
  return namespace;
}

const ISOLATIONS = ['READ_UNCOMMITTED', 'READ_COMMITTED', 'SERIALIZABLE'];
/** Ended or timed-out transactions that nobody asked for again are forgotten beyond this many. */
const TRANSACTIONS_KEPT = 10_000;

/** @param {string} key @param {string} ns */
const notFound = (key, ns) => new StorageError('HYPHA_NOT_FOUND', `Key "${key}" not found in namespace "${ns}"`);
const invalidTransaction = () => new StorageError('HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');

/** @param {any} options @returns {string} as the contract has it: anything falsy means 'default' */
const namespaceOf = (options) => own(options, 'namespace') || DEFAULT_NAMESPACE;

/**
 * Every method resolves to a plain object and never rejects: `{ success: true, ... }`, or `{ success: false, error }`
 * where `error.code` is one of the README's codes. No file is touched before open() or the first call.
 */
export class MyceliaStorageBackend {
  supportsTransactions = true;
  supportsQuery = true;
  supportsMetadata = true;

  /** @type {MyceliaConfig} */ #config;
  /** @type {boolean} */ #debug;
  /** @type {Store | undefined} once open */ #store;
  /** @type {Limits | undefined} once open */ #limits;
  /** @type {Promise<Store> | undefined} */ #opening;
  #closed = false;
  /** @type {Promise<{ success: boolean, error?: Error }> | undefined} */ #closing;
  /** @type {Map<string, Transaction>} */ #transactions = new Map();

  /** @param {MyceliaConfig} [config] */
  constructor(config = {}) {
    this.#config = config;
    this.#debug = wantsDebug(config);
  }

  /**
   * Opens the database now rather than at the first call. May be called again.
   * @returns {Promise<void>} rejects with a StorageError when it cannot be opened
   */
  async open() {
    await this.#opened();
  }

  /** @returns {Promise<Store>} */
  async #opened() {
    if (this.#closed) throw new StorageError('HYPHA_CLOSED', 'the storage is closed');
    if (this.#store !== undefined) return this.#store;
    // After a failure the next call may try again.
    this.#opening ??= this.#openStore().catch((error) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  /**
   * The Store under the contract, opened if it is not yet, for what the contract has no words for: indexes, explain(),
   * pages, iterators. It belongs to the backend, which closes it.
   * @returns {Promise<Store>} rejects with a StorageError when it cannot be opened, or was closed
   */
  async store() {
    return this.#opened();
  }

  /** The limit that the store has, or will have. */
  #batchEntries() {
    return (this.#limits ?? readOpenOptions(toOpenOptions(this.#config)).limits).batchEntries;
  }

  /** @returns {Promise<Store>} */
  async #openStore() {
    const options = toOpenOptions(this.#config);
    const store = await open(options);
    this.#limits = readOpenOptions(options).limits;
    this.#store = store;
    return store;
  }

  /**
   * Where a call's data methods are: the store, or the transaction that the options name.
   * @param {CallOptions | null | undefined} options
   * @returns {Store | Transaction | Promise<Store>}
   */
  #target(options) {
    const id = own(options, 'transactionId');
    if (id !== undefined && id !== null) {
      if (this.#closed) throw new StorageError('HYPHA_CLOSED', 'the storage is closed');
      const transaction = this.#transactions.get(id);
      if (transaction === undefined) throw invalidTransaction();
      return transaction;
    }
    if (this.#store !== undefined && !this.#closed) return this.#store;
    return this.#opened();
  }

  /**
   * @param {string} name
   * @param {CallOptions | null | undefined} options
   * @param {(target: Store | Transaction) => Promise<any>} work what to add to `success: true`
   * @param {object} [onFailure] what to add to `success: false`
   * @returns {Promise<any>}
   */
  async #call(name, options, work, onFailure) {
    const started = this.#debug ? performance.now() : 0;
    try {
      const target = this.#target(options);
      // An open store must not cost a turn: the value of a set() is taken when it is called.
      return { success: true, ...(await work(target instanceof Promise ? await target : target)) };
    } catch (error) {
      return { success: false, ...onFailure, error };
    } finally {
      if (this.#debug) console.debug(`[hyphadb] ${name} ${(performance.now() - started).toFixed(3)} ms`);
    }
  }

  /** @param {string} key @param {CallOptions} [options] @returns {Promise<{ success: boolean, data?: any, metadata?: any, error?: Error }>} */
  async get(key, options) {
    try {
      const store = this.#direct(options);
      if (store === undefined || own(options, 'includeMetadata') === true) return await this.#getWith(key, options);
      const namespace = namespaceOf(options);
      let text = store[valueText](key, checked(namespace, store));
      if (typeof text === 'object') text = await text;
      if (text === undefined) throw notFound(key, namespace);
      return { success: true, data: parseStored(text) };
    } catch (error) {
      return { success: false, error: /** @type {Error} */ (error) };
    }
  }

  /** @param {string} key @param {CallOptions | undefined} options */
  #getWith(key, options) {
    return this.#call('get', options, async (target) => {
      const namespace = namespaceOf(options);
      const entry = await target.getEntry(key, { namespace });
      if (entry === undefined) throw notFound(key, namespace);
      return own(options, 'includeMetadata') === true ? { data: entry.value, metadata: entry.metadata } : { data: entry.value };
    });
  }

  /**
   * The store, for a call that may take the short way: open, not debugged, outside a transaction.
   * @param {CallOptions | null | undefined} options
   * @returns {Store | undefined}
   */
  #direct(options) {
    const id = own(options, 'transactionId');
    return this.#closed || this.#debug || (id !== undefined && id !== null) ? undefined : this.#store;
  }

  /** @param {string} key @param {any} value @param {CallOptions} [options] @returns {Promise<{ success: boolean, error?: Error }>} */
  async set(key, value, options) {
    try {
      const store = this.#direct(options);
      if (store === undefined) return await this.#setWith(key, value, options);
      const namespace = checked(namespaceOf(options), store);
      const metadata = own(options, 'metadata');
      const overwrite = own(options, 'overwrite') !== false;
      // All names that a set() reads: of one left out it would read what Object.prototype was given.
      await store[writeSet](key, value, { namespace, metadata, overwrite, ifVersion: undefined, durability: undefined, signal: undefined, timeout: undefined });
      return { success: true };
    } catch (error) {
      return { success: false, error: /** @type {Error} */ (error) };
    }
  }

  /** @param {string} key @param {any} value @param {CallOptions | undefined} options */
  #setWith(key, value, options) {
    const take = attempt(() => [this.#now(value), this.#now(own(options, 'metadata'))]);
    return this.#call('set', options, async (target) => {
      const [captured, metadata] = take();
      await target.set(key, captured, { namespace: namespaceOf(options), metadata, overwrite: own(options, 'overwrite') !== false });
    });
  }

  /**
   * The value of a call is the one at the moment of the call, also while the database is still being opened.
   * @param {any} value
   * @returns {any}
   */
  #now(value) {
    return this.#store === undefined ? copyOf(value) : value;
  }

  /** @param {string} key @param {CallOptions} [options] @returns {Promise<{ success: boolean, error?: Error }>} */
  delete(key, options) {
    return this.#call('delete', options, async (target) => {
      await target.delete(key, { namespace: namespaceOf(options) });
    });
  }

  /** @param {string} key @param {CallOptions} [options] @returns {Promise<{ success: boolean, exists: boolean, error?: Error }>} */
  async has(key, options) {
    try {
      const store = this.#direct(options);
      if (store === undefined) return await this.#hasWith(key, options);
      const found = store[isPresent](key, checked(namespaceOf(options), store));
      return { success: true, exists: (typeof found === 'object' ? await found : found) === true };
    } catch (error) {
      return { success: false, exists: false, error: /** @type {Error} */ (error) };
    }
  }

  /** @param {string} key @param {CallOptions | undefined} options */
  #hasWith(key, options) {
    const work = async (/** @type {Store | Transaction} */ target) => ({ exists: await target.has(key, { namespace: namespaceOf(options) }) });
    return this.#call('has', options, work, { exists: false });
  }

  /**
   * Keys that are missing are in `errors`, and make `success` false; the others are in `data` all the same.
   * @param {Iterable<string>} keys
   * @param {CallOptions} [options]
   * @returns {Promise<{ success: boolean, data: Map<string, any>, errors?: Map<string, Error>, error?: Error }>}
   */
  async getMany(keys, options) {
    const take = attempt(() => toArray(keys, 'keys', this.#batchEntries()));
    const work = async (/** @type {Store | Transaction} */ target) => {
      const list = take();
      const namespace = namespaceOf(options);
      const problems = this.#keyProblems(list);
      const asked = problems.size === 0 ? list : list.filter((key) => !problems.has(key));
      const data = await target.getMany(/** @type {string[]} */ (asked), { namespace });
      const missing = /** @type {string[]} */ (list).filter((key) => !data.has(key));
      return { data, errors: new Map(missing.map((key) => [key, problems.get(key) ?? notFound(key, namespace)])) };
    };
    const { errors, ...result } = await this.#call('getMany', options, work, { data: new Map() });
    return errors === undefined || errors.size === 0 ? result : { ...result, success: false, errors };
  }

  /** @param {unknown[]} keys @returns {Map<unknown, unknown>} what is wrong with those that are no keys */
  #keyProblems(keys) {
    const problems = new Map();
    for (const key of keys) {
      try {
        checkKey(key, /** @type {Limits} */ (this.#limits));
      } catch (error) {
        problems.set(key, error);
      }
    }
    return problems;
  }

  /**
   * One transaction; entries that fail are reported, the others are kept, unless `atomic`.
   * @param {Iterable<{ key: string, value: any, options?: CallOptions }>} entries their own options win
   * @param {CallOptions} [options]
   * @returns {Promise<{ success: boolean, results: Map<string, { success: boolean, error?: Error }>, outcomes?: any[], errors?: Error[], error?: Error }>}
   */
  async setMany(entries, options) {
    const now = (/** @type {any} */ value) => this.#now(value);
    const take = attempt(() => ({
      list: toArray(entries, 'entries', this.#batchEntries()).map((entry) => flatten(entry, now)),
      common: { namespace: namespaceOf(options), metadata: now(own(options, 'metadata')), overwrite: own(options, 'overwrite') !== false, atomic: own(options, 'atomic') === true },
    }));
    const work = async (/** @type {Store | Transaction} */ target) => {
      const { list, common } = take();
      return { outcomes: (await target.setMany(list, common)).outcomes };
    };
    const result = await this.#call('setMany', options, work, { results: new Map() });
    return result.success ? summarize(result.outcomes) : result;
  }

  /**
   * Missing keys count as success.
   * @param {Iterable<string>} keys
   * @param {CallOptions} [options]
   * @returns {Promise<{ success: boolean, results: Map<string, { success: boolean, error?: Error }>, errors?: Error[], error?: Error }>}
   */
  async deleteMany(keys, options) {
    const take = attempt(() => /** @type {string[]} */ (toArray(keys, 'keys', this.#batchEntries())));
    const work = async (/** @type {Store | Transaction} */ target) => ({
      outcomes: (await target.deleteMany(take(), { namespace: namespaceOf(options), atomic: own(options, 'atomic') === true })).outcomes,
    });
    const result = await this.#call('deleteMany', options, work, { results: new Map() });
    return result.success ? summarize(result.outcomes) : result;
  }

  /** @param {CallOptions} [options] pattern, limit, offset @returns {Promise<{ success: boolean, keys?: string[], error?: Error }>} */
  list(options) {
    return this.#call('list', options, async (target) => {
      const [pattern, limit, offset] = ['pattern', 'limit', 'offset'].map((name) => own(options, name));
      return { keys: await target.list({ namespace: namespaceOf(options), pattern, limit, offset }) };
    });
  }

  /**
   * @param {any} filter a filter object, an array of them, or a StorageQuery
   * @param {CallOptions} [options] limit, offset, sort
   * @returns {Promise<{ success: boolean, results?: { key: string, value: any, metadata: any }[], error?: Error }>}
   */
  query(filter, options) {
    return this.#call('query', options, async (target) => {
      const [limit, offset, sort] = ['limit', 'offset', 'sort'].map((name) => own(options, name));
      if (filter === undefined || filter === null) throw new StorageError('HYPHA_INVALID_FILTER', 'filter must be a filter object or an array of them');
      // A StorageQuery's own paging and sort win, so that those of the options are not even looked at.
      const order = isStorageQuery(filter) ? {} : { limit, offset, sort: Array.isArray(sort) ? sort.map(sortKeyOf) : sortKeyOf(sort) };
      return { results: await target[kernelQuery](filter, { namespace: namespaceOf(options), ...order }) };
    });
  }

  /** @param {CallOptions} [options] filter @returns {Promise<{ success: boolean, count?: number, error?: Error }>} */
  count(options) {
    return this.#call('count', options, async (target) => ({ count: await target.count({ namespace: namespaceOf(options), filter: own(options, 'filter') }) }));
  }

  /** @param {string} name @param {CallOptions} [options] metadata @returns {Promise<{ success: boolean, error?: Error }>} */
  createNamespace(name, options) {
    const take = attempt(() => this.#now(own(options, 'metadata')));
    return this.#call('createNamespace', options, async (target) => {
      await target.createNamespace(name, { metadata: take() });
    });
  }

  /** @param {string} name @param {CallOptions} [options] recursive @returns {Promise<{ success: boolean, error?: Error }>} */
  deleteNamespace(name, options) {
    return this.#call('deleteNamespace', options, async (target) => {
      await target.deleteNamespace(name, { recursive: own(options, 'recursive') === true });
    });
  }

  /** @param {CallOptions} [options] @returns {Promise<{ success: boolean, namespaces?: string[], error?: Error }>} */
  listNamespaces(options) {
    return this.#call('listNamespaces', options, async (target) => ({ namespaces: await target.listNamespaces() }));
  }

  /** @param {string} key @param {CallOptions} [options] @returns {Promise<{ success: boolean, metadata?: any, error?: Error }>} */
  getMetadata(key, options) {
    return this.#call('getMetadata', options, async (target) => {
      const namespace = namespaceOf(options);
      const metadata = await target.getMetadata(key, { namespace });
      if (metadata === undefined) throw notFound(key, namespace);
      return { metadata };
    });
  }

  /** @param {string} key @param {object} metadata @param {CallOptions} [options] merge @returns {Promise<{ success: boolean, error?: Error }>} */
  setMetadata(key, metadata, options) {
    const captured = this.#now(metadata);
    return this.#call('setMetadata', options, async (target) => {
      await target.setMetadata(key, captured, { namespace: namespaceOf(options), merge: own(options, 'merge') !== false });
    });
  }

  /** @param {CallOptions} [options] namespace; without one everything goes @returns {Promise<{ success: boolean, error?: Error }>} */
  clear(options) {
    return this.#call('clear', options, async (target) => {
      const namespace = own(options, 'namespace');
      await target.clear(namespace ? { namespace } : undefined);
    });
  }

  /** @returns {Promise<{ success: boolean, status: { healthy: boolean, [name: string]: any }, error?: Error }>} */
  getStatus() {
    const work = async (/** @type {any} */ store) => ({ status: { healthy: true, backend: 'hyphadb', ...(await store.status()) } });
    return this.#call('getStatus', undefined, work, { status: { healthy: false } });
  }

  /**
   * @param {{ isolation?: string, timeout?: number }} [options] all three isolations of the contract run serializable;
   *   timeout in milliseconds, 30,000 unless given
   * @returns {Promise<{ success: boolean, transactionId?: string, error?: Error }>}
   */
  beginTransaction(options) {
    return this.#call('beginTransaction', undefined, async (store) => {
      const [isolation, timeout] = ['isolation', 'timeout'].map((name) => own(options, name));
      if (isolation !== undefined && isolation !== null && !ISOLATIONS.includes(normalIsolation(isolation))) {
        throw new StorageError('HYPHA_INVALID_ARGUMENT', `options.isolation must be one of ${ISOLATIONS.join(', ')}`);
      }
      const transaction = await /** @type {Store} */ (store).beginTransaction({ timeout: timeout ?? undefined });
      const transactionId = `tx_${transaction.id}`;
      this.#transactions.set(transactionId, transaction);
      if (this.#transactions.size > TRANSACTIONS_KEPT) this.#transactions.delete(this.#transactions.keys().next().value ?? '');
      return { transactionId };
    });
  }

  /** @param {string} transactionId @returns {Promise<{ success: boolean, error?: Error }>} */
  commit(transactionId) {
    return this.#end('commit', transactionId);
  }

  /** @param {string} transactionId @returns {Promise<{ success: boolean, error?: Error }>} */
  rollback(transactionId) {
    return this.#end('rollback', transactionId);
  }

  /** @param {'commit' | 'rollback'} how @param {string} transactionId */
  #end(how, transactionId) {
    return this.#call(how, { transactionId: transactionId ?? '' }, async (transaction) => {
      try {
        await /** @type {Transaction} */ (transaction)[how]();
        this.#transactions.delete(transactionId);
      } catch (error) {
        // One that passed its deadline keeps saying so; any other is over.
        if (/** @type {StorageError} */ (error).code !== 'HYPHA_TRANSACTION_TIMEOUT') this.#transactions.delete(transactionId);
        throw error;
      }
    });
  }

  /** Closes the database. May be called un-awaited and again. @returns {Promise<{ success: boolean, error?: Error }>} */
  close() {
    return (this.#closing ??= this.#close());
  }

  /** @returns {Promise<{ success: boolean, error?: Error }>} */
  async #close() {
    const opening = this.#opening;
    this.#closed = true;
    try {
      const store = this.#store ?? (opening === undefined ? undefined : await opening.catch(() => undefined));
      await store?.close();
      return { success: true };
    } catch (error) {
      return { success: false, error: /** @type {Error} */ (error) };
    }
  }

  async [Symbol.asyncDispose]() {
    await this.close();
  }
}

/** @param {any} value @returns {any} what would be stored now; the value itself when that cannot be stored, to fail later */
function copyOf(value) {
  try {
    const text = JSON.stringify(value);
    return text === undefined ? value : JSON.parse(text);
  } catch {
    return value;
  }
}

const SORT_NAMES = ['field', 'path', 'metadata', 'system', 'order'];

/** @param {any} sort @returns {any} a sort key without what the kernel may have added to it */
function sortKeyOf(sort) {
  if (typeof sort !== 'object' || sort === null) return sort;
  return Object.fromEntries(SORT_NAMES.filter((name) => Object.hasOwn(sort, name)).map((name) => [name, sort[name]]));
}

/** @param {unknown} isolation */
const normalIsolation = (isolation) => String(isolation).toUpperCase().replaceAll(' ', '_').replaceAll('-', '_');

/**
 * @template T
 * @param {() => T} make is called now
 * @returns {() => T} its result, or its failure, when asked for
 */
function attempt(make) {
  try {
    const value = make();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
