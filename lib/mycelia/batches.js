// How the contract's setMany() and deleteMany() differ from those of Store.

import { own } from './own.js';

/**
 * @param {any} entry one of the contract's setMany()
 * @param {(value: any) => any} now
 * @returns {any} the same as one of Store.setMany(), with what its own options say
 */
export function flatten(entry, now) {
  if (typeof entry !== 'object' || entry === null) return entry;
  const key = own(entry, 'key');
  const value = now(own(entry, 'value'));
  const options = own(entry, 'options');
  if (options === undefined || options === null) return { key, value };
  const overwrite = own(options, 'overwrite');
  return {
    key,
    value,
    namespace: own(options, 'namespace') || undefined,
    metadata: now(own(options, 'metadata')) ?? undefined,
    overwrite: overwrite === undefined ? undefined : overwrite !== false,
  };
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
