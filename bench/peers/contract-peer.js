// Any backend of the storage contract as a peer of the bench.

function succeeded(result) {
  if (!result.success) throw result.error ?? result.errors;
  return result;
}

/**
 * The small interface that the workloads use. `read` takes the answer out of what a method resolved to; it runs outside
 * of the measured time, so that no peer pays for being wrapped.
 */
export function contractPeer(backend) {
  return {
    ...(backend.store && { createIndex: async (namespace, field) => (await backend.store()).createIndex(namespace, field) }),
    get: (key) => backend.get(key),
    has: (key) => backend.has(key),
    getMany: (keys) => backend.getMany(keys),
    set: (key, value) => backend.set(key, value),
    setMany: (entries, options) => backend.setMany(entries, options),
    list: (prefix) => backend.list({ pattern: `${prefix}*` }),
    query: (filter, options) => backend.query(filter, options),
    count: (filter) => backend.count({ filter }),
    close: () => backend.close(),
    read: {
      get: (result) => succeeded(result).data,
      has: (result) => succeeded(result).exists,
      getMany: (result) => succeeded(result).data.size,
      set: (result) => succeeded(result).success,
      setMany: (result) => succeeded(result).success,
      list: (result) => succeeded(result).keys.length,
      query: (result) => succeeded(result).results.length,
      count: (result) => succeeded(result).count,
    },
  };
}
