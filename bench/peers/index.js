// Who takes part. `contract`: the peer speaks the storage contract and has filters. `indexes`: it has createIndex(). `share`: the part of the operations
// that a slow peer does in a round. `control`: takes part only where a workload names it. The module of a peer exports
// open(directory) and perhaps version(). `also`: what else it can do.

export const BASELINE = 'better-sqlite3';

export const PEERS = [
  { name: 'hyphadb-contract', title: 'HyphaDB, contract', contract: true, indexes: true },
  { name: 'hyphadb-store', title: 'HyphaDB, Store', contract: true, indexes: true, also: ['update', 'atomic'] },
  { name: BASELINE, title: 'better-sqlite3, contract', contract: true, also: ['update'] },
  { name: 'better-sqlite3-scan', title: 'better-sqlite3, one SELECT', contract: true, only: ['query', 'count'] },
  { name: 'live-objects', title: 'live objects in JavaScript', only: ['query', 'count'] },
  { name: 'lmdb', title: 'lmdb' },
  { name: 'classic-level', title: 'classic-level' },
  { name: 'deno-kv', title: '@deno/kv', share: 0.25, also: ['atomic'] },
  { name: 'timer', title: 'control: timers alone', control: true },
];

const SPECIAL = ['update', 'atomic'];

/** Whether a peer can run a workload. */
export function canRun(peer, { needs, contractOnly, control, timing = true }) {
  if (peer.control) return control === peer.name;
  if (SPECIAL.includes(needs)) return Boolean(peer.also?.includes(needs));
  if (needs === 'createIndex') return Boolean(peer.indexes);
  if (peer.only) return timing && peer.only.includes(needs);
  return Boolean(peer.contract) || (!contractOnly && !['query', 'count'].includes(needs));
}

export function loadPeer(name) {
  return import(`./${name}.js`);
}
