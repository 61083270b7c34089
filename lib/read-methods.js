// The reading half of the data methods that a store, a namespace and a transaction share.

import { channel } from 'node:diagnostics_channel';

import { Control, isControlled } from './control.js';
import { invalidArgument } from './errors.js';
import { isStorageQuery, readFilter, readSort } from './filter.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { parseChunks, parseStored, parseStrings, toEntry, toMap } from './results.js';
import { checkKey, checkPattern, isMalformed } from './validate.js';

/** @typedef {import('./scope.js').Scope} Scope */
/** @typedef {import('./filter.js').Filter} Filter */
/** @typedef {import('./filter.js').StorageQuery} StorageQuery */
/** @typedef {import('./filter.js').SortKey} SortKey */
/** @typedef {import('./native.js').RawEntry} RawEntry */
/**
 * @template [T=unknown]
 * @typedef {import('./results.js').Entry<T>} Entry
 */

/** @typedef {{ namespace?: string }} KeyOptions */
/** @typedef {KeyOptions & CallControl} ReadOptions */
/** @typedef {import('./control.js').CallControl} CallControl */
/** @typedef {{ namespace?: string, pattern?: string | null, prefix?: string | null, after?: string | null, limit?: number | null, offset?: number | null } & CallControl} ListOptions */
/** @typedef {{ namespace?: string, sort?: SortKey | SortKey[] | null, limit?: number | null, offset?: number | null, select?: string[] } & CallControl} QueryOptions */
/** @typedef {{ namespace?: string, sort?: SortKey | SortKey[] | null, limit?: number, after?: string, select?: string[] } & CallControl} PageOptions */
/** @typedef {{ namespace?: string, sort?: SortKey | SortKey[] | null, batch?: number, select?: string[] } & CallControl} IterateOptions */

/** They name methods that are not part of the public interface. */
export const kernelQuery = Symbol('kernelQuery');
export const valueText = Symbol('valueText');
export const isPresent = Symbol('isPresent');
export const limitsOf = Symbol('limitsOf');

/** Entries of a page, or of an iterator's batch, unless given. */
const DEFAULT_BATCH = 500;

const scans = channel('hyphadb:scan');
/** A filter that looked at more entries than this without an index is worth a message. */
const MANY_EXAMINED = 1000;

/** @param {string} namespace @param {[chunks: string[], examined: number, index?: string]} reply */
function publishScan(namespace, [, examined, index]) {
  if (index === undefined && examined > MANY_EXAMINED && scans.hasSubscribers) scans.publish({ namespace, examined });
}

/** @param {unknown} value @param {string} name @returns {number | null | undefined} */
function checkPaging(value, name) {
  const ok = value === undefined || value === null || (Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0);
  if (!ok) throw invalidArgument(name, 'a non-negative integer, null or undefined');
  return /** @type {number | null | undefined} */ (value);
}

export class ReadMethods {
  /** @type {Scope} */ #scope;

  /** @param {Scope} scope */
  constructor(scope) {
    this.#scope = scope;
  }

  get [limitsOf]() {
    return this.#scope.session.limits;
  }

  /**
   * @param {string} key
   * @param {string} ns checked
   * @returns {string | undefined | Promise<string | undefined>} the value's JSON text
   */
  [valueText](key, ns) {
    checkKey(key, this.#scope.session.limits);
    return this.#scope.session.valueText(ns, key);
  }

  /**
   * @param {string} key
   * @param {string} ns checked
   * @returns {true | undefined | Promise<true | undefined>}
   */
  [isPresent](key, ns) {
    checkKey(key, this.#scope.session.limits);
    return this.#scope.session.isPresent(ns, key);
  }

  /**
   * Runs a read of keys that may end early.
   * @template T
   * @param {ReadOptions | undefined} options
   * @param {(rest: KeyOptions) => Promise<T>} read
   * @returns {Promise<T>}
   */
  #within(options, read) {
    const { signal, timeout, ...rest } = readOptions(options, METHOD_OPTIONS.read);
    return new Control({ signal, timeout }).race(read(rest));
  }

  /**
   * @template [T=any]
   * @param {string} key
   * @param {ReadOptions} [options]
   * @returns {Promise<T | undefined>} a fresh value that nobody else holds, undefined when the key is absent
   */
  async get(key, options) {
    if (isControlled(options)) return this.#within(options, (rest) => this.get(key, rest));
    let text = this[valueText](key, this.#scope.nsOfRead(options));
    if (typeof text === 'object') text = await text;
    return text === undefined ? undefined : parseStored(/** @type {string} */ (text));
  }

  /**
   * @template [T=any]
   * @param {string} key
   * @param {ReadOptions} [options]
   * @returns {Promise<Entry<T> | undefined>}
   */
  async getEntry(key, options) {
    if (isControlled(options)) return this.#within(options, (rest) => this.getEntry(key, rest));
    const ns = this.#scope.nsOfRead(options);
    checkKey(key, this.#scope.session.limits);
    const raw = await this.#scope.session.readPoint(
      ns,
      key,
      (store) => store.getEntry(ns, key),
      (store) => store.read(0, 'entry', ns, key),
    );
    return raw === undefined ? undefined : toEntry(key, /** @type {RawEntry} */ (raw));
  }

  /**
   * @param {string} key
   * @param {ReadOptions} [options]
   * @returns {Promise<boolean>}
   */
  async has(key, options) {
    if (isControlled(options)) return this.#within(options, (rest) => this.has(key, rest));
    const found = this[isPresent](key, this.#scope.nsOfRead(options));
    return (typeof found === 'object' ? await found : found) === true;
  }

  /**
   * @param {string} key
   * @param {ReadOptions} [options]
   * @returns {Promise<Record<string, any> | undefined>} `{}` for an entry without metadata, undefined when absent
   */
  async getMetadata(key, options) {
    if (isControlled(options)) return this.#within(options, (rest) => this.getMetadata(key, rest));
    const ns = this.#scope.nsOfRead(options);
    checkKey(key, this.#scope.session.limits);
    const text = await this.#scope.session.readPoint(
      ns,
      key,
      (store) => store.getMetadata(ns, key),
      async (store) => {
        const raw = await store.read(0, 'entry', ns, key);
        return raw === undefined ? undefined : (raw[1] ?? '');
      },
    );
    if (text === undefined) return undefined;
    return text === '' ? {} : parseStored(/** @type {string} */ (text));
  }

  /**
   * get() without a promise: the event loop stands still for 2 to 10 microseconds, or, where another process recovers the
   * file or the store is read-only, until a reader thread has answered.
   * @template [T=any]
   * @param {string} key
   * @param {KeyOptions} [options]
   * @returns {T | undefined} HYPHA_BUSY while a write to the key is on its way
   */
  getSync(key, options) {
    const ns = this.#scope.nsOf(options);
    checkKey(key, this.#scope.session.limits);
    const text = this.#scope.session.valueTextSync(ns, key);
    return text === undefined ? undefined : parseStored(text);
  }

  /**
   * has() as getSync() has get().
   * @param {string} key
   * @param {KeyOptions} [options]
   * @returns {boolean}
   */
  hasSync(key, options) {
    const ns = this.#scope.nsOf(options);
    checkKey(key, this.#scope.session.limits);
    return this.#scope.session.isPresentSync(ns, key);
  }

  /**
   * All from one snapshot.
   * @template [T=any]
   * @param {Iterable<string>} keys
   * @param {ReadOptions} [options]
   * @returns {Promise<Map<string, T>>} in the order asked, absent keys left out
   */
  async getMany(keys, options) {
    if (isControlled(options)) return this.#within(options, (rest) => this.getMany(keys, rest));
    const ns = this.#scope.nsOfRead(options);
    const list = this.#scope.batch(keys, 'keys');
    for (const key of list) checkKey(key, this.#scope.session.limits);
    const asked = /** @type {string[]} */ (list);
    const [chunks, present] = await this.#scope.session.readMany(ns, asked);
    return toMap(asked, await parseChunks(chunks, () => this.#scope.session.nextTurn()), present);
  }

  /**
   * Keys in the byte order of their UTF-8.
   * @param {ListOptions} [options] `pattern`: `*` matches any run, everything else is literal
   * @returns {Promise<string[]>}
   */
  async list(options) {
    const given = readOptions(options, METHOD_OPTIONS.list);
    const ns = this.#scope.ns(given.namespace);
    if (typeof given.pattern === 'string') checkPattern(given.pattern, this.#scope.session.limits, 'options.pattern');
    for (const name of ['pattern', 'prefix', 'after']) {
      // No key holds half a surrogate pair, and UTF-8 cannot ask for one.
      if (typeof given[name] === 'string' && isMalformed(given[name])) throw invalidArgument(`options.${name}`, 'without lone surrogates');
    }
    const chunks = await this.#scope.session.readControlled(Control.of(given), 'list', ns, given.pattern, given.prefix, given.after, given.limit, given.offset ?? 0);
    return parseStrings(chunks, () => this.#scope.session.nextTurn());
  }

  /**
   * Entries that match, by the exact rules of docs/queries.md, in key order unless sorted.
   * @template [T=any]
   * @param {Filter | StorageQuery | null} [filter]
   * @param {QueryOptions} [options] a StorageQuery's own sort and paging win
   * @returns {Promise<Entry<T>[]>}
   */
  async query(filter, options) {
    return this.#query(filter, options, false);
  }

  /**
   * @param {any} filter
   * @param {any} options
   * @param {boolean} kernelShape entries of `{ key, value, metadata }` only
   * @returns {Promise<any[]>}
   */
  async #query(filter, options, kernelShape) {
    const [chunks] = await this.#runQuery(filter, readOptions(options, METHOD_OPTIONS.query), { kernelShape });
    return parseChunks(chunks, () => this.#scope.session.nextTurn());
  }

  /**
   * @param {any} filter
   * @param {Record<string, any>} given options, checked
   * @param {{ kernelShape?: boolean, explain?: boolean, page?: boolean }} how
   * @param {Pick<import('./scope.js').Session, 'readControlled'>} [session] other than the scope's
   * @returns {Promise<[chunks: string[], examined: number, index?: string, explanation?: string, cursor?: string]>}
   */
  async #runQuery(filter, given, { kernelShape = false, explain = false, page = false }, session = this.#scope.session) {
    const ns = this.#scope.ns(given.namespace);
    const own = isStorageQuery(filter);
    const sort = readSort(own ? filter.getSort?.() : given.sort);
    const limit = checkPaging(own ? filter.getLimit?.() : given.limit, 'limit');
    const offset = checkPaging(own ? filter.getOffset?.() : given.offset, 'offset') ?? 0;
    const tree = readFilter(filter, this.#scope.session.limits);
    const args = [ns, tree, sort, limit, offset, kernelShape, explain, page, given.after, given.select ?? []];
    const reply = await session.readControlled(Control.of(given), 'query', ...args);
    publishScan(ns, reply);
    return reply;
  }

  /**
   * One page of query(). Pages never skip or repeat an entry that was there throughout with unchanged sort values,
   * whatever is written between them.
   * @template [T=any]
   * @param {Filter | null} filter
   * @param {PageOptions} options `after`: the cursor of the page before, with the same filter and sort
   * @returns {Promise<{ entries: Entry<T>[], cursor: string | undefined }>} no cursor after the last entry
   */
  async page(filter, options) {
    const given = readOptions(options, METHOD_OPTIONS.page);
    if (isStorageQuery(filter)) throw invalidArgument('filter', 'a filter without paging of its own');
    const [chunks, , , , cursor] = await this.#runQuery(filter, { __proto__: null, ...given, limit: given.limit ?? DEFAULT_BATCH }, { page: true });
    return { entries: await parseChunks(chunks, () => this.#scope.session.nextTurn()), cursor };
  }

  /**
   * The entries that match, one by one, as query() gives them. Reads a batch at a time, and only as fast as the loop asks.
   * All come from one snapshot while that is younger than limits.snapshotAge; then the rest comes from a newer one, in
   * which entries written meanwhile are met or not; none is met twice.
   * @template [T=any]
   * @param {Filter | null} [filter]
   * @param {IterateOptions} [options]
   * @returns {AsyncGenerator<Entry<T>, void, undefined>}
   */
  async *queryIterator(filter, options) {
    const given = readOptions(options, METHOD_OPTIONS.iterate);
    if (isStorageQuery(filter)) throw invalidArgument('filter', 'a filter without paging of its own');
    let view = await this.#openView(given);
    let isFresh = true;
    let after;
    try {
      do {
        let reply;
        try {
          reply = await this.#runQuery(filter ?? [], { __proto__: null, ...given, limit: given.batch ?? DEFAULT_BATCH, after }, { page: true }, view.session);
        } catch (error) {
          if (/** @type {any} */ (error).code !== 'HYPHA_SNAPSHOT_EXPIRED' || !view.renews || isFresh) throw error;
          view = await this.#openView(given);
          isFresh = true;
          continue;
        }
        isFresh = false;
        after = reply[4];
        if (after === undefined) await view.release(); // while its last entries are looked at nobody need wait for it
        yield* await parseChunks(reply[0], () => this.#scope.session.nextTurn());
      } while (isFresh || after !== undefined);
    } finally {
      await view.release();
    }
  }

  /** @param {CallControl} given */
  async #openView(given) {
    const control = Control.of(given);
    const opening = this.#scope.session.openView();
    if (control === undefined) return opening;
    try {
      return await control.race(opening);
    } catch (error) {
      opening.then((view) => view.release()).catch(() => {}); // `error` is the one to tell
      throw error;
    }
  }

  /**
   * All entries of a namespace in key order, or those under a prefix or that match a filter: see queryIterator().
   * @template [T=any]
   * @param {{ namespace?: string, prefix?: string, filter?: Filter, batch?: number, select?: string[], signal?: AbortSignal, timeout?: number }} [options]
   * @returns {AsyncGenerator<Entry<T>, void, undefined>}
   */
  async *entries(options) {
    const { prefix, filter, ...rest } = readOptions(options, METHOD_OPTIONS.entries);
    const terms = prefix === undefined ? [] : [{ field: 'key', operator: /** @type {const} */ ('startsWith'), value: prefix }];
    yield* this.queryIterator(filter === undefined ? terms : [...terms, filter], rest);
  }

  /**
   * Runs the query and tells how: the plan, the index used, whether the SQL alone was exact, rows examined and returned,
   * and the SQL with ? for every value.
   * @param {Filter | StorageQuery | null} [filter]
   * @param {QueryOptions} [options]
   * @returns {Promise<{ plan: string, index: { id: number, fields: object[] } | null, exact: boolean, order: string, sql: string[], examined: number, returned: number }>}
   */
  async explain(filter, options) {
    const given = readOptions(options, METHOD_OPTIONS.query);
    return JSON.parse((await this.#runQuery(filter, given, { explain: true }))[3] ?? 'null');
  }

  /**
   * query() with the rows the kernel's contract gives.
   * @param {any} filter
   * @param {QueryOptions} options
   * @returns {Promise<{ key: string, value: any, metadata: Record<string, any> }[]>}
   */
  async [kernelQuery](filter, options) {
    return this.#query(filter, options, true);
  }

  /**
   * @param {{ namespace?: string, filter?: Filter | StorageQuery | null }} [options] a StorageQuery's own limit caps
   * @returns {Promise<number>}
   */
  async count(options) {
    const given = readOptions(options, METHOD_OPTIONS.count);
    const ns = this.#scope.ns(given.namespace);
    const cap = isStorageQuery(given.filter) ? checkPaging(given.filter.getLimit?.(), 'limit') : undefined;
    const tree = readFilter(given.filter, this.#scope.session.limits);
    const count = await this.#scope.session.readControlled(Control.of(given), 'count', ns, tree);
    return cap === undefined || cap === null ? count : Math.min(count, cap);
  }
}
