// The storage contract of the Mycelia kernel on better-sqlite3, written the plain way: the kernel's own table layout,
// one prepared statement per method, filters by loading entries and testing them in JavaScript.

import { readFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { compareBy, matchesAll } from './plain-filter.js';

const LAYOUT = new URL('../../schema/0001_kernel_layout.up.sql', import.meta.url);
const DEFAULT_NAMESPACE = 'default';

const SQL = {
  get: 'SELECT value, metadata FROM storage_entries WHERE namespace = ? AND key = ?',
  set: `INSERT INTO storage_entries(namespace, key, value, metadata, created_at, updated_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT(namespace, key) DO UPDATE SET
          value = excluded.value, metadata = excluded.metadata, updated_at = excluded.updated_at`,
  has: 'SELECT 1 FROM storage_entries WHERE namespace = ? AND key = ? LIMIT 1',
  list: 'SELECT key FROM storage_entries WHERE namespace = ? AND key LIKE ? ORDER BY key LIMIT ? OFFSET ?',
  scan: 'SELECT key, value, metadata FROM storage_entries WHERE namespace = ? ORDER BY key',
};

const namespaceOf = (options) => options.namespace || DEFAULT_NAMESPACE;
const notFound = (key, namespace) => new Error(`Key "${key}" not found in namespace "${namespace}"`);

export class BetterSqlite3Backend {
  #db;
  #statements;
  #scanInOneSelect;

  /**
   * @param {string} path
   * @param {{ scanInOneSelect?: boolean }} [options] queries read all rows with one SELECT, where the kernel's backend
   *   lists the keys and then gets each entry
   */
  constructor(path, { scanInOneSelect = false } = {}) {
    this.#db = new Database(path);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = NORMAL');
    this.#db.exec(readFileSync(LAYOUT, 'utf8'));
    this.#statements = Object.fromEntries(Object.entries(SQL).map(([name, text]) => [name, this.#db.prepare(text)]));
    this.#scanInOneSelect = scanInOneSelect;
  }

  #read(namespace, key) {
    const row = this.#statements.get.get(namespace, key);
    if (row === undefined) return undefined;
    return { value: JSON.parse(row.value), metadata: row.metadata === null ? {} : JSON.parse(row.metadata) };
  }

  #write(namespace, key, value, metadata) {
    const now = Date.now();
    const metadataText = metadata === undefined ? null : JSON.stringify(metadata);
    this.#statements.set.run(namespace, key, JSON.stringify(value), metadataText, now, now);
  }

  async get(key, options = {}) {
    try {
      const namespace = namespaceOf(options);
      const entry = this.#read(namespace, key);
      return entry ? { success: true, data: entry.value } : { success: false, error: notFound(key, namespace) };
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

  async getMany(keys, options = {}) {
    const data = new Map();
    const errors = new Map();
    const namespace = namespaceOf(options);
    for (const key of keys) {
      const entry = this.#read(namespace, key);
      if (entry) data.set(key, entry.value);
      else errors.set(key, notFound(key, namespace));
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

  async list({ namespace = DEFAULT_NAMESPACE, pattern = '*', limit, offset } = {}) {
    try {
      const like = pattern.replaceAll('*', '%');
      const rows = this.#statements.list.all(namespace, like, limit ?? -1, offset ?? 0);
      return { success: true, keys: rows.map((row) => row.key) };
    } catch (error) {
      return { success: false, keys: [], error };
    }
  }

  // Every entry of a namespace, one statement per key as the kernel's backend does, or all with one.
  *#entries(namespace) {
    if (this.#scanInOneSelect) {
      for (const { key, value, metadata } of this.#statements.scan.iterate(namespace)) {
        yield { key, value: JSON.parse(value), metadata: metadata === null ? {} : JSON.parse(metadata) };
      }
      return;
    }
    for (const { key } of this.#statements.list.all(namespace, '%', -1, 0)) {
      const entry = this.#read(namespace, key);
      if (entry) yield { key, ...entry };
    }
  }

  async query(filter, options = {}) {
    try {
      const { sort, limit, offset = 0 } = options;
      const results = [];
      for (const entry of this.#entries(namespaceOf(options))) {
        if (matchesAll(filter, entry)) results.push(entry);
      }
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
