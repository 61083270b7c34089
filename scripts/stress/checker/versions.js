// What a history says about each key without looking at cycles: the order of its versions, and reads that no order
// could explain.

import { describe } from './history.js';

/** @typedef {import('./history.js').Txn} Txn */
/** @typedef {import('./history.js').Anomaly} Anomaly */
/** @typedef {{ txn: number, isLast: boolean }} Writer isLast: of its transaction's appends to the key */

/**
 * @typedef {object} KeyHistory
 * @property {number[]} order the values in the order of their versions, as far as anybody read them
 * @property {Map<number, Writer>} writers by value
 * @property {{ txn: number, list: number[], isExternal: boolean }[]} reads isExternal: before the reader's own appends
 */

export class Versions {
  /** @type {Map<string, KeyHistory>} */ keys = new Map();
  /** @type {Set<number>} transactions that took effect: acknowledged, or unknown and seen by somebody */ committed = new Set();
  /** @type {Anomaly[]} */ anomalies = [];
  /** @type {Txn[]} */ #history;

  /** @param {Txn[]} history */
  constructor(history) {
    this.#history = history;
    history.forEach((txn, index) => this.#gatherWrites(txn, index));
    history.forEach((txn, index) => txn.status === 'ok' && this.#gatherReads(txn, index));
    for (const [key, keyHistory] of this.keys) this.#findOrder(key, keyHistory);
    this.#findCommitted();
    for (const [key, keyHistory] of this.keys) this.#checkReads(key, keyHistory);
    for (const [key, keyHistory] of this.keys) this.#checkAppends(key, keyHistory);
    history.forEach((txn, index) => txn.status === 'ok' && this.#checkInternal(txn, index));
  }

  /** @param {string} type @param {string} key @param {string} what @param {number[]} txns */
  #report(type, key, what, txns) {
    const who = txns.map((index) => describe(this.#history[index], index)).join(' and ');
    this.anomalies.push({ type, message: `${key}: ${what}: ${who}` });
  }

  /** @param {string} key @returns {KeyHistory} */
  #of(key) {
    let found = this.keys.get(key);
    if (found === undefined) this.keys.set(key, (found = { order: [], writers: new Map(), reads: [] }));
    return found;
  }

  #gatherWrites(txn, index) {
    const last = new Map();
    for (const [kind, key, value] of txn.ops) {
      if (kind !== 'a') continue;
      const { writers } = this.#of(key);
      if (writers.has(value)) throw new Error(`the history is none: ${value} is appended to ${key} twice`);
      const before = last.get(key);
      if (before !== undefined) before.isLast = false;
      const writer = { txn: index, isLast: true };
      writers.set(value, writer);
      last.set(key, writer);
    }
  }

  #gatherReads(txn, index) {
    const own = new Set();
    for (const [kind, key, value] of txn.ops) {
      if (kind === 'a') own.add(key);
      else this.#of(key).reads.push({ txn: index, list: value, isExternal: !own.has(key) });
    }
  }

  #findOrder(key, { reads, writers }) {
    let longest = [];
    for (const { list } of reads) if (list.length > longest.length) longest = list;
    this.keys.get(key).order = longest;
    for (const { txn, list } of reads) {
      const at = list.findIndex((value, i) => value !== longest[i]);
      if (at >= 0) this.#report('incompatible order', key, `element ${at} is ${list[at]}, and ${longest[at]} in a longer read`, [txn]);
      if (new Set(list).size < list.length) this.#report('duplicate append', key, 'a value is there twice', [txn]);
      const unknown = list.find((value) => !writers.has(value));
      if (unknown !== undefined) this.#report('garbage read', key, `nobody ever appended ${unknown}`, [txn]);
    }
  }

  #findCommitted() {
    this.#history.forEach(({ status }, index) => status === 'ok' && this.committed.add(index));
    for (const { order, writers } of this.keys.values()) {
      for (const value of order) {
        const writer = writers.get(value);
        if (writer !== undefined && this.#history[writer.txn].status === 'unknown') this.committed.add(writer.txn);
      }
    }
  }

  #checkReads(key, { reads, writers }) {
    for (const { txn, list } of reads) {
      const aborted = list.map((value) => writers.get(value)).find((writer) => writer && this.#history[writer.txn].status === 'fail');
      if (aborted !== undefined) this.#report('G1a', key, 'a read of what was rolled back', [txn, aborted.txn]);
      const newest = writers.get(list.at(-1));
      const isIntermediate = newest !== undefined && !newest.isLast && newest.txn !== txn;
      if (isIntermediate) this.#report('G1b', key, 'a read from the middle of a transaction', [txn, newest.txn]);
    }
  }

  // Appends that took effect and were then lost, and the usual way to lose them.
  #checkAppends(key, { order, writers, reads }) {
    const present = new Set(order);
    let lastRead = -1;
    for (const { txn } of reads) {
      const { lazy, start } = this.#history[txn];
      if (!lazy && (lastRead < 0 || start > this.#history[lastRead].start)) lastRead = txn;
    }
    for (const [value, { txn }] of writers) {
      if (present.has(value) || lastRead < 0 || this.#history[txn].status !== 'ok') continue;
      if (this.#history[txn].end < this.#history[lastRead].start) {
        this.#report('lost append', key, `${value} was acknowledged, then never seen`, [txn, lastRead]);
      }
    }
    this.#checkLostUpdates(key, reads);
  }

  #checkLostUpdates(key, reads) {
    const updaters = new Map();
    for (const { txn, list, isExternal } of reads) {
      if (!isExternal || !this.#history[txn].ops.some(([kind, name]) => kind === 'a' && name === key)) continue;
      const version = list.length === 0 ? 'empty' : list.at(-1);
      const other = updaters.get(version);
      if (other !== undefined && other !== txn) this.#report('lost update', key, `two updates of version ${version}`, [other, txn]);
      updaters.set(version, txn);
    }
  }

  // A transaction sees what it did itself, and does not see a key change in any other way.
  #checkInternal(txn, index) {
    const known = new Map();
    for (const [kind, key, value] of txn.ops) {
      const state = known.get(key) ?? { isWhole: false, list: [] };
      if (kind === 'a') {
        known.set(key, { isWhole: state.isWhole, list: [...state.list, value] });
        continue;
      }
      const from = state.isWhole ? 0 : value.length - state.list.length;
      const agrees = from >= 0 && value.length - from === state.list.length && state.list.every((each, i) => each === value[from + i]);
      if (!agrees) this.#report('internal', key, `[${value}] after [${state.list}] in one transaction`, [index]);
      known.set(key, { isWhole: true, list: value });
    }
  }
}
