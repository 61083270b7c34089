// useHyphaStorage: plugs HyphaDB into a Mycelia subsystem in place of the kernel's own storage hook.

// @ts-expect-error the package ships no types
import { Facet, createHook } from 'mycelia-kernel-plugin/core';

import { native } from '../native.js';
import { MyceliaStorageBackend } from './backend.js';
import { own } from './own.js';

const METHODS = /** @type {const} */ ([
  'get', 'set', 'delete', 'has', 'getMany', 'setMany', 'deleteMany', 'list', 'query', 'count',
  'createNamespace', 'deleteNamespace', 'listNamespaces', 'getMetadata', 'setMetadata', 'clear', 'getStatus',
  'beginTransaction', 'commit', 'rollback',
]);

/** @param {MyceliaStorageBackend} backend @returns {Record<string, Function>} own properties, since a facet copies no others */
const methodsOf = (backend) => Object.fromEntries(METHODS.map((name) => [name, (/** @type {any[]} */ ...args) => /** @type {any} */ (backend)[name](...args)]));

/**
 * Reads its configuration from `ctx.config.storage` (see MyceliaConfig). The database is opened when the facet is
 * initialised, not when the hook runs: that phase may be thrown away.
 */
export const useHyphaStorage = createHook({
  kind: 'storage',
  version: native.version,
  overwrite: false,
  required: [],
  attach: true,
  source: import.meta.url,
  contract: 'storage',
  fn: (/** @type {any} */ ctx) => {
    const config = { debug: own(ctx, 'debug'), ...own(ctx.config, 'storage') };
    const backend = new MyceliaStorageBackend(config);
    const facet = new Facet('storage', { attach: true, source: import.meta.url, contract: 'storage', version: native.version });
    facet.add({
      ...methodsOf(backend),
      supportsTransactions: true,
      supportsQuery: true,
      supportsMetadata: true,
      _storageBackend: backend,
      _config: config,
    });
    // A failure here rolls the build back.
    facet.onInit(() => backend.open());
    // Runs twice, the second time un-awaited, and perhaps before onInit.
    facet.onDispose(() => backend.close());
    return facet;
  },
});
