// Cycles of the dependency graph, named by the weakest kind of dependency that makes them.

import { DATA, ORDER, RW, WR, WW, nameOf } from './graph.js';

/** @typedef {import('./graph.js').Graph} Graph */
/** @typedef {import('./history.js').Anomaly} Anomaly */

/** From the worst to the mildest: a cycle has one edge of `needs`, and else only edges of `rest`. */
const KINDS = [
  { type: 'G0', needs: WW, rest: WW },
  { type: 'G1c', needs: WR, rest: WW | WR },
  { type: 'G-single', needs: RW, rest: WW | WR },
  { type: 'G2', needs: RW, rest: DATA },
  { type: 'G0-realtime', needs: WW, rest: WW | ORDER },
  { type: 'G1c-realtime', needs: WR, rest: WW | WR | ORDER },
  { type: 'stale read', needs: RW, rest: WW | WR | ORDER },
  { type: 'G2-realtime', needs: RW, rest: DATA | ORDER },
];

/**
 * Tarjan's algorithm, without recursion.
 * @param {Graph} graph
 * @param {number} mask
 * @returns {number[][]} the strongly connected components of more than one node
 */
export function components(graph, mask) {
  const { starts, edges } = graph.adjacency(mask);
  const index = new Int32Array(graph.nodes).fill(-1);
  const low = new Int32Array(graph.nodes);
  const next = starts.slice(0, graph.nodes);
  const onStack = new Uint8Array(graph.nodes);
  const stack = [];
  const found = [];
  let count = 0;
  const enter = (path, node) => {
    index[node] = low[node] = count++;
    stack.push(node);
    onStack[node] = 1;
    path.push(node);
  };
  const leave = (path, node) => {
    path.pop();
    if (path.length > 0) low[path.at(-1)] = Math.min(low[path.at(-1)], low[node]);
    if (low[node] !== index[node]) return;
    const component = stack.splice(stack.lastIndexOf(node));
    for (const member of component) onStack[member] = 0;
    if (component.length > 1) found.push(component);
  };
  for (let root = 0; root < graph.nodes; root++) {
    if (index[root] >= 0) continue;
    const path = [];
    enter(path, root);
    while (path.length > 0) {
      const node = path.at(-1);
      if (next[node] === starts[node + 1]) {
        leave(path, node);
        continue;
      }
      const to = graph.to[edges[next[node]++]];
      if (index[to] < 0) enter(path, to);
      else if (onStack[to]) low[node] = Math.min(low[node], index[to]);
    }
  }
  return found;
}

/**
 * The shortest way between two nodes of a component.
 * @returns {number[] | undefined} its edges
 */
function findPath(graph, { starts, edges }, members, from, to) {
  const cameBy = new Map([[from, -1]]);
  const queue = [from];
  for (let at = 0; at < queue.length; at++) {
    for (let i = starts[queue[at]]; i < starts[queue[at] + 1]; i++) {
      const node = graph.to[edges[i]];
      if (cameBy.has(node) || !members.has(node)) continue;
      cameBy.set(node, edges[i]);
      if (node === to) return unwind(graph, cameBy, node);
      queue.push(node);
    }
  }
  return undefined;
}

function unwind(graph, cameBy, node) {
  const path = [];
  for (let edge = cameBy.get(node); edge >= 0; edge = cameBy.get(graph.from[edge])) path.unshift(edge);
  return path;
}

/** @returns {number[] | undefined} the edges of a cycle of this kind in the component */
function findCycle(graph, kind, adjacency, component) {
  const members = new Set(component);
  let best;
  for (let edge = 0; edge < graph.from.length; edge++) {
    const fits = graph.type[edge] & kind.needs && members.has(graph.from[edge]) && members.has(graph.to[edge]);
    if (!fits) continue;
    const path = findPath(graph, adjacency, members, graph.to[edge], graph.from[edge]);
    if (path !== undefined && (best === undefined || path.length + 1 < best.length)) best = [edge, ...path];
    if (best !== undefined && best.length <= 3) break;
  }
  return best;
}

/** @param {Graph} graph @param {number[]} cycle @param {(txn: number) => string} describe */
function tell(graph, cycle, describe) {
  // Moments between two transactions are left out.
  const first = cycle.findIndex((edge) => graph.from[edge] < graph.transactions);
  const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
  let text = '';
  for (const edge of turned) {
    if (graph.from[edge] >= graph.transactions) continue;
    const key = graph.key[edge] === undefined ? '' : ` ${graph.key[edge]}`;
    text += `${describe(graph.from[edge])} -${nameOf(graph.type[edge])}${key}-> `;
  }
  return `${text}back`;
}

/**
 * One anomaly for each knot of transactions, of the worst kind in it.
 * @param {Graph} graph
 * @param {(txn: number) => string} describe
 * @returns {Anomaly[]}
 */
export function findCycles(graph, describe) {
  if (components(graph, DATA | ORDER).length === 0) return [];
  const explained = new Set();
  const anomalies = [];
  for (const kind of KINDS) {
    const adjacency = graph.adjacency(kind.rest);
    for (const component of components(graph, kind.needs | kind.rest)) {
      if (component.some((node) => explained.has(node))) continue;
      const cycle = findCycle(graph, kind, adjacency, component);
      if (cycle === undefined) continue;
      anomalies.push({ type: kind.type, message: tell(graph, cycle, describe) });
      for (const edge of cycle) explained.add(graph.from[edge]);
    }
  }
  return anomalies;
}
