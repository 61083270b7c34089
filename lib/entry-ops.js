// One entry's change, checked and serialised: what set() and delete() do before anything is queued.

import { FLAG, KIND } from './op-list.js';
import { checkKey, metadataToJson, valueToJson } from './validate.js';

/** @typedef {import('./scope.js').Scope} Scope */
/** @typedef {import('./op-list.js').Op} Op */

/** @param {number | null | undefined} ifVersion @returns {number | undefined} as the addon reads it */
const versionCode = (ifVersion) => (ifVersion === null ? 0 : ifVersion);

/**
 * @param {Scope} scope
 * @param {unknown} key
 * @param {unknown} value
 * @param {Record<string, any>} options of set(), checked
 * @returns {Op}
 */
export function setOp(scope, key, value, options) {
  const { limits } = scope.session;
  const ns = scope.ns(options.namespace);
  checkKey(key, limits);
  return {
    kind: options.overwrite === false ? KIND.set | FLAG.noOverwrite : KIND.set,
    ns,
    key,
    value: valueToJson(value, limits),
    metadata: metadataToJson(options.metadata, limits),
    ifVersion: versionCode(options.ifVersion),
  };
}

/**
 * @param {Scope} scope
 * @param {unknown} key
 * @param {Record<string, any>} options of delete(), checked
 * @returns {Op}
 */
export function deleteOp(scope, key, options) {
  const ns = scope.ns(options.namespace);
  checkKey(key, scope.session.limits);
  return { kind: KIND.delete, ns, key, value: undefined, metadata: undefined, ifVersion: versionCode(options.ifVersion) };
}
