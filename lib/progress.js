// Tells how far the addon is with what takes long.

import { clearInterval, setInterval } from 'node:timers';

import { native } from './native.js';

/** Milliseconds. */
const LOOK_EVERY = 50;

/**
 * Runs what `onProgress` wants to hear of: about every 50 ms, and once more when it is done. A listener that throws
 * ends the work, which then fails with what was thrown. When the work is done already it stays so, and that is a warning.
 * @template T
 * @param {number} token of the work, as for cancel()
 * @param {((done: number, total: number) => void) | undefined} onProgress
 * @param {() => Promise<T>} work
 * @param {(result: T) => number | undefined} [totalOf] the total, where the result tells it
 * @returns {Promise<T>}
 */
export async function withProgress(token, onProgress, work, totalOf = () => undefined) {
  if (onProgress === undefined) return work();
  /** @type {{ error: unknown } | undefined} */ let thrown;
  let told = -1;
  let lastTotal = 0;
  const tell = (/** @type {number} */ done, /** @type {number} */ total) => {
    lastTotal = total;
    if (total === 0 || done === told || thrown !== undefined) return;
    told = done;
    try {
      onProgress(done, total);
    } catch (error) {
      thrown = { error };
      native.cancel(token);
    }
  };
  const timer = setInterval(() => tell(...(native.progress(token) ?? /** @type {const} */ ([0, 0]))), LOOK_EVERY);
  try {
    const result = await work();
    const total = totalOf(result) ?? lastTotal;
    tell(total, total);
    if (thrown !== undefined) process.emitWarning(`onProgress threw ${String(thrown.error)}; what it was told of is done`);
    return result;
  } catch (error) {
    throw thrown === undefined ? error : thrown.error;
  } finally {
    clearInterval(timer);
  }
}
