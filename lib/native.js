// Finds and loads the native addon, and describes its interface for the rest of lib/.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import process from 'node:process';

import { StorageError } from './errors.js';
import { platformName } from './platform.js';

/**
 * A request that failed, as the addon describes it.
 * @typedef {{ code: string, message: string, sqliteCode?: number }} FailureRecord
 */

/**
 * What the writes of one request came to: a number for a single success (version or rows), else all numbers and the
 * failures as `[index, record, index, record, ...]`.
 * @typedef {number | [Float64Array, (number | FailureRecord)[] | undefined]} WriteResult
 */

/** @typedef {FailureRecord & { part?: string, line?: number }} BundleFailureRecord */

/** @typedef {[value: string, metadata: string | undefined, createdAt: number, updatedAt: number, version: number]} RawEntry */

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
 * @property {(transaction: number, ops: unknown[], durability: number, atomic: boolean, inline: boolean) => WriteResult | Promise<WriteResult>} write
 * @property {(transaction: number, kind: number, ns: string, count: number, keys: string, values: string, durability: number, atomic: boolean, inline: boolean) => WriteResult | Promise<WriteResult>} writeSets
 * @property {(target: number | [transaction: number, timeout: number, token: number], kind: string, ...args: unknown[]) => Promise<any>} read
 * @property {(token: number) => void} cancel
 * @property {(timeout: number) => Promise<number>} begin
 * @property {(transaction: number, commit: boolean) => Promise<void>} end
 * @property {(path: string, replace: boolean, token: number) => Promise<import('./copies.js').BackupReport>} backup
 * @property {(full: boolean, token: number) => Promise<string>} verify
 * @property {() => Promise<void>} checkpoint
 * @property {() => { queuedOperations: number, queuedBytes: number }} stats
 * @property {() => void} abandon
 * @property {(token: number, path: string, asFile: boolean, overwrite: boolean, partRows: number, namespaces: string[]) => Promise<any>} exportBundle
 * @property {(token: number, path: string, onConflict: number, dryRun: boolean, once: boolean) => Promise<any>} importBundle
 * @property {() => Promise<void>} close
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
 * @property {FailureRecord} [refusal]
 * @property {(options: object) => Promise<NativeStore>} open
 * @property {(options: object, target: number) => Promise<void>} migrate
 * @property {(from: string, to: string, token: number) => Promise<import('./copies.js').BackupReport>} restore
 * @property {(token: number) => [done: number, total: number] | undefined} copyProgress
 * @property {(token: number) => void} cancel
 * @property {() => void} closeAll
 * @property {(id: number) => string | undefined} takeChunk
 * @property {(token: number, path: string) => Promise<any>} verifyBundle
 * @property {(token: number) => void} cancel
 * @property {string[]} onConflict
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
