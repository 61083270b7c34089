// One peer in a process of its own, so that no peer's garbage or compiled code is another's. It works only when asked:
// { workload, round, quick, share } is answered with { value } or { error }.

import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { loadPeer } from './peers/index.js';
import { chunks, INDEXED, makeDocuments, readCities, seededRandom } from './data.js';
import { WORKLOADS } from './workloads/index.js';

const DOCUMENTS = 20_000;
const BATCH = 1000;
const MICROSECONDS_A_MS = 1000;
// What the collector and the peer before still do in the background shall not be measured.
const PAUSE_MS = 30;

async function prepared({ peer: name, directory, data }) {
  const module = await loadPeer(name);
  const peer = await module.open(directory, { synced: data.startsWith('synced') });
  const entries = data.endsWith('cities') ? readCities() : makeDocuments(DOCUMENTS);
  for (const batch of chunks(entries, BATCH)) {
    if (!peer.read.setMany(await peer.setMany(batch))) throw new Error(`${name}: the data could not be loaded`);
  }
  for (const field of INDEXED[data] ?? []) await peer.createIndex?.('default', field);
  return { peer, entries, version: module.version?.() ?? '' };
}

async function measure({ peer, entries }, { workload: name, round, quick, share }) {
  const workload = WORKLOADS.find((each) => each.name === name);
  const size = Math.ceil(workload.size[quick ? 'quick' : 'full'] * share);
  const prepare = { peer, entries, size, round, random: seededRandom(round) };
  const { run, check, value } = workload.prepare(prepare);
  globalThis.gc?.();
  await sleep(PAUSE_MS);
  const startedAt = performance.now();
  const answer = await run();
  const elapsedMs = performance.now() - startedAt;
  if (!check(answer)) throw new Error(`${name}: the answer is wrong`);
  return value ? value(answer) : (elapsedMs * MICROSECONDS_A_MS) / size;
}

async function answer(work) {
  try {
    process.send(await work());
  } catch (error) {
    process.send({ error: inspect(error) });
  }
}

const setting = JSON.parse(process.argv[2]);
let ready;
process.on('disconnect', () => process.exit());
process.on('message', (request) => {
  if (request === 'close') answer(async () => ({ closed: await ready.peer.close().then(() => true) }));
  else answer(async () => ({ value: await measure(ready, request) }));
});
await answer(async () => {
  ready = await prepared(setting);
  return { version: ready.version };
});
