// How long the event loop was held up, whatever else the machine does.

import { readFileSync } from 'node:fs';

/** How long the main thread has waited for a processor so far, in milliseconds: the second figure of Linux's schedstat. */
const waitedForProcessor = () => Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[1]) / 1e6;

/**
 * The longest time between two ticks of a 1 ms timer while `work` runs, the one that 1 in 100 exceed, and how often it
 * ticked. Time in which the machine ran other threads does not count.
 * @param {() => Promise<any>} work
 * @returns {Promise<{ longest: number, p99: number, ticks: number }>} milliseconds
 */
export async function longestGap(work) {
  const gaps = [];
  let last = performance.now() - waitedForProcessor();
  const tick = () => {
    const now = performance.now() - waitedForProcessor();
    gaps.push(now - last);
    last = now;
  };
  const timer = setInterval(tick, 1);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  const ticks = gaps.length;
  tick();
  gaps.sort((a, b) => a - b);
  return { longest: gaps.at(-1), p99: gaps[Math.ceil(0.99 * gaps.length) - 1], ticks };
}
