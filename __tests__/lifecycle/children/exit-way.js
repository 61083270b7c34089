// Writes without pause and ends in the way asked for, in the middle of it.

import process from 'node:process';
import { setImmediate } from 'node:timers';
import { Worker } from 'node:worker_threads';
import { open } from '../../../lib/index.js';
import { ack, input, phase } from '../../helpers/child-side.js';

const { path, way, durability, afterAcks } = input();
const IN_FLIGHT = 40;

phase('open');
const store = await open({ path, durability });
let written = 0;
let acked = 0;
let writing = true;

const ways = {
  return: () => (writing = false),
  close: () => {
    writing = false;
    store.close();
  },
  'process.exitCode': () => {
    writing = false;
    process.exitCode = 5;
  },
  'process.exit': () => process.exit(7),
  'process.exit in an exit handler': () => {
    process.on('exit', () => process.exit(11));
    process.exit(10);
  },
  'process.exit with an open transaction': async () => {
    const tx = await store.beginTransaction();
    await tx.set('uncommitted', 1);
    process.exit(12);
  },
  'process.exit right after close': () => {
    writing = false;
    store.close();
    process.exit(13);
  },
  'uncaught throw': () => setImmediate(() => {
    throw new Error('uncaught on purpose');
  }),
  'unhandled rejection': () => Promise.reject(new Error('unhandled on purpose')),
  SIGTERM: () => process.kill(process.pid, 'SIGTERM'),
  SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
  'process.reallyExit': () => process.reallyExit(9),
  'process.abort': () => process.abort(),
  'process.exit while workers write': () => writeInWorkers(() => process.exit(14)),
  'process.abort while workers write': () => writeInWorkers(() => process.abort()),
};

/** Two workers write to the same file without end; calls `then` once both have had writes acknowledged. */
function writeInWorkers(then) {
  const busy = new Set();
  for (const number of [1, 2]) {
    const worker = new Worker(new URL('./worker-writer.js', import.meta.url), { workerData: { path, number, way: 'terminate' } });
    worker.on('message', (key) => {
      ack(key);
      busy.add(number);
      if (busy.size === 2) then();
    });
  }
}

async function write() {
  const key = `key-${written++}`;
  try {
    await store.set(key, { key, filler: 'x'.repeat(100) });
  } catch (error) {
    if (error.code === 'HYPHA_CLOSED') return;
    throw error;
  }
  ack(key);
  if (++acked === afterAcks) {
    phase(`end by ${way}`);
    ways[way]();
  }
  if (writing) write();
}

phase('write');
for (let i = 0; i < IN_FLIGHT; i++) write();
