// The kernel's configuration (`ctx.config.storage`) as options of open().

import { StorageError, invalidArgument } from '../errors.js';
import { own } from './own.js';

/** @typedef {import('../options.js').OpenOptions} OpenOptions */

/**
 * Unknown keys are ignored: the kernel passes its own through. Each may also stand under `options`.
 * @typedef {object} MyceliaConfig
 * @property {string} [dbPath] default './data/storage.db'; its folder is created
 * @property {boolean} [migrate] default true
 * @property {boolean} [walMode] only true: without a write-ahead log readers would block the writer
 * @property {'OFF' | 'NORMAL' | 'PERIODIC' | 'FULL'} [synchronous] default 'NORMAL'
 * @property {import('../options.js').WalOptions} [wal] as that of open(); `synchronous` and `busyTimeout` above win
 * @property {number} [busyTimeout] milliseconds, default 5000
 * @property {number} [prepareCacheSize] default 100
 * @property {boolean} [readOnly] default false
 * @property {boolean} [debug] print the name and duration of each call, never a key or a value
 * @property {Partial<import('../options.js').Limits>} [limits]
 * @property {object} [options]
 */

const DEFAULTS = { dbPath: './data/storage.db', migrate: true, synchronous: 'NORMAL', busyTimeout: 5000, prepareCacheSize: 100, readOnly: false };

/** @param {MyceliaConfig} config @returns {Record<string, any>} both places in one, undefined left out */
function merged(config) {
  const result = Object.assign(Object.create(null), DEFAULTS);
  for (const place of [own(config, 'options'), config]) {
    if (typeof place !== 'object' || place === null) continue;
    for (const [name, value] of Object.entries(place)) if (value !== undefined && value !== null) result[name] = value;
  }
  return result;
}

/**
 * @param {MyceliaConfig} config
 * @returns {OpenOptions}
 */
export function toOpenOptions(config) {
  const given = merged(config);
  if (given.walMode === false) {
    throw new StorageError('HYPHA_WAL_UNAVAILABLE', 'walMode: false is not supported: without the write-ahead log every read would wait for every write');
  }
  const synchronous = String(given.synchronous).toLowerCase();
  if (!['off', 'normal', 'periodic', 'full'].includes(synchronous)) throw invalidArgument('config.synchronous', "'OFF', 'NORMAL', 'PERIODIC' or 'FULL'");
  return {
    path: given.dbPath,
    migrate: given.migrate,
    readOnly: given.readOnly,
    durability: /** @type {import('../options.js').Durability} */ (synchronous),
    busyTimeout: given.busyTimeout,
    statementCacheSize: given.prepareCacheSize,
    ...(given.limits === undefined ? {} : { limits: given.limits }),
    ...(given.wal === undefined ? {} : { wal: given.wal }),
  };
}

/** @param {MyceliaConfig} config @returns {boolean} */
export const wantsDebug = (config) => merged(config).debug === true;
