// The Node process that is killed: clients that write without end while the store is checkpointed, closed and opened
// around them. `way` is how it ends by itself; with none it waits for a signal.

import process from 'node:process';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { open } from '../../lib/index.js';
import { COPY_KINDS, Copies } from './node-copies.js';
import { Ledger, TOLD, UNITS } from './node-ledger.js';
import { CLIENTS, makeUnit, random } from './units.js';

const input = isMainThread ? JSON.parse(process.argv[2]) : workerData;
const { path, seed, first, way, afterMs } = input;
const ledger = new Ledger(input.ledger);
const next = [...first];
const copies = new Copies(path, input.copies);
const certain = first.map(() => 0); // units of each client before which all have an answer
const WINDOW = 3;

async function runUnit(store, client, r) {
  const index = next[client]++;
  const at = index - first[client];
  if (at >= UNITS - 1) return;
  ledger.tell(client, at, TOLD.asked);
  try {
    const done = await makeUnit(seed, client, index).run(store, ['full', 'normal', 'periodic', 'off'][r.below(4)]);
    ledger.tell(client, at, done ? TOLD.acked : TOLD.failed);
    if (done) certain[client] = Math.max(certain[client], at + 1);
  } catch (error) {
    ledger.tell(client, at, error.code === 'HYPHA_INDETERMINATE' ? TOLD.unknown : TOLD.failed);
    if (error.code !== 'HYPHA_CLOSED') throw error;
  }
}

async function runClient(store, client, units, r) {
  const inFlight = new Set();
  for (let i = 0; i < units; i++) {
    const unit = runUnit(store, client, r).finally(() => inFlight.delete(unit));
    inFlight.add(unit);
    if (inFlight.size >= WINDOW) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
}

// Whatever the store can do besides writing.
async function maintain(store, r) {
  if (r.oneIn(3)) await store.checkpoint();
  for (const kind of COPY_KINDS) if (r.oneIn(2)) await copies.make(store, kind, [...certain]);
}

async function write() {
  const r = random(seed, 'session', next.join());
  for (;;) {
    const store = await open({ path, busyTimeout: 20_000, wal: { syncInterval: 5 } });
    if (isMainThread) process.send?.('writing');
    else workerReady();
    const clients = Array.from({ length: CLIENTS }, (_, client) => runClient(store, client, 20 + r.below(100), r));
    await Promise.all([...clients, maintain(store, r)]);
    await store.close();
  }
}

function workerReady() {
  import('node:worker_threads').then(({ parentPort }) => parentPort?.postMessage('writing'));
}

const WAYS = {
  exit: () => process.exit(0),
  abort: () => process.abort(),
  throw: () => {
    throw new Error('on purpose');
  },
  reallyExit: () => process.reallyExit(0),
};

if (isMainThread && way === 'worker.terminate') {
  const worker = new Worker(new URL(import.meta.url), { workerData: input });
  worker.once('message', () => {
    process.send?.('writing');
    setTimeout(() => worker.terminate().then(() => process.disconnect?.()), afterMs);
  });
} else {
  if (isMainThread && way) setTimeout(WAYS[way], afterMs);
  await write();
}
