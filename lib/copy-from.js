// Copying from any backend of the kernel's contract.

import { within } from './control.js';
import { StorageError, invalidArgument } from './errors.js';

/** @typedef {import('./store.js').Store} Store */
/** @typedef {import('./control.js').Control} Control */
/**
 * The part of the contract that copying needs.
 * @typedef {object} ContractBackend
 * @property {() => Promise<any>} listNamespaces
 * @property {(options: object) => Promise<any>} list
 * @property {(keys: string[], options: object) => Promise<any>} getMany
 * @property {(key: string, options: object) => Promise<any>} getMetadata
 */

const BATCH = 500;

/** @param {any} result @param {string} what @returns {any} */
function succeeded(result, what) {
  if (result?.success) return result;
  throw new StorageError('HYPHA_CONFLICT', `the source could not ${what}: ${result?.error?.message ?? 'no reason given'}`, { cause: result?.error });
}

/** @param {ContractBackend} backend @returns {Promise<string[]>} */
async function namespacesOf(backend) {
  const { namespaces } = succeeded(await backend.listNamespaces(), 'list its namespaces');
  return [...new Set(['default', ...namespaces])];
}

/** @param {ContractBackend} backend @param {string} namespace @returns {Promise<string[]>} */
async function keysOf(backend, namespace) {
  const result = await backend.list({ namespace });
  // A backend may not know 'default' before its first entry.
  if (!result?.success && namespace === 'default') return [];
  return succeeded(result, `list the keys of "${namespace}"`).keys;
}

/** @param {ContractBackend} backend @param {string} namespace @param {string[]} keys */
async function entriesOf(backend, namespace, keys) {
  const { data } = succeeded(await backend.getMany(keys, { namespace }), `read from "${namespace}"`);
  return Promise.all(
    keys.map(async (key) => {
      const { metadata } = succeeded(await backend.getMetadata(key, { namespace }), `read metadata from "${namespace}"`);
      return { key, value: data.get(key), metadata };
    }),
  );
}

/** @param {Store} store @param {string} namespace @param {{ key: string, value: unknown, metadata: unknown }[]} entries @param {Control | undefined} control */
async function verify(store, namespace, entries, control) {
  const stored = await store.getMany(entries.map(({ key }) => key), { namespace, ...control?.rest });
  for (const { key, value } of entries) {
    if (!stored.has(key) || JSON.stringify(stored.get(key)) !== JSON.stringify(JSON.parse(JSON.stringify(value)))) {
      throw new StorageError('HYPHA_CONFLICT', `the copy of "${key}" in "${namespace}" differs from the source`);
    }
  }
}

/**
 * @param {Store} store
 * @param {ContractBackend} backend
 * @param {{ namespaces?: string[] }} options
 * @param {Control | undefined} control
 * @returns {Promise<{ namespaces: number, entries: number }>}
 */
export async function copyFrom(store, backend, options, control) {
  if (typeof backend?.listNamespaces !== 'function') throw invalidArgument('backend', "an object with the contract's methods");
  const namespaces = options.namespaces ?? (await within(control, namespacesOf(backend)));
  let entries = 0;
  for (const namespace of namespaces) {
    const keys = await within(control, keysOf(backend, namespace));
    const exists = (await store.getNamespace(namespace, control?.rest))?.explicit;
    if (!exists) await store.createNamespace(namespace, control?.rest);
    for (let at = 0; at < keys.length; at += BATCH) {
      const batch = await within(control, entriesOf(backend, namespace, keys.slice(at, at + BATCH)));
      await store.setMany(batch, { namespace, atomic: true, ...control?.rest });
      await verify(store, namespace, batch, control);
    }
    const after = await within(control, keysOf(backend, namespace));
    if (after.length !== keys.length) {
      throw new StorageError('HYPHA_CONFLICT', `"${namespace}" changed while it was copied: ${keys.length} keys, then ${after.length}`);
    }
    entries += keys.length;
  }
  return { namespaces: namespaces.length, entries };
}
