// Whether every connection of a store answers.

import { performance } from 'node:perf_hooks';

import { classifyError } from './classify-error.js';
import { StorageError } from './errors.js';

/** @typedef {import('./engine-access.js').EngineAccess} EngineAccess */
/** @typedef {{ role: 'writer' | 'reader', ok: boolean, ms: number, code?: string, category?: string }} ConnectionPong */
/** @typedef {{ ok: boolean, connections: ConnectionPong[] }} Pong the writer first, where there is one */

const WRITER = -1;

/**
 * @param {EngineAccess} engine
 * @param {number} timeout milliseconds for each connection
 * @param {boolean} readOnly there is no writer
 * @param {boolean} [writerOnly]
 * @returns {Promise<Pong>}
 */
export async function ping(engine, timeout, readOnly, writerOnly = false) {
  const readers = writerOnly ? 0 : engine.stats().readers.threads;
  const numbers = [...(readOnly ? [] : [WRITER]), ...Array.from({ length: readers }, (_, i) => i)];
  const connections = await Promise.all(numbers.map((number) => pingOne(engine, number, timeout)));
  return { ok: connections.every(({ ok }) => ok), connections };
}

/** @param {EngineAccess} engine @param {number} number @param {number} timeout @returns {Promise<ConnectionPong>} */
async function pingOne(engine, number, timeout) {
  const role = number === WRITER ? 'writer' : 'reader';
  const started = performance.now();
  const took = () => performance.now() - started;
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  // A connection at work does not answer before it is done.
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new StorageError('HYPHA_BUSY', `no answer within ${timeout} ms`)), timeout);
  });
  try {
    await Promise.race([engine.ping(number, timeout), late]);
    return { role, ok: true, ms: took() };
  } catch (error) {
    const { code } = /** @type {StorageError} */ (error);
    return { role, ok: false, ms: took(), code, category: classifyError(error).category };
  } finally {
    clearTimeout(timer);
  }
}
