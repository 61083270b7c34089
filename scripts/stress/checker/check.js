// Whether a history of list-append transactions is strictly serialisable, and if not, in which ways.
//
// After Adya's kinds of anomaly and the idea of Elle: lists to which unique values are appended show the order of their
// versions to whoever reads them, so the dependencies between transactions follow from what was read, and any cycle
// among them is a history that no serial execution has.

import { findCycles } from './cycles.js';
import { buildGraph } from './graph.js';
import { describe } from './history.js';
import { Versions } from './versions.js';

/** @typedef {import('./history.js').Txn} Txn */
/** @typedef {import('./history.js').Anomaly} Anomaly */

/**
 * @param {Txn[]} history of all clients, in any order
 * @returns {{ ok: boolean, anomalies: Anomaly[], transactions: number, edges: number }}
 */
export function checkHistory(history) {
  const versions = new Versions(history);
  const graph = buildGraph(history, versions);
  const cycles = findCycles(graph, (txn) => describe(history[txn], txn));
  const anomalies = [...versions.anomalies, ...cycles];
  return { ok: anomalies.length === 0, anomalies, transactions: versions.committed.size, edges: graph.from.length };
}
