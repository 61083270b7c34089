// A history of list-append transactions, as clients wrote it down: the checker's input.
//
// In a file each transaction is one line of JSON. Times are nanoseconds of CLOCK_MONOTONIC, which all processes of a
// host share. Values appended to one key are integers that nobody appends twice.

import { readFileSync } from 'node:fs';

/** @typedef {['r', string, number[]] | ['a', string, number]} Op a read of a whole list, or an append to it */

/**
 * @typedef {object} Txn
 * @property {string} client runs one transaction after the other
 * @property {'ok' | 'fail' | 'unknown'} status fail: certainly nothing of it happened
 * @property {number} start just before it was issued
 * @property {number} end just after it was answered
 * @property {Op[]} ops
 * @property {boolean} [lazy] a read that promises a snapshot and its session's order, but not the newest state
 */

/** @typedef {{ type: string, message: string }} Anomaly */

/**
 * @param {string[]} paths files of lines; lines without `ops` are other models' and left out
 * @returns {Txn[]}
 */
export function readHistory(paths) {
  return paths.flatMap((path) => readLines(path)).filter((line) => line.ops !== undefined);
}

/** @param {string} path @returns {any[]} */
export function readLines(path) {
  return readFileSync(path, 'utf8').split('\n').filter((line) => line !== '').map((line) => JSON.parse(line));
}

/** @param {Txn} txn @param {number} index @returns {string} for people */
export function describe(txn, index) {
  const ops = txn.ops.map(([kind, key, value]) => (kind === 'r' ? `r ${key} [${value.slice(-4)}]` : `a ${key} ${value}`));
  return `T${index}(${txn.client}: ${ops.join(', ')})`;
}
