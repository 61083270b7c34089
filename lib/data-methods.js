// The data methods that a store, a namespace and a transaction share.

import { channel } from 'node:diagnostics_channel';

import { invalidArgument, StorageError } from './errors.js';
import { isStorageQuery, readFilter, readSort } from './filter.js';
import { METHOD_OPTIONS, readOptions } from './options.js';
import { parseChunks, toEntry, toMap } from './results.js';
import { checkKey, checkNamespace, checkPattern, isMalformed, metadataToJson, toArray, valueToJson } from './validate.js';
import { FLAG, KIND, OpList } from './op-list.js';

/** @typedef {import('./session.js').StoreSession} StoreSession */
/** @typedef {import('./session.js').TransactionSession} TransactionSession */
/** @typedef {import('./options.js').OptionTable} OptionTable */
/** @typedef {import('./options.js').Durability} Durability */
/** @typedef {import('./filter.js').Filter} Filter */
/** @typedef {import('./filter.js').StorageQuery} StorageQuery */
/** @typedef {import('./filter.js').SortKey} SortKey */
/** @typedef {import('./native.js').RawEntry} RawEntry */
/** @typedef {import('./op-list.js').Op} Op */
/**
 * @template [T=unknown]
 * @typedef {import('./results.js').Entry<T>} Entry
 */

/** @typedef {{ namespace?: string }} KeyOptions */
/** @typedef {{ namespace?: string, metadata?: object | null, overwrite?: boolean, ifVersion?: number | null, durability?: Durability }} SetOptions */
/** @typedef {{ key: string, value: unknown, namespace?: string, metadata?: object | null, overwrite?: boolean, ifVersion?: number | null }} SetEntry */
/** @typedef {{ key: string, namespace: string, ok: boolean, version?: number, error?: Error }} SetOutcome */
/** @typedef {{ key: string, namespace: string, ok: boolean, deleted?: boolean, error?: Error }} DeleteOutcome */
/** @typedef {{ namespace?: string, pattern?: string | null, prefix?: string | null, after?: string | null, limit?: number | null, offset?: number | null }} ListOptions */
/** @typedef {{ signal?: AbortSignal, timeout?: number }} ReadControl */
/** @typedef {{ namespace?: string, sort?: SortKey | SortKey[] | null, limit?: number | null, offset?: number | null, select?: string[] } & ReadControl} QueryOptions */
/** @typedef {{ namespace?: string, sort?: SortKey | SortKey[] | null, limit?: number, after?: string, select?: string[] } & ReadControl} PageOptions */
/** @typedef {{ namespace?: string, sort?: SortKey | SortKey[] | null, batch?: number, select?: string[] } & ReadControl} IterateOptions */
/** @typedef {{ name: string, explicit: boolean, metadata: Record<string, unknown>, createdAt: number }} NamespaceInfo */

export const DEFAULT_NAMESPACE = 'default';

/** Names a method that is not part of the public interface. */
export const kernelQuery = Symbol('kernelQuery');

/** The options of a call without any. @type {Record<string, any>} */
const NO_OPTIONS = Object.freeze(Object.create(null));


/** Entries of a page, or of an iterator's batch, unless given. */
const DEFAULT_BATCH = 500;

const scans = channel('hyphadb:scan');
/** A filter that looked at more entries than this without an index is worth a message. */
const MANY_EXAMINED = 1000;

/** @param {string} namespace @param {[chunks: string[], examined: number, index?: string]} reply */
function publishScan(namespace, [, examined, index]) {
  if (index === undefined && examined > MANY_EXAMINED && scans.hasSubscribers) scans.publish({ namespace, examined });
}

/** @param {number | null | undefined} ifVersion @returns {number | undefined} as the addon reads it */
const versionCode = (ifVersion) => (ifVersion === null ? 0 : ifVersion);

/** @param {unknown} value @param {string} name @returns {number | null | undefined} */
function checkPaging(value, name) {
  const ok = value === undefined || value === null || (Number.isSafeInteger(value) && /** @type {number} */ (value) >= 0);
  if (!ok) throw invalidArgument(name, 'a non-negative integer, null or undefined');
  return /** @type {number | null | undefined} */ (value);
}

export class DataMethods {
  /** @type {StoreSession | TransactionSession} */ #session;
  /** @type {string | undefined} set when the namespace is fixed */ #namespace;

  /**
   * @param {StoreSession | TransactionSession} session
   * @param {string} [namespace]
   */
  constructor(session, namespace) {
    this.#session = session;
    this.#namespace = namespace;
  }

  /** @param {string} [given] @returns {string} */
  #ns(given) {
    if (given === undefined) return this.#namespace ?? DEFAULT_NAMESPACE;
    checkNamespace(given, this.#session.limits);
    if (this.#namespace !== undefined && given !== this.#namespace) {
      throw invalidArgument('options.namespace', `"${this.#namespace}" or absent here`);
    }
    return given;
  }

  /** @param {KeyOptions | undefined} options @returns {string} */
  #nsOf(options) {
    return options === undefined ? this.#ns() : this.#ns(readOptions(options, METHOD_OPTIONS.key).namespace);
  }

  /**
   * @template [T=any]
   * @param {string} key
   * @param {KeyOptions} [options]
   * @returns {Promise<T | undefined>} a fresh value that nobody else holds, undefined when the key is absent
   */
  async get(key, options) {
    const ns = this.#nsOf(options);
    checkKey(key, this.#session.limits);
    let text = this.#session.readPoint(
      ns,
      key,
      (store) => store.get(ns, key),
      async (store) => (await store.read(0, 'entry', ns, key))?.[0],
    );
    if (typeof text === 'object') text = await text;
    return text === undefined ? undefined : JSON.parse(/** @type {string} */ (text));
  }

  /**
   * @template [T=any]
   * @param {string} key
   * @param {KeyOptions} [options]
   * @returns {Promise<Entry<T> | undefined>}
   */
  async getEntry(key, options) {
    const ns = this.#nsOf(options);
    checkKey(key, this.#session.limits);
    const raw = await this.#session.readPoint(
      ns,
      key,
      (store) => store.getEntry(ns, key),
      (store) => store.read(0, 'entry', ns, key),
    );
    return raw === undefined ? undefined : toEntry(key, /** @type {RawEntry} */ (raw));
  }

  /**
   * @param {string} key
   * @param {KeyOptions} [options]
   * @returns {Promise<boolean>}
   */
  async has(key, options) {
    const ns = this.#nsOf(options);
    checkKey(key, this.#session.limits);
    const found = this.#session.readPoint(
      ns,
      key,
      (store) => store.has(ns, key),
      async (store) => ((await store.read(0, 'entry', ns, key)) === undefined ? undefined : true),
    );
    return (typeof found === 'object' ? await found : found) === true;
  }

  /**
   * @param {string} key
   * @param {KeyOptions} [options]
   * @returns {Promise<Record<string, any> | undefined>} `{}` for an entry without metadata, undefined when absent
   */
  async getMetadata(key, options) {
    const ns = this.#nsOf(options);
    checkKey(key, this.#session.limits);
    const text = await this.#session.readPoint(
      ns,
      key,
      (store) => store.getMetadata(ns, key),
      async (store) => {
        const raw = await store.read(0, 'entry', ns, key);
        return raw === undefined ? undefined : (raw[1] ?? '');
      },
    );
    if (text === undefined) return undefined;
    return text === '' ? {} : JSON.parse(/** @type {string} */ (text));
  }

  /**
   * All from one snapshot.
   * @template [T=any]
   * @param {Iterable<string>} keys
   * @param {KeyOptions} [options]
   * @returns {Promise<Map<string, T>>} in the order asked, absent keys left out
   */
  async getMany(keys, options) {
    const ns = this.#nsOf(options);
    const list = toArray(keys, 'keys');
    this.#checkBatch(list.length);
    for (const key of list) checkKey(key, this.#session.limits);
    const asked = /** @type {string[]} */ (list);
    return toMap(asked, await this.#session.readMany(ns, asked));
  }

  /** @param {number} count */
  #checkBatch(count) {
    const { batchEntries } = this.#session.limits;
    if (count > batchEntries) {
      throw new StorageError('HYPHA_TOO_LARGE', `the batch has more entries than limits.batchEntries (${batchEntries})`);
    }
  }

  /** @param {unknown} key @param {unknown} value @param {Record<string, any>} options @returns {Op} */
  #setOp(key, value, options) {
    const { limits } = this.#session;
    const ns = this.#ns(options.namespace);
    checkKey(key, limits);
    return {
      kind: options.overwrite === false ? KIND.set | FLAG.noOverwrite : KIND.set,
      ns,
      key,
      value: valueToJson(value, limits),
      metadata: metadataToJson(options.metadata, limits),
      ifVersion: versionCode(options.ifVersion),
    };
  }

  /**
   * The value is taken at the call: changing the object afterwards changes nothing.
   * @param {string} key
   * @param {unknown} value what JSON.stringify can represent
   * @param {SetOptions} [options] metadata given replaces, metadata not given is kept; overwrite: false fails with
   *   HYPHA_EXISTS when the key is present; ifVersion fails with HYPHA_CONFLICT unless the entry has that version
   * @returns {Promise<{ version: number }>}
   */
  async set(key, value, options) {
    const given = options === undefined ? NO_OPTIONS : readOptions(options, METHOD_OPTIONS.set);
    const version = await this.#session.write(this.#setOp(key, value, given), given.durability);
    return { version };
  }

  /**
   * @param {string} key
   * @param {{ namespace?: string, ifVersion?: number | null, durability?: Durability }} [options]
   * @returns {Promise<boolean>} whether there was an entry
   */
  async delete(key, options) {
    const given = options === undefined ? NO_OPTIONS : readOptions(options, METHOD_OPTIONS.delete);
    const ns = this.#ns(given.namespace);
    checkKey(key, this.#session.limits);
    const op = { kind: KIND.delete, ns, key, ifVersion: versionCode(given.ifVersion) };
    return (await this.#session.write(op, given.durability)) > 0;
  }

  /**
   * One request. Unless `atomic`, an entry that fails does not touch the others.
   * @param {Iterable<SetEntry>} entries
   * @param {{ namespace?: string, metadata?: object | null, overwrite?: boolean, atomic?: boolean, durability?: Durability }} [options]
   *   an entry's own options win
   * @returns {Promise<{ ok: boolean, outcomes: SetOutcome[] }>} outcomes in the order of the entries
   */
  async setMany(entries, options) {
    const given = readOptions(options, METHOD_OPTIONS.setMany);
    const list = toArray(entries, 'entries');
    this.#checkBatch(list.length);
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
        const namespace = entry?.namespace ?? this.#ns(given.namespace);
        outcomes.push({ key: entry?.key, namespace, ok: false, error: /** @type {Error} */ (error) });
      }
      this.#checkBatchSize(ops.size);
    }
    if (ops.size * 3 > this.#session.limits.batchBytes) this.#checkBatchSize(ops.byteLength());
    const results = await this.#session.writeAll(ops, given.atomic === true, given.durability);
    for (let i = 0; i < results.length; i++) {
      const outcome = outcomes[places[i]];
      const result = results[i];
      if (typeof result === 'number') outcome.version = result;
      else Object.assign(outcome, { ok: false, error: result });
    }
    return { ok: outcomes.every((outcome) => outcome.ok), outcomes };
  }

  /** @param {any} entry @param {Record<string, any>} common options of the batch @param {number} index @returns {Op} */
  #entryOp(entry, common, index) {
    if (typeof entry !== 'object' || entry === null) throw invalidArgument(`entries[${index}]`, 'an object { key, value }');
    // Most entries are exactly { key, value }.
    const plain = Object.hasOwn(entry, 'key') && Object.hasOwn(entry, 'value') && Object.keys(entry).length === 2;
    if (plain) return this.#setOp(entry.key, entry.value, common);
    const { key, value, ...own } = readOptions(entry, METHOD_OPTIONS.setManyEntry, `entries[${index}]`);
    const { namespace, metadata, overwrite } = common;
    return this.#setOp(key, value, { namespace, metadata, overwrite, ...own });
  }

  /** @param {number} size */
  #checkBatchSize(size) {
    const { batchBytes } = this.#session.limits;
    if (size > batchBytes) {
      throw new StorageError('HYPHA_TOO_LARGE', `the batch is larger than limits.batchBytes (${batchBytes} bytes)`);
    }
  }

  /**
   * @param {Iterable<string>} keys
   * @param {{ namespace?: string, atomic?: boolean, durability?: Durability }} [options]
   * @returns {Promise<{ ok: boolean, outcomes: DeleteOutcome[] }>} an absent key is a success
   */
  async deleteMany(keys, options) {
    const given = readOptions(options, METHOD_OPTIONS.deleteMany);
    const ns = this.#ns(given.namespace);
    const list = toArray(keys, 'keys');
    this.#checkBatch(list.length);
    /** @type {DeleteOutcome[]} */
    const outcomes = [];
    const ops = new OpList();
    /** @type {number[]} */
    const places = [];
    for (let i = 0; i < list.length; i++) {
      const key = /** @type {string} */ (list[i]);
      outcomes.push({ key, namespace: ns, ok: true });
      try {
        checkKey(key, this.#session.limits);
        ops.push({ kind: KIND.delete, ns, key });
        places.push(i);
      } catch (error) {
        if (given.atomic) throw error;
        outcomes[i] = { key, namespace: ns, ok: false, error: /** @type {Error} */ (error) };
      }
    }
    const results = await this.#session.writeAll(ops, given.atomic === true, given.durability);
    for (let i = 0; i < results.length; i++) {
      const result = results[i];
      if (typeof result === 'number') outcomes[places[i]].deleted = result > 0;
      else Object.assign(outcomes[places[i]], { ok: false, error: result });
    }
    return { ok: outcomes.every((outcome) => outcome.ok), outcomes };
  }

  /**
   * @param {string} key fails with HYPHA_NOT_FOUND when absent
   * @param {object} metadata
   * @param {{ namespace?: string, merge?: boolean, durability?: Durability }} [options] merge (the default) keeps the
   *   properties not given
   * @returns {Promise<{ version: number }>}
   */
  async setMetadata(key, metadata, options) {
    const given = readOptions(options, METHOD_OPTIONS.setMetadata);
    const ns = this.#ns(given.namespace);
    checkKey(key, this.#session.limits);
    const text = metadataToJson(metadata, this.#session.limits);
    if (text === undefined) throw new StorageError('HYPHA_INVALID_VALUE', 'metadata must be a plain object');
    const kind = given.merge === false ? KIND.setMetadata : KIND.mergeMetadata;
    return { version: await this.#session.write({ kind, ns, key, metadata: text }, given.durability) };
  }

  /**
   * Keys in the byte order of their UTF-8.
   * @param {ListOptions} [options] `pattern`: `*` matches any run, everything else is literal
   * @returns {Promise<string[]>}
   */
  async list(options) {
    const given = readOptions(options, METHOD_OPTIONS.list);
    const ns = this.#ns(given.namespace);
    if (typeof given.pattern === 'string') checkPattern(given.pattern, this.#session.limits, 'options.pattern');
    for (const name of ['pattern', 'prefix', 'after']) {
      // No key holds half a surrogate pair, and UTF-8 cannot ask for one.
      if (typeof given[name] === 'string' && isMalformed(given[name])) throw invalidArgument(`options.${name}`, 'without lone surrogates');
    }
    const chunks = await this.#session.readControlled(given, 'list', ns, given.pattern, given.prefix, given.after, given.limit, given.offset ?? 0);
    return parseChunks(chunks, () => this.#session.nextTurn());
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
    return parseChunks(chunks, () => this.#session.nextTurn());
  }

  /**
   * @param {any} filter
   * @param {Record<string, any>} given options, checked
   * @param {{ kernelShape?: boolean, explain?: boolean, page?: boolean }} how
   * @returns {Promise<[chunks: string[], examined: number, index?: string, explanation?: string, cursor?: string]>}
   */
  async #runQuery(filter, given, { kernelShape = false, explain = false, page = false }) {
    const ns = this.#ns(given.namespace);
    const own = isStorageQuery(filter);
    const sort = readSort(own ? filter.getSort?.() : given.sort);
    const limit = checkPaging(own ? filter.getLimit?.() : given.limit, 'limit');
    const offset = checkPaging(own ? filter.getOffset?.() : given.offset, 'offset') ?? 0;
    const tree = readFilter(filter, this.#session.limits);
    const args = [ns, tree, sort, limit, offset, kernelShape, explain, page, given.after, given.select ?? []];
    const reply = await this.#session.readControlled(given, 'query', ...args);
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
    const [chunks, , , , cursor] = await this.#runQuery(filter, { ...given, limit: given.limit ?? DEFAULT_BATCH }, { page: true });
    return { entries: await parseChunks(chunks, () => this.#session.nextTurn()), cursor };
  }

  /**
   * The entries that match, one by one, as query() gives them. Reads a batch at a time, each from a snapshot of its
   * own, and only as fast as the loop asks; entries written meanwhile are met or not, none is met twice.
   * @template [T=any]
   * @param {Filter | null} [filter]
   * @param {IterateOptions} [options]
   * @returns {AsyncGenerator<Entry<T>, void, undefined>}
   */
  async *queryIterator(filter, options) {
    const { batch = DEFAULT_BATCH, ...given } = readOptions(options, METHOD_OPTIONS.iterate);
    let after;
    do {
      const page = await this.page(filter ?? [], { ...given, limit: batch, after });
      yield* page.entries;
      after = page.cursor;
    } while (after !== undefined);
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
    const ns = this.#ns(given.namespace);
    const cap = isStorageQuery(given.filter) ? checkPaging(given.filter.getLimit?.(), 'limit') : undefined;
    const tree = readFilter(given.filter, this.#session.limits);
    const count = await this.#session.readControlled(given, 'count', ns, tree);
    return cap === undefined || cap === null ? count : Math.min(count, cap);
  }

  /**
   * Deletes all entries of the namespace; without one, of every namespace. Namespaces stay.
   * @param {KeyOptions} [options]
   * @returns {Promise<number>} how many entries went
   */
  async clear(options) {
    const given = readOptions(options, METHOD_OPTIONS.clear);
    const all = given.namespace === undefined && this.#namespace === undefined;
    const op = all ? { kind: KIND.clear | FLAG.all, ns: DEFAULT_NAMESPACE } : { kind: KIND.clear, ns: this.#ns(given.namespace) };
    return this.#session.write(op);
  }
}
