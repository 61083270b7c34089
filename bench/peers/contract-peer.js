// Any backend of the storage contract as a peer of the bench.

/**
 * The small interface that the workloads use. `read` takes the answer out of what a method resolved to; it runs outside
 * of the measured time, so that no peer pays for being wrapped.
 */
export function contractPeer(backend) {
  return {
    get: (key) => backend.get(key),
    has: (key) => backend.has(key),
    getMany: (keys) => backend.getMany(keys),
    set: (key, value) => backend.set(key, value),
    setMany: (entries) => backend.setMany(entries),
    list: (prefix) => backend.list({ pattern: `${prefix}*` }),
    query: (filter, options) => backend.query(filter, options),
    count: (filter) => backend.count({ filter }),
    close: () => backend.close(),
    read: {
      get: (result) => result.data,
      has: (result) => result.exists,
      getMany: (result) => result.data.size,
      set: (result) => result.success,
      setMany: (result) => result.success,
      list: (result) => result.keys.length,
      query: (result) => result.results.length,
      count: (result) => result.count,
    },
  };
}
