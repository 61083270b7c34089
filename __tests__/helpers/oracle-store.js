// A store in a few Maps: what a Store has to answer after any sequence of calls.

import { byKey } from './oracle-filter.js';

/** @typedef {{ value: any, metadata: Record<string, any> }} ModelEntry */
/** @typedef {{ explicit: boolean, metadata: Record<string, any>, entries: Map<string, ModelEntry> }} ModelNamespace */

const failure = (code) => ({ code });
const json = (value) => JSON.parse(JSON.stringify(value));

export class StoreModel {
  /** @type {Map<string, ModelNamespace>} */
  #namespaces = new Map([['default', { explicit: true, metadata: {}, entries: new Map() }]]);

  clone() {
    const copy = new StoreModel();
    copy.#namespaces = structuredClone(this.#namespaces);
    return copy;
  }

  #entries(ns) {
    return this.#namespaces.get(ns)?.entries ?? new Map();
  }

  #entriesMade(ns) {
    if (!this.#namespaces.has(ns)) this.#namespaces.set(ns, { explicit: false, metadata: {}, entries: new Map() });
    return this.#namespaces.get(ns).entries;
  }

  set(ns, key, value, { metadata, overwrite } = {}) {
    const old = this.#entries(ns).get(key);
    if (old && overwrite === false) return failure('HYPHA_EXISTS');
    this.#entriesMade(ns).set(key, { value: json(value), metadata: metadata ? json(metadata) : (old?.metadata ?? {}) });
    return 'written';
  }

  delete(ns, key) {
    return this.#entries(ns).delete(key);
  }

  setMetadata(ns, key, metadata, merge) {
    const entry = this.#entries(ns).get(key);
    if (!entry) return failure('HYPHA_NOT_FOUND');
    entry.metadata = merge ? { ...entry.metadata, ...json(metadata) } : json(metadata);
    return 'written';
  }

  clear(ns) {
    let count = 0;
    for (const [name, { entries }] of this.#namespaces) {
      if (ns !== undefined && name !== ns) continue;
      count += entries.size;
      entries.clear();
    }
    return count;
  }

  createNamespace(name, metadata) {
    const old = this.#namespaces.get(name);
    if (old?.explicit) return failure('HYPHA_NAMESPACE_EXISTS');
    this.#namespaces.set(name, { explicit: true, metadata: json(metadata ?? {}), entries: old?.entries ?? new Map() });
    return 'done';
  }

  deleteNamespace(name, recursive) {
    if (name === 'default') return failure('HYPHA_NAMESPACE_RESERVED');
    const old = this.#namespaces.get(name);
    if (!old) return failure('HYPHA_NAMESPACE_NOT_FOUND');
    if (old.entries.size > 0 && !recursive) return failure('HYPHA_NAMESPACE_NOT_EMPTY');
    this.#namespaces.delete(name);
    return 'done';
  }

  get(ns, key) {
    return this.#entries(ns).get(key);
  }

  keys(ns) {
    return [...this.#entries(ns).keys()].sort(byKey);
  }

  getMany(ns, keys) {
    const found = keys.filter((key) => this.#entries(ns).has(key));
    return [...new Map(found.map((key) => [key, this.#entries(ns).get(key).value]))];
  }

  /** All there is, in the order in which a store lists it. */
  everything() {
    return [...this.#namespaces.keys()].sort(byKey).map((name) => {
      const { explicit, metadata } = this.#namespaces.get(name);
      return { name, explicit, metadata, entries: this.keys(name).map((key) => ({ key, ...this.get(name, key) })) };
    });
  }
}
