// How the contract's setMany() and deleteMany() differ from those of Store.

/**
 * @param {any} entry one of the contract's setMany()
 * @param {(value: any) => any} now
 * @returns {any} the same as one of Store.setMany(), with what its own options say
 */
export function flatten(entry, now) {
  if (typeof entry !== 'object' || entry === null) return entry;
  const { key, options: own } = entry;
  const value = now(entry.value);
  if (own === undefined || own === null) return { key, value };
  return { key, value, namespace: own.namespace || undefined, metadata: now(own.metadata) ?? undefined, overwrite: own.overwrite === undefined ? undefined : own.overwrite !== false };
}

/** @param {{ key: string, namespace: string, ok: boolean, error?: Error }[]} outcomes of Store.setMany(), as the contract words them */
export function summarize(outcomes) {
  const results = new Map();
  const all = [];
  const errors = [];
  for (const { key, namespace, ok, error } of outcomes) {
    results.set(key, ok ? { success: true } : { success: false, error });
    all.push(ok ? { key, namespace, success: true } : { key, namespace, success: false, error });
    if (error !== undefined) errors.push(error);
  }
  return { success: errors.length === 0, results, outcomes: all, ...(errors.length > 0 && { errors }) };
}
