// The dependency graph of a history: which transaction must come before which, and why.
//
//   ww  b appended right after a, to the same key        process  one client issued a, then b
//   wr  b read a version that a made                     realtime a was answered before b was issued
//   rw  a read the version that b replaced

/** @typedef {import('./history.js').Txn} Txn */
/** @typedef {import('./versions.js').Versions} Versions */

export const WW = 1;
export const WR = 2;
export const RW = 4;
export const PROCESS = 8;
export const REALTIME = 16;
export const DATA = WW | WR | RW;
export const ORDER = PROCESS | REALTIME;

const NAMES = { [WW]: 'ww', [WR]: 'wr', [RW]: 'rw', [PROCESS]: 'process', [REALTIME]: 'realtime' };
export const nameOf = (type) => NAMES[type];

export class Graph {
  /** @type {number[]} */ from = [];
  /** @type {number[]} */ to = [];
  /** @type {number[]} */ type = [];
  /** @type {(string | undefined)[]} */ key = [];

  /** @param {number} transactions nodes 0 to transactions - 1; further nodes stand for moments */
  constructor(transactions) {
    this.transactions = transactions;
    this.nodes = transactions;
  }

  /** @param {number} from @param {number} to @param {number} type @param {string} [key] */
  add(from, to, type, key) {
    if (from === to) return;
    this.from.push(from);
    this.to.push(to);
    this.type.push(type);
    this.key.push(key);
  }

  /** @param {number} mask types @returns {{ starts: Int32Array, edges: Int32Array }} the edges of each node */
  adjacency(mask) {
    const starts = new Int32Array(this.nodes + 1);
    for (let i = 0; i < this.from.length; i++) if (this.type[i] & mask) starts[this.from[i] + 1]++;
    for (let i = 0; i < this.nodes; i++) starts[i + 1] += starts[i];
    const next = starts.slice();
    const edges = new Int32Array(starts[this.nodes]);
    for (let i = 0; i < this.from.length; i++) if (this.type[i] & mask) edges[next[this.from[i]]++] = i;
    return { starts, edges };
  }
}

/** @param {Graph} graph @param {Versions} versions */
function addDataEdges(graph, { keys, committed }) {
  for (const [key, { order, writers, reads }] of keys) {
    const effective = (value) => {
      const writer = writers.get(value);
      return writer !== undefined && committed.has(writer.txn) ? writer.txn : undefined;
    };
    const sequence = order.map(effective);
    const present = new Set(order);
    // Those that no read shows come after all that were shown.
    const unseen = [...writers.keys()].filter((value) => !present.has(value)).map(effective).filter((txn) => txn !== undefined);
    const after = (i) => (i < sequence.length ? [sequence[i]] : unseen).filter((txn) => txn !== undefined);
    sequence.forEach((txn, i) => txn !== undefined && after(i + 1).forEach((next) => graph.add(txn, next, WW, key)));
    for (const { txn, list, isExternal } of reads) {
      if (!isExternal) continue;
      const writer = list.length > 0 ? effective(list.at(-1)) : undefined;
      if (writer !== undefined) graph.add(writer, txn, WR, key);
      for (const next of after(list.length)) graph.add(txn, next, RW, key);
    }
  }
}

/** @param {Graph} graph @param {Txn[]} history @param {Set<number>} committed */
function addProcessEdges(graph, history, committed) {
  const byStart = [...committed].sort((a, b) => history[a].start - history[b].start);
  const last = new Map();
  for (const txn of byStart) {
    const { client, status } = history[txn];
    const before = last.get(client);
    if (before !== undefined) graph.add(before, txn, PROCESS);
    // One of unknown outcome may take effect after its client has gone on.
    if (status === 'ok') last.set(client, txn);
  }
}

/**
 * Not an edge for every pair, of which there are too many: each answer leads to a moment, each moment to the next, and
 * the last moment before a transaction was issued leads to that transaction.
 * @param {Graph} graph @param {Txn[]} history @param {Set<number>} committed
 */
function addRealtimeEdges(graph, history, committed) {
  const answered = [...committed].filter((txn) => history[txn].status === 'ok').sort((a, b) => history[a].end - history[b].end);
  const issued = [...committed].filter((txn) => !history[txn].lazy).sort((a, b) => history[a].start - history[b].start);
  let done = 0;
  for (const txn of issued) {
    while (done < answered.length && history[answered[done]].end < history[txn].start) {
      const moment = graph.nodes++;
      graph.add(answered[done], moment, REALTIME);
      if (done > 0) graph.add(moment - 1, moment, REALTIME);
      done++;
    }
    if (done > 0) graph.add(graph.nodes - 1, txn, REALTIME);
  }
}

/** @param {Txn[]} history @param {Versions} versions @returns {Graph} */
export function buildGraph(history, versions) {
  const graph = new Graph(history.length);
  addDataEdges(graph, versions);
  addProcessEdges(graph, history, versions.committed);
  addRealtimeEdges(graph, history, versions.committed);
  return graph;
}
