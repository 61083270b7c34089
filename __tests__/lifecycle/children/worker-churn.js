// Starts workers that open one file, write to it and end in every way. The main thread loads the addon only when it is
// to write as well.

import { readdirSync, readlinkSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ack, data, input, phase } from '../../helpers/child-side.js';

const { path, workers, atOnce, warmUp, mainWrites } = input();
const WAYS = ['return', 'throw', 'exit', 'terminate', 'terminate at start', 'close'];
const program = new URL('./worker-writer.js', import.meta.url);

/** What this process has open, but for the sources that a terminated worker's own module loader leaves behind. */
function openFiles() {
  const files = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return undefined; // the folder's own descriptor
    }
  });
  return files.filter((file) => file !== undefined && !file.endsWith('.js'));
}

/** @returns {Promise<void>} settled when the worker is gone */
function runWorker(number) {
  const way = WAYS[number % WAYS.length];
  phase(`worker ${number}, ${way}`);
  // The last ones take longer to be stopped, so that the end meets every part of opening.
  const terminateAfter = way === 'terminate at start' ? (number * 7) % 90 : undefined;
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { workerData: { path, number, way } });
    let acks = 0;
    if (terminateAfter !== undefined) setTimeout(() => worker.terminate(), terminateAfter);
    worker.on('message', (key) => {
      ack(key);
      if (++acks === 20 && way === 'terminate') worker.terminate();
    });
    worker.on('error', (error) => {
      if (error.message !== 'thrown on purpose') reject(error);
    });
    worker.on('exit', (code) => {
      const expected = { return: [0], close: [0], throw: [1], exit: [6], terminate: [1], 'terminate at start': [0, 1] }[way];
      if (expected.includes(code)) resolve();
      else reject(new Error(`worker ${number} (${way}) ended with ${code}`));
    });
  });
}

async function runWorkers(first, count) {
  let next = first;
  const line = async () => {
    while (next < first + count) await runWorker(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, line));
}

/** Writes and reads in the main thread until told to stop. @returns {Promise<() => Promise<void>>} */
async function writeInMain() {
  const { open } = await import('../../../lib/index.js');
  const store = await open({ path, durability: 'normal' });
  let writing = true;
  const line = (async () => {
    for (let i = 0; writing; i++) {
      const key = `main-${i}`;
      await store.set(key, { key });
      ack(key);
      if ((await store.get(key)).key !== key) throw new Error(`"${key}" is not what was written`);
      if (i % 50 === 0) await store.count({ filter: [{ field: 'key', operator: 'startsWith', value: 'main-' }] });
    }
    await store.close();
  })();
  return () => {
    writing = false;
    return line;
  };
}

const stop = mainWrites ? await writeInMain() : undefined;
await runWorkers(0, warmUp);
const before = openFiles();
await runWorkers(warmUp, workers);
phase('count');
await stop?.();
const after = openFiles();
data({ before: before.length, after: after.length, database: after.filter((file) => file.startsWith(path)) });
