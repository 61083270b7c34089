// Every option of HyphaDB, in tables: its check, what it expects, its default.

import { constants } from 'node:os';

import { StorageError, invalidArgument } from './errors.js';

/**
 * @typedef {object} OptionSpec
 * @property {(value: any) => boolean} check
 * @property {string} expected
 * @property {unknown} [fallback]
 */

/** @typedef {Record<string, OptionSpec>} OptionTable */

/** @param {number} least @param {number} most @returns {OptionSpec} */
const integer = (least, most) => ({
  check: (value) => Number.isSafeInteger(value) && value >= least && value <= most,
  expected: `an integer from ${least} to ${most}`,
});
/** @param {string[]} values @returns {OptionSpec} */
const oneOf = (...values) => ({
  check: (value) => values.includes(value),
  expected: values.map((value) => `'${value}'`).join(' or '),
});
/** @type {OptionSpec} */
const boolean = { check: (value) => typeof value === 'boolean', expected: 'a boolean' };
/** @type {OptionSpec} */
const string = { check: (value) => typeof value === 'string', expected: 'a string' };
/** @type {OptionSpec} */
const anything = { check: () => true, expected: 'anything' };
/** @type {OptionSpec} */
const paging = {
  check: (value) => value === null || (Number.isSafeInteger(value) && value >= 0),
  expected: 'a non-negative integer, null or undefined',
};
/** @type {OptionSpec} */
const version = {
  check: (value) => value === null || (Number.isSafeInteger(value) && value > 0),
  expected: 'a positive integer, or null for an absent key',
};

const MiB = 1024 * 1024;
const TiB = MiB * MiB;
const day = 24 * 60 * 60 * 1000;

/** @type {OptionTable} */
export const LIMIT_OPTIONS = {
  keyBytes: { ...integer(1, 64 * 1024), fallback: 4096 },
  namespaceBytes: { ...integer(1, 4096), fallback: 512 },
  valueBytes: { ...integer(1, 64 * MiB), fallback: 16 * MiB },
  metadataBytes: { ...integer(1, 64 * MiB), fallback: MiB },
  batchEntries: { ...integer(1, 10_000_000), fallback: 100_000 },
  batchBytes: { ...integer(1, 1024 * MiB), fallback: 256 * MiB },
  queueOperations: { ...integer(1, 100_000_000), fallback: 1_000_000 },
  queueBytes: { ...integer(1, 4096 * MiB), fallback: 256 * MiB },
  resultBytes: { ...integer(1, 1024 * MiB), fallback: 256 * MiB },
  filterNodes: { ...integer(1, 100_000), fallback: 1000 },
  filterDepth: { ...integer(1, 64), fallback: 32 },
  inList: { ...integer(1, 1_000_000), fallback: 10_000 },
  patternBytes: { ...integer(1, 64 * 1024), fallback: 256 },
  queryTimeout: { ...integer(1, day), fallback: 10_000 },
  transactionTimeout: { ...integer(1, day), fallback: 30_000 },
  snapshotAge: { ...integer(1, day), fallback: 5000 },
  maxSnapshots: { ...integer(1, 1000), fallback: 16 },
};

/**
 * How the write-ahead log is looked after: see WalOptions below, and lib/wal-config.js for whole sets.
 * @type {OptionTable}
 */
export const WAL_OPTIONS = {
  synchronous: oneOf('FULL', 'NORMAL', 'PERIODIC', 'OFF'),
  busyTimeout: integer(0, 600_000),
  idleBytes: { ...integer(1, TiB), fallback: 4 * MiB },
  busyBytes: { ...integer(1, TiB), fallback: 16 * MiB },
  restartBytes: { ...integer(1, TiB), fallback: 64 * MiB },
  expireBytes: { ...integer(1, TiB), fallback: 256 * MiB },
  limitBytes: { ...integer(1, TiB), fallback: 1024 * MiB },
  warnBytes: { ...integer(1, TiB), fallback: 50 * MiB },
  readerGap: { ...integer(0, 10_000), fallback: 50 },
  checkpointInterval: { ...integer(1, day), fallback: 300_000 },
  syncInterval: { ...integer(1, day), fallback: 1000 },
  journalSizeLimit: { ...integer(0, TiB), fallback: 64 * MiB },
  walAutocheckpoint: { ...integer(0, 1_000_000_000), fallback: 0 },
  cacheSizeKiB: { ...integer(16, 4 * 1024 * 1024), fallback: 8192 },
  mmapSize: { ...integer(0, TiB), fallback: 0 },
  journalMode: oneOf('WAL'),
  tempStore: oneOf('memory'),
};

/** @type {OptionTable} */
export const OPEN_OPTIONS = {
  path: string,
  mode: { ...oneOf('file', 'memory'), fallback: 'file' },
  readOnly: { ...boolean, fallback: false },
  create: { ...boolean, fallback: true },
  migrate: { ...boolean, fallback: true },
  keepOld: { ...boolean, fallback: true },
  readers: { ...integer(1, 64), fallback: 2 },
  durability: { ...oneOf('full', 'normal', 'periodic', 'off'), fallback: 'full' },
  busyTimeout: { ...integer(0, 600_000), fallback: 5000 },
  statementCacheSize: { ...integer(0, 10_000), fallback: 100 },
  checksums: { ...boolean, fallback: true },
  limits: { check: (value) => typeof value === 'object' && value !== null, expected: 'an object', fallback: {} },
  wal: { check: (value) => typeof value === 'object' && value !== null, expected: 'an object', fallback: {} },
  minFreeBytes: { ...integer(0, Number.MAX_SAFE_INTEGER), fallback: 64 * MiB },
};

/** @type {OptionTable} */
export const MIGRATE_OPTIONS = {
  to: integer(1, 2),
  keepOld: OPEN_OPTIONS.keepOld,
  busyTimeout: OPEN_OPTIONS.busyTimeout,
};

const namespace = string;
/** @type {OptionSpec} */
const select = {
  check: (value) => Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === 'string'),
  expected: 'a non-empty array of property names',
};
/** @type {OptionSpec} */
const signal = { check: (value) => typeof value?.aborted === 'boolean' && typeof value.addEventListener === 'function', expected: 'an AbortSignal' };
/** @type {OptionSpec} */
const listener = { check: (value) => typeof value === 'function', expected: 'a function' };
const timeout = integer(1, day);
/** Every call may be given these. @type {OptionTable} */
const control = { signal, timeout };
const durability = OPEN_OPTIONS.durability;

/** No handler is ever called for these two. */
const UNCATCHABLE = ['SIGKILL', 'SIGSTOP'];

/** @type {OptionTable} */
export const SHUTDOWN_OPTIONS = {
  signals: {
    check: (names) => Array.isArray(names) && names.length > 0 && names.every((name) => Object.hasOwn(constants.signals, name) && !UNCATCHABLE.includes(name)),
    expected: 'an array of names of signals that can be caught',
    fallback: ['SIGINT', 'SIGTERM', 'SIGHUP'],
  },
  timeout: { ...integer(1, 600_000), fallback: 5000 },
};

export const CHECKPOINT_MODES = ['PASSIVE', 'RESTART', 'TRUNCATE'];

/** Options of the methods of Store. A namespace is checked further by checkNamespace(). */
export const METHOD_OPTIONS = /** @type {const} */ ({
  key: /** @type {OptionTable} */ ({ namespace }),
  control: /** @type {OptionTable} */ (control),
  read: /** @type {OptionTable} */ ({ namespace, ...control }),
  set: /** @type {OptionTable} */ ({ namespace, metadata: anything, overwrite: boolean, ifVersion: version, durability, ...control }),
  delete: /** @type {OptionTable} */ ({ namespace, ifVersion: version, durability, ...control }),
  setManyEntry: /** @type {OptionTable} */ ({ key: anything, value: anything, namespace, metadata: anything, overwrite: boolean, ifVersion: version }),
  setMany: /** @type {OptionTable} */ ({ namespace, metadata: anything, overwrite: boolean, atomic: boolean, durability, ...control }),
  deleteMany: /** @type {OptionTable} */ ({ namespace, atomic: boolean, durability, ...control }),
  setMetadata: /** @type {OptionTable} */ ({ namespace, merge: boolean, durability, ...control }),
  list: /** @type {OptionTable} */ ({
    namespace,
    pattern: { check: (value) => value === null || typeof value === 'string', expected: 'a string' },
    prefix: { check: (value) => value === null || typeof value === 'string', expected: 'a string' },
    after: { check: (value) => value === null || typeof value === 'string', expected: 'a key' },
    limit: paging,
    offset: paging,
    ...control,
  }),
  query: /** @type {OptionTable} */ ({ namespace, sort: anything, limit: paging, offset: paging, select, ...control }),
  page: /** @type {OptionTable} */ ({ namespace, sort: anything, limit: integer(1, 1_000_000), after: string, select, ...control }),
  entries: /** @type {OptionTable} */ ({ namespace, prefix: string, filter: anything, batch: integer(1, 100_000), select, ...control }),
  iterate: /** @type {OptionTable} */ ({ namespace, sort: anything, batch: integer(1, 100_000), select, ...control }),
  count: /** @type {OptionTable} */ ({ namespace, filter: anything, ...control }),
  createNamespace: /** @type {OptionTable} */ ({ metadata: anything, durability, ...control }),
  deleteNamespace: /** @type {OptionTable} */ ({ recursive: boolean, durability, ...control }),
  atomicSet: /** @type {OptionTable} */ ({ namespace, metadata: anything }),
  commit: /** @type {OptionTable} */ ({ durability, ...control }),
  update: /** @type {OptionTable} */ ({ namespace, durability, retries: integer(0, 1000), ...control }),
  createIndex: /** @type {OptionTable} */ ({ unique: boolean, durability, onProgress: listener, ...control }),
  dropIndex: /** @type {OptionTable} */ ({ durability, ...control }),
  clear: /** @type {OptionTable} */ ({ namespace, durability, ...control }),
  transaction: /** @type {OptionTable} */ ({ retries: integer(0, 1000), readOnly: boolean, durability, ...control }),
  beginTransaction: /** @type {OptionTable} */ ({ readOnly: boolean, durability, ...control }),
  buffer: /** @type {OptionTable} */ ({
    maxItems: { ...integer(1, 100_000), fallback: 50 },
    maxBytes: { ...integer(1, 256 * MiB), fallback: MiB },
    flushInterval: { ...integer(1, day), fallback: 1000 },
    durability: { check: durability.check, expected: durability.expected },
  }),
  bufferSet: /** @type {OptionTable} */ ({ namespace, metadata: anything, overwrite: boolean, ifVersion: version }),
  bufferDelete: /** @type {OptionTable} */ ({ namespace, ifVersion: version }),
  backup: /** @type {OptionTable} */ ({ overwrite: boolean, onProgress: listener, ...control }),
  restore: /** @type {OptionTable} */ ({ onProgress: listener, ...control }),
  verify: /** @type {OptionTable} */ ({ level: { ...oneOf('quick', 'full'), fallback: 'full' }, ...control }),
  scheduleBackups: /** @type {OptionTable} */ ({
    directory: { check: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'), expected: 'a non-empty string' },
    every: { ...integer(1000, 24 * day), fallback: day },
    keep: { ...integer(1, 10_000), fallback: 7 },
    onBackup: listener,
    onError: listener,
  }),
  exportBundle: /** @type {OptionTable} */ ({
    form: oneOf('directory', 'file'),
    overwrite: { ...boolean, fallback: false },
    partRows: { ...integer(1, 10_000_000), fallback: 10_000 },
    namespaces: { check: Array.isArray, expected: 'an array of names' },
    ...control,
  }),
  importBundle: /** @type {OptionTable} */ ({
    onConflict: { ...oneOf('error', 'update', 'skip'), fallback: 'error' },
    dryRun: { ...boolean, fallback: false },
    durability: { check: durability.check, expected: durability.expected },
    ...control,
  }),
  stats: /** @type {OptionTable} */ ({ counts: { ...boolean, fallback: true }, ...control }),
  ping: /** @type {OptionTable} */ ({ timeout: { ...timeout, fallback: 1000 }, signal }),
  optimize: /** @type {OptionTable} */ ({
    analyze: { check: (value) => ['optimize', 'full', false].includes(value), expected: "'optimize', 'full' or false", fallback: 'optimize' },
    checkpoint: { check: (value) => value === false || CHECKPOINT_MODES.includes(value), expected: "'PASSIVE', 'RESTART', 'TRUNCATE' or false", fallback: 'PASSIVE' },
    integrity: { check: (value) => ['quick', 'full', false].includes(value), expected: "'quick', 'full' or false", fallback: false },
    vacuum: { ...boolean, fallback: false },
    ...control,
  }),
  copyFrom: /** @type {OptionTable} */ ({ namespaces: { check: Array.isArray, expected: 'an array of names' }, ...control }),
});

/** @param {string} a @param {string} b @returns {number} edits from a to b, case ignored */
function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1].toLowerCase() === b[j - 1].toLowerCase();
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (same ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}

/** @param {string} name @param {string} where @param {string[]} known @returns {StorageError} */
export function unknownOption(name, where, known) {
  const nearest = [...known].sort((a, b) => distance(name, a) - distance(name, b))[0];
  const hint = nearest === undefined ? 'there are none here' : `did you mean "${nearest}"?`;
  return new StorageError('HYPHA_UNKNOWN_OPTION', `${where}.${name} is not an option; ${hint}`);
}

/**
 * Checks the given options against their table. Undefined counts as not given.
 * @param {unknown} given
 * @param {OptionTable} table
 * @param {string} [where]
 * @returns {Record<string, any>} a prototype-less copy of the own properties
 */
export function readOptions(given, table, where = 'options') {
  const result = Object.create(null);
  if (given === undefined || given === null) return result;
  if (typeof given !== 'object') throw invalidArgument(where, 'an object');
  for (const name of Object.keys(given)) {
    const spec = Object.hasOwn(table, name) ? table[name] : undefined;
    if (spec === undefined) throw unknownOption(name, where, Object.keys(table));
    const value = /** @type {any} */ (given)[name];
    if (value === undefined) continue;
    if (!spec.check(value)) throw invalidArgument(`${where}.${name}`, spec.expected);
    result[name] = value;
  }
  return result;
}

/**
 * The same, with the defaults filled in.
 * @param {unknown} given
 * @param {OptionTable} table
 * @param {string} [where]
 * @returns {Record<string, any>}
 */
export function readOptionsWithDefaults(given, table, where = 'options') {
  const result = readOptions(given, table, where);
  for (const name of Object.keys(table)) {
    if (!(name in result) && 'fallback' in table[name]) result[name] = table[name].fallback;
  }
  return result;
}

/**
 * @typedef {object} Limits sizes in bytes of UTF-8, times in milliseconds
 * @property {number} keyBytes
 * @property {number} namespaceBytes
 * @property {number} valueBytes
 * @property {number} metadataBytes
 * @property {number} batchEntries
 * @property {number} batchBytes
 * @property {number} queueOperations
 * @property {number} queueBytes
 * @property {number} resultBytes
 * @property {number} filterNodes
 * @property {number} filterDepth
 * @property {number} inList
 * @property {number} patternBytes
 * @property {number} queryTimeout
 * @property {number} transactionTimeout
 * @property {number} snapshotAge
 * @property {number} maxSnapshots
 */

/** @typedef {'full' | 'normal' | 'periodic' | 'off'} Durability */

/**
 * Sizes are of the log, in bytes, times in milliseconds; all are integers. Out of its range one is
 * HYPHA_INVALID_ARGUMENT, which names the option and the range.
 * @typedef {object} WalOptions
 * @property {'FULL' | 'NORMAL' | 'PERIODIC' | 'OFF'} [synchronous] the same as `durability` of open(), which wins
 * @property {number} [busyTimeout] the same as that of open(), which wins
 * @property {number} [idleBytes] copied into the database when the writer is idle; default 4 MiB
 * @property {number} [busyBytes] copied between two commits in any case; default 16 MiB
 * @property {number} [restartBytes] new reads wait for up to readerGap, so that the log can be emptied; default 64 MiB
 * @property {number} [expireBytes] the oldest read is ended with HYPHA_SNAPSHOT_EXPIRED; default 256 MiB
 * @property {number} [limitBytes] writes are refused with HYPHA_WAL_LIMIT, in a transaction that has filled it itself with
 *   HYPHA_TOO_LARGE; default 1 GiB
 * @property {number} [warnBytes] a log that is longer is copied by diagnose(); 1 to 1 TiB, default 50 MiB
 * @property {number} [readerGap] how long new reads wait, and emptying the log for those under way; 0 to 10,000, default 50
 * @property {number} [checkpointInterval] copied so long after the last time, however little it is; 1 to a day, default 5 minutes
 * @property {number} [syncInterval] the longest that a commit at durability 'periodic' waits for the sync of the log; 1 to a day, default 1000
 * @property {number} [journalSizeLimit] what a log that was started over keeps of its file at most; 0 to 1 TiB, default 64 MiB
 * @property {number} [walAutocheckpoint] copied within the commit once it has so many pages, as SQLite does; default 0, never
 * @property {number} [cacheSizeKiB] page cache of each connection, in KiB; 16 to 4 GiB (4,194,304), default 8192
 * @property {number} [mmapSize] the most that may be memory-mapped. HyphaDB maps nothing, whatever this says: an I/O error
 *   in mapped memory would end the process
 * @property {'WAL'} [journalMode]
 * @property {'memory'} [tempStore]
 */

/**
 * @typedef {object} OpenOptions
 * @property {string} [path] the database file; ':memory:' is memory mode
 * @property {'file' | 'memory'} [mode] default 'file'
 * @property {boolean} [readOnly] default false; nothing is written, migrated or created
 * @property {boolean} [create] make the file and its folders when missing; default true
 * @property {boolean} [migrate] bring an older file to the current schema; default true
 * @property {boolean} [keepOld] keep `<path>.v1` before the first migration of a file with rows; default true
 * @property {number} [readers] reader threads; default 2
 * @property {Durability} [durability] default 'full'
 * @property {number} [busyTimeout] milliseconds to wait for other processes; default 5000
 * @property {number} [statementCacheSize] prepared statements kept per connection; default 100
 * @property {boolean} [checksums] give each entry that is written a CRC-32C; default true. Entries that have one are
 *   checked whenever they are read, whatever this says.
 * @property {Partial<Limits>} [limits]
 * @property {WalOptions} [wal]
 * @property {number} [minFreeBytes] below so much free space of its disk a warning is published; default 64 MiB, 0 for none
 */

/** @param {object} given */
const withoutUndefined = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

/** What each `wal.synchronous` is as a durability. @type {Record<string, Durability>} */
const DURABILITY_OF = { FULL: 'full', NORMAL: 'normal', PERIODIC: 'periodic', OFF: 'off' };

/**
 * @param {OpenOptions} given
 * @returns {OpenOptions & { mode: 'file' | 'memory', limits: Limits, durability: Durability, wal: WalOptions, minFreeBytes: number }}
 */
export function readOpenOptions(given) {
  if (typeof given !== 'object' || given === null) throw invalidArgument('options', 'an object');
  const wal = readOptionsWithDefaults(readOptions(given, OPEN_OPTIONS).wal, WAL_OPTIONS, 'options.wal');
  const { synchronous, busyTimeout } = wal;
  const ofWal = { durability: synchronous && DURABILITY_OF[synchronous], busyTimeout };
  const options = readOptionsWithDefaults({ ...ofWal, ...withoutUndefined(given) }, OPEN_OPTIONS);
  options.wal = wal;
  options.limits = readOptionsWithDefaults(options.limits, LIMIT_OPTIONS, 'options.limits');
  if (options.path === ':memory:') options.mode = 'memory';
  const isNamed = options.path !== undefined && options.path !== ':memory:';
  if (options.mode === 'memory' && isNamed) throw invalidArgument('options.path', "absent or ':memory:' in memory mode");
  if (options.mode === 'memory') return /** @type {any} */ (options);
  if (options.path === undefined || options.path === '') throw invalidArgument('options.path', 'a non-empty string');
  if (options.path.includes('\0')) throw invalidArgument('options.path', 'a string without NUL characters');
  return /** @type {any} */ (options);
}
