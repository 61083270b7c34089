// A progress bar on a terminal, a few plain lines anywhere else.

import { grouped, say } from './show.js';

const WIDTH = 32;
const PLAIN_LINES = 4;

/**
 * @param {number} total
 * @returns {(done: number) => void} to be called after each piece of work
 */
export function progress(total) {
  let nextLine = total / PLAIN_LINES;
  return (done) => {
    const text = `${grouped(done)} of ${grouped(total)}`;
    if (process.stdout.isTTY) {
      const bar = '='.repeat(Math.round((done / total) * WIDTH)).padEnd(WIDTH, '.');
      process.stdout.write(`\r  [${bar}] ${text}${done === total ? '\n' : ''}`);
    } else if (done >= nextLine) {
      say(text);
      nextLine += total / PLAIN_LINES;
    }
  };
}
