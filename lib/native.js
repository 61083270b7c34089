// Finds and loads the native addon, and describes its interface for the rest of lib/.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

import { StorageError } from './errors.js';
import { platformName } from './platform.js';

/**
 * A request that failed, as the addon describes it.
 * @typedef {{ code: string, message: string, sqliteCode?: number, attempts?: number }} FailureRecord
 */

/**
 * What the writes of one request came to: a number for a single success (version or rows), else all numbers and the
 * failures as `[index, record, index, record, ...]`. Behind them the index of the durability reached, where that is more
 * than was asked for.
 * @typedef {number | [Float64Array, (number | FailureRecord)[] | undefined, number?]} WriteResult
 */

/** @typedef {FailureRecord & { part?: string, line?: number }} BundleFailureRecord */

/** @typedef {[value: string, metadata: string | undefined, createdAt: number, updatedAt: number, version: number]} RawEntry */

/** Where a call goes: a transaction or snapshot, 0 for none; perhaps with a timeout (0: none) and a token for cancel(). @typedef {number | [transaction: number, timeout: number, token: number]} CallTarget */

/**
 * One share of an engine. A namespace of 0 is "default", without a string to convert. Reads answer at once: the value, undefined for an absent key, or one of the numbers YIELD
 * and ELSEWHERE.
 * @typedef {object} NativeStore
 * @property {(ns: string | 0, key: string) => string | number | undefined} get
 * @property {(ns: string, key: string) => RawEntry | number | undefined} getEntry
 * @property {(ns: string | 0, key: string) => true | number | undefined} has
 * @property {(ns: string, key: string) => string | number | undefined} getMetadata
 * @property {(ns: string, keys: string[]) => [values: (string | number)[], present: string] | number} getMany
 * @property {() => void} endTurn
 * @property {(target: CallTarget, ops: unknown[], durability: number, atomic: boolean, inline: boolean) => WriteResult | Promise<WriteResult>} write
 * @property {(target: CallTarget, kind: number, ns: string, count: number, keys: string, values: string, durability: number, atomic: boolean, inline: boolean) => WriteResult | Promise<WriteResult>} writeSets
 * @property {(target: CallTarget, kind: string, ...args: unknown[]) => Promise<any>} read
 * @property {(target: CallTarget, kind: string, ...args: unknown[]) => any} readSync waits
 * @property {(transaction: number, ns: string, key: string) => RawEntry | number | undefined} entryInline
 * @property {(token: number) => void} cancel
 * @property {(path: string, replace: boolean, token: number) => Promise<import('./copies.js').BackupReport>} backup
 * @property {(full: boolean, token: number) => Promise<string>} verify
 * @property {(timeout: number, durability: number, token: number, inline: boolean) => number | Promise<number>} begin at once where it could be
 * @property {(timeout: number) => Promise<number>} beginSnapshot 0 for none
 * @property {(transaction: number, commit: boolean, inline: boolean) => undefined | Promise<void>} end the same
 * @property {(name: string, ticket: number) => undefined | Promise<void>} enterLine undefined: it is this store's turn
 * @property {(name: string, ticket: number) => void} leaveLine
 * @property {(target: CallTarget) => Promise<void>} flush
 * @property {() => RecoveryReport} recovery
 * @property {() => string} stats JSON text
 * @property {(connection: number, timeout: number) => Promise<void>} ping -1 for the writer, else a reader's number
 * @property {(target: CallTarget, maintenance: number) => Promise<string>} maintain index in maintenances; JSON text
 * @property {() => void} abandon
 * @property {(token: number, path: string, asFile: boolean, overwrite: boolean, partRows: number, namespaces: string[]) => Promise<any>} exportBundle
 * @property {(token: number, path: string, onConflict: number, dryRun: boolean, once: boolean, durability: number) => Promise<any>} importBundle
 * @property {() => Promise<CloseReport>} close
 */

/**
 * What opening found of a log that its last user had not copied into the database.
 * @typedef {object} RecoveryReport
 * @property {boolean} hadLog there was a log that was not empty
 * @property {boolean} recovered nobody else had it: it was read to find the last whole commit
 * @property {number} frames pages in the log after that
 * @property {number} bytes of the log file before
 * @property {number} ms until the first read was answered
 */

/**
 * How closing left the write-ahead log.
 * @typedef {object} CloseReport
 * @property {boolean} last false: other stores of this process have the file open, so that it was not closed
 * @property {boolean} busy readers or another process kept the log from being emptied; nothing is lost
 * @property {boolean} stopped the writer had stopped before: the log was left as it is
 * @property {number} frames left in the log
 */

/**
 * @typedef {object} NativeModule
 * @property {Record<string, { retryable: boolean, meaning: string }>} errorCodes
 * @property {string} sqliteVersion
 * @property {string} version
 * @property {string[]} operators
 * @property {string[]} sources
 * @property {string[]} writeKinds
 * @property {string[]} durabilities
 * @property {string[]} maintenances
 * @property {FailureRecord} [refusal]
 * @property {(options: object) => Promise<NativeStore>} open
 * @property {(options: object, target: number) => Promise<void>} migrate
 * @property {(from: string, to: string, token: number) => Promise<import('./copies.js').BackupReport>} restore
 * @property {(token: number) => [done: number, total: number] | undefined} progress of a copy, in pages; of an index, in values
 * @property {(token: number) => void} cancel
 * @property {() => void} closeAll
 * @property {(id: number) => string | undefined} takeChunk
 * @property {(token: number, path: string) => Promise<any>} verifyBundle
 * @property {string[]} onConflict
 * @property {() => number} externalBytes what V8 was told of memory outside its heap
 * @property {number} YIELD
 * @property {number} ELSEWHERE
 */

const FILE = 'hypha.node';

/** @returns {string[]} where the addon may be, the best place first */
function candidates() {
  const place = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
  const chosen = process.env.HYPHADB_ADDON;
  if (chosen) return [chosen];
  return [place(`../build/release/${FILE}`), place(`../prebuilds/${platformName()}/${FILE}`)];
}

/** @returns {NativeModule} */
function load() {
  const load = createRequire(import.meta.url);
  const tried = candidates();
  const found = tried.find((path) => existsSync(path));
  if (found === undefined) {
    throw new StorageError(
      'HYPHA_CANT_OPEN',
      `no native addon for ${platformName()}, Node ${process.versions.node}. Tried: ${tried.join(', ')}. ` +
        'Linux x64 is built and tested; build it elsewhere with "npm run build" in the package folder.',
    );
  }
  const native = load(found);
  if (native.refusal) throw new StorageError(native.refusal.code, native.refusal.message);
  return native;
}

export const native = load();
