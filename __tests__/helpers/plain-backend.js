// The contract in its plainest form, as the kernel's memory backend has it: a source for copyFrom().

export class PlainBackend {
  /** @type {Map<string, Map<string, { value: any, metadata: any }>>} */ namespaces = new Map();

  #of(options) {
    return this.namespaces.get(options?.namespace || 'default');
  }

  async set(key, value, options = {}) {
    const name = options.namespace || 'default';
    if (!this.namespaces.has(name)) this.namespaces.set(name, new Map());
    this.namespaces.get(name).set(key, { value, metadata: options.metadata ?? {} });
    return { success: true };
  }

  async listNamespaces() {
    return { success: true, namespaces: [...this.namespaces.keys()] };
  }

  async list(options) {
    const entries = this.#of(options);
    if (entries === undefined) return { success: false, error: new Error(`Namespace "${options.namespace}" does not exist`) };
    return { success: true, keys: [...entries.keys()] };
  }

  async getMany(keys, options) {
    const entries = this.#of(options);
    const data = new Map();
    const errors = new Map();
    for (const key of keys) {
      if (entries?.has(key)) data.set(key, entries.get(key).value);
      else errors.set(key, new Error(`Key "${key}" not found`));
    }
    return errors.size === 0 ? { success: true, data } : { success: false, data, errors };
  }

  async getMetadata(key, options) {
    const entry = this.#of(options)?.get(key);
    return entry === undefined ? { success: false, error: new Error(`Key "${key}" not found`) } : { success: true, metadata: entry.metadata };
  }
}
