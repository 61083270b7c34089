// The storage contract of the Mycelia kernel on better-sqlite3, written the plain way: the kernel's own table layout,
// one prepared statement per method, queries that load every entry with the methods themselves and test it in JavaScript.

import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { compareBy, matchesAll } from './plain-filter.js';

const LAYOUT = new URL('../../schema/0001_kernel_layout.up.sql', import.meta.url);
const DEFAULT_NAMESPACE = 'default';

const SQL = {
  get: 'SELECT value FROM storage_entries WHERE namespace = ? AND key = ?',
  getMetadata: 'SELECT metadata FROM storage_entries WHERE namespace = ? AND key = ?',
  set: `INSERT INTO storage_entries(namespace, key, value, metadata, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT(namespace, key) DO UPDATE SET
          value = excluded.value, metadata = excluded.metadata, updated_at = excluded.updated_at`,
  has: 'SELECT 1 FROM storage_entries WHERE namespace = ? AND key = ? LIMIT 1',
  list: 'SELECT key FROM storage_entries WHERE namespace = ? AND key LIKE ? ORDER BY key LIMIT ? OFFSET ?',
  listAll: 'SELECT key FROM storage_entries WHERE namespace = ? ORDER BY key LIMIT ? OFFSET ?',
  scan: 'SELECT key, value, metadata FROM storage_entries WHERE namespace = ? ORDER BY key',
};

const namespaceOf = (options) => options.namespace || DEFAULT_NAMESPACE;
const metadataOf = (row) => (row.metadata === null ? {} : JSON.parse(row.metadata));
const notFound = (key, namespace) => new Error(`Key "${key}" not found in namespace "${namespace}"`);

export class BetterSqlite3Backend {
  #db;
  #statements;
  #scanInOneSelect;

  /**
   * @param {string} path
   * @param {{ scanInOneSelect?: boolean, synced?: boolean }} [options] `synced`: each commit reaches the disk; queries read all rows with one SELECT, where the kernel's backend
   *   lists the keys and then gets each value and each metadata
   */
  constructor(path, { scanInOneSelect = false, synced = false } = {}) {
    this.#db = new Database(path);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma(`synchronous = ${synced ? 'FULL' : 'NORMAL'}`);
    this.#db.exec(readFileSync(LAYOUT, 'utf8'));
    this.#statements = Object.fromEntries(Object.entries(SQL).map(([name, text]) => [name, this.#db.prepare(text)]));
    this.#scanInOneSelect = scanInOneSelect;
  }

  #write(namespace, key, value, metadata) {
    const now = Date.now();
    const metadataText = metadata === undefined ? null : JSON.stringify(metadata);
    this.#statements.set.run(namespace, key, JSON.stringify(value), metadataText, now, now);
  }

  async get(key, options = {}) {
    try {
      const namespace = namespaceOf(options);
      const row = this.#statements.get.get(namespace, key);
      if (row === undefined) return { success: false, error: notFound(key, namespace) };
      return { success: true, data: JSON.parse(row.value) };
    } catch (error) {
      return { success: false, error };
    }
  }

  async getMetadata(key, options = {}) {
    try {
      const namespace = namespaceOf(options);
      const row = this.#statements.getMetadata.get(namespace, key);
      if (row === undefined) return { success: false, error: notFound(key, namespace) };
      return { success: true, metadata: metadataOf(row) };
    } catch (error) {
      return { success: false, error };
    }
  }

  async has(key, options = {}) {
    try {
      return { success: true, exists: this.#statements.has.get(namespaceOf(options), key) !== undefined };
    } catch (error) {
      return { success: false, exists: false, error };
    }
  }

  async set(key, value, options = {}) {
    try {
      this.#write(namespaceOf(options), key, value, options.metadata);
      return { success: true };
    } catch (error) {
      return { success: false, error };
    }
  }

  /** One transaction of one get and one set. @returns {any} the new value */
  update(key, change) {
    const update = this.#db.transaction(() => {
      const value = change(JSON.parse(this.#statements.get.get(DEFAULT_NAMESPACE, key).value));
      this.#write(DEFAULT_NAMESPACE, key, value);
      return value;
    });
    return update.immediate();
  }

  /** One transaction of many sets. */
  setInOne(entries) {
    this.#db.transaction(() => {
      for (const { key, value } of entries) this.#write(DEFAULT_NAMESPACE, key, value);
    })();
  }

  async getMany(keys, options = {}) {
    const data = new Map();
    const errors = new Map();
    for (const key of keys) {
      const result = await this.get(key, options);
      if (result.success) data.set(key, result.data);
      else errors.set(key, result.error);
    }
    return errors.size === 0 ? { success: true, data } : { success: false, data, errors };
  }

  async setMany(entries, options = {}) {
    const results = new Map();
    try {
      this.#db.transaction(() => {
        for (const { key, value, options: own } of entries) {
          const { metadata, ...merged } = { ...options, ...own };
          this.#write(namespaceOf(merged), key, value, metadata);
          results.set(key, true);
        }
      })();
      return { success: true, results };
    } catch (error) {
      return { success: false, results: new Map(), errors: [error] };
    }
  }

  async list(options = {}) {
    try {
      const paging = [options.limit ?? -1, options.offset ?? 0];
      const like = options.pattern?.replaceAll('*', '%');
      const rows = like === undefined
        ? this.#statements.listAll.all(namespaceOf(options), ...paging)
        : this.#statements.list.all(namespaceOf(options), like, ...paging);
      return { success: true, keys: rows.map((row) => row.key) };
    } catch (error) {
      return { success: false, keys: [], error };
    }
  }

  // Entries that match, each loaded with the public methods, as the kernel's backend does it.
  async #matching(filter, options) {
    const { namespace } = options;
    const found = [];
    const { keys } = await this.list({ namespace });
    for (const key of keys) {
      const { success, data: value } = await this.get(key, { namespace });
      if (!success) continue;
      const { metadata } = await this.getMetadata(key, { namespace });
      if (matchesAll(filter, { key, value, metadata })) found.push({ key, value, metadata });
    }
    return found;
  }

  // The same with one SELECT.
  #matchingInOneSelect(filter, options) {
    const found = [];
    for (const row of this.#statements.scan.iterate(namespaceOf(options))) {
      const entry = { key: row.key, value: JSON.parse(row.value), metadata: metadataOf(row) };
      if (matchesAll(filter, entry)) found.push(entry);
    }
    return found;
  }

  async query(filter, options = {}) {
    try {
      const { sort, limit, offset = 0 } = options;
      const results = this.#scanInOneSelect
        ? this.#matchingInOneSelect(filter, options)
        : await this.#matching(filter, options);
      if (sort) results.sort(compareBy(sort));
      return { success: true, results: results.slice(offset, limit === undefined ? undefined : offset + limit) };
    } catch (error) {
      return { success: false, results: [], error };
    }
  }

  async count({ filter, ...options } = {}) {
    const { success, results, error } = await this.query(filter ?? [], options);
    return success ? { success, count: results.length } : { success, count: 0, error };
  }

  async close() {
    this.#db.close();
    return { success: true };
  }
}
