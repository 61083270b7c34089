// Who takes part. `contract`: the peer speaks the storage contract and has filters. `share`: the part of the operations
// that a slow peer does in a round. The module of a peer exports open(directory) and perhaps version().

export const BASELINE = 'better-sqlite3';

export const PEERS = [
  { name: 'hyphadb-contract', title: 'HyphaDB, contract', contract: true },
  { name: 'hyphadb-store', title: 'HyphaDB, Store', contract: true },
  { name: BASELINE, title: 'better-sqlite3, contract', contract: true },
  { name: 'better-sqlite3-scan', title: 'better-sqlite3, one SELECT', contract: true, only: ['query', 'count'] },
  { name: 'lmdb', title: 'lmdb' },
  { name: 'classic-level', title: 'classic-level' },
  { name: 'deno-kv', title: '@deno/kv', share: 0.25 },
];

/** @param {{ only?: string[], contract?: boolean }} peer @param {string} method that a workload needs */
export function offers(peer, method) {
  if (peer.only) return peer.only.includes(method);
  return Boolean(peer.contract) || !['query', 'count'].includes(method);
}

export function loadPeer(name) {
  return import(`./${name}.js`);
}
