// The clients of one environment of Node: a process, or a worker thread of one. The process says `ready`, waits for
// `go <until>` on its standard input, and runs its clients until then.

import { appendFileSync } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { open } from '../../lib/index.js';
import { BUSY_TIMEOUT, Client, now } from './client.js';

/**
 * @typedef {object} Environment
 * @property {string} path the database
 * @property {string} out the file for its history
 * @property {string} name
 * @property {string} ns
 * @property {number} seed
 * @property {number} first number of its first client
 * @property {number} clients of the whole run
 * @property {number} count clients of this environment; with workers, of each worker
 * @property {number} [workers]
 * @property {'clients' | 'opener'} [role] opener: opens and closes the store around each piece of work
 * @property {boolean} [checkpoints] also empties the log again and again
 */

const FLUSH_AT = 2000;

/** @param {string} path */
function recorder(path) {
  let lines = [];
  const flush = () => {
    if (lines.length > 0) appendFileSync(path, `${lines.join('\n')}\n`);
    lines = [];
  };
  const record = (line) => {
    lines.push(JSON.stringify(line));
    if (lines.length >= FLUSH_AT) flush();
  };
  return { record, flush };
}

async function checkpointUntil(store, until) {
  for (let pause = 1; now() < until; pause = (pause * 7) % 101) {
    await store.checkpoint().catch((error) => {
      if (error.code !== 'HYPHA_BUSY') throw error;
    });
    await new Promise((resolve) => {
      setTimeout(resolve, pause);
    });
  }
}

async function openAndCloseUntil(client, options, until) {
  while (now() < until) {
    client.store = await open(options);
    for (let i = client.random.below(4); i >= 0; i--) await client.step();
    await client.store.close();
  }
}

/** @param {Environment} env @param {() => Promise<number>} go called when everything is ready */
async function runClients(env, go) {
  const { record, flush } = recorder(env.out);
  const options = { path: env.path, durability: 'normal', busyTimeout: BUSY_TIMEOUT };
  const store = env.role === 'opener' ? undefined : await open(options);
  const clients = Array.from({ length: env.count }, (_, i) => new Client(store, {
    name: `${env.name}.${i}`, number: env.first + i, clients: env.clients, ns: env.ns, seed: env.seed * 1000 + env.first + i, record,
  }));
  const until = await go();
  const work = clients.map((client) => (env.role === 'opener' ? openAndCloseUntil(client, options, until) : client.run(until)));
  if (env.checkpoints) work.push(checkpointUntil(store, until));
  await Promise.all(work);
  for (const client of clients) record({ ...client.summary(), summary: true, role: env.role ?? 'clients' });
  flush();
  await store?.close();
}

/** @param {Environment} env */
async function runWorkers({ workers = 0, ...env }, go) {
  const threads = Array.from({ length: workers }, (_, i) => new Worker(new URL(import.meta.url), {
    workerData: { ...env, name: `${env.name}.w${i}`, out: `${env.out}.${i}`, first: env.first + i * env.count, checkpoints: i === 0 && env.checkpoints },
  }));
  const ends = threads.map((thread) => once(thread, 'exit'));
  await Promise.all(threads.map((thread) => once(thread, 'message')));
  const until = await go();
  for (const thread of threads) thread.postMessage(until);
  for (const [code] of await Promise.all(ends)) if (code !== 0) throw new Error(`a worker ended with ${code}`);
}

async function goOfProcess() {
  process.stdout.write('ready\n');
  const lines = createInterface({ input: process.stdin });
  const [line] = await once(lines, 'line');
  lines.close();
  return Number(line.split(' ')[1]);
}

async function goOfWorker() {
  parentPort.postMessage('ready');
  const [until] = await once(parentPort, 'message');
  return until;
}

if (!isMainThread) await runClients(workerData, goOfWorker);
else {
  const env = JSON.parse(process.argv[2]);
  await (env.workers ? runWorkers(env, goOfProcess) : runClients(env, goOfProcess));
}
