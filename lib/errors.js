// StorageError: what every failed operation rejects with.

/** @typedef {import('./native.js').FailureRecord} FailureRecord */

/** @type {Set<string>} filled in once the addon is loaded, whose table is the only list of codes */
const retryableCodes = new Set();

/**
 * The error of every HyphaDB operation. Branch on `code`; the message is for people and may name a key, never a value.
 */
export class StorageError extends Error {
  /**
   * @param {string} code such as 'HYPHA_NOT_FOUND'
   * @param {string} message
   * @param {{ cause?: unknown, sqliteCode?: number, attempts?: number }} [details]
   */
  constructor(code, message, details = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    /** Stable within a major version. */
    this.code = code;
    /** SQLite's extended result code, if SQLite was the one to fail. @type {number | undefined} */
    this.sqliteCode = details.sqliteCode;
    /** How often the transaction was tried, of HYPHA_BUSY. @type {number | undefined} */
    this.attempts = details.attempts;
    /** Whether the same call may succeed later, unchanged. */
    this.retryable = retryableCodes.has(code);
  }

  /**
   * @param {FailureRecord} record
   * @returns {StorageError}
   */
  static from(record) {
    return new StorageError(record.code, record.message, { sqliteCode: record.sqliteCode, attempts: record.attempts });
  }
}

Object.defineProperty(StorageError.prototype, 'name', { value: 'StorageError', configurable: true, writable: true });

/** @param {Record<string, { retryable: boolean }>} codes */
export function setErrorCodes(codes) {
  for (const code of Object.keys(codes)) if (codes[code].retryable) retryableCodes.add(code);
}

/** @param {unknown} code @returns {boolean} */
export const isRetryable = (code) => retryableCodes.has(/** @type {string} */ (code));

/**
 * An error record of the addon as a StorageError; anything else as it is.
 * @param {unknown} failure
 * @returns {unknown}
 */
export function toError(failure) {
  const isRecord = typeof failure === 'object' && failure !== null && !(failure instanceof Error) && 'code' in failure;
  return isRecord ? StorageError.from(/** @type {FailureRecord} */ (failure)) : failure;
}

/**
 * Waits for a promise of the addon. The error is made here, after the wait, so that its stack shows the caller.
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export async function settle(promise) {
  try {
    return await promise;
  } catch (failure) {
    throw toError(failure);
  }
}

/**
 * @param {string} name what was wrong, such as 'options.limit'
 * @param {string} expected
 * @returns {StorageError}
 */
export function invalidArgument(name, expected) {
  return new StorageError('HYPHA_INVALID_ARGUMENT', `${name} must be ${expected}`);
}

/** @param {string} [message] */
export const closed = (message = 'the store is closed') => new StorageError('HYPHA_CLOSED', message);
