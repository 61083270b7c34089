// Reads about namespaces, for every class that has them.

import { controlOf } from './control.js';
import { parseChunks } from './results.js';
import { DEFAULT_NAMESPACE } from './scope.js';
import { checkNamespace } from './validate.js';

/** @typedef {import('./scope.js').Session} Session */
/** @typedef {import('./control.js').CallControl} CallControl */
/** @typedef {{ name: string, explicit: boolean, metadata: Record<string, unknown>, createdAt: number }} NamespaceInfo */

/** @param {Session} session @param {CallControl} [options] @returns {Promise<string[]>} */
export async function listNamespaces(session, options) {
  return parseChunks(await session.readControlled(controlOf(options), 'namespaces'), () => session.nextTurn());
}

/** @param {Session} session @param {string} name @param {CallControl} [options] @returns {Promise<NamespaceInfo | undefined>} */
export async function getNamespace(session, name, options) {
  checkNamespace(name, session.limits);
  const raw = await session.readControlled(controlOf(options), 'namespace', name);
  if (raw === undefined) return undefined;
  const [explicit, metadata, createdAt] = raw;
  // 'default' counts as created from the start, with or without a row of its own.
  return { name, explicit: explicit || name === DEFAULT_NAMESPACE, metadata: metadata === undefined ? {} : JSON.parse(metadata), createdAt };
}

/** @param {Session} session @param {string} namespace @param {CallControl} [options] @returns {Promise<{ fields: object[], unique: boolean }[]>} */
export async function listIndexes(session, namespace, options) {
  checkNamespace(namespace, session.limits);
  return JSON.parse(await session.readControlled(controlOf(options), 'indexes', namespace));
}
