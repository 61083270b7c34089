// Imports two copies of the package, each with its own addon, one after the other or one of them in a worker.

import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { data, input, phase } from '../../helpers/child-side.js';

async function load(root) {
  try {
    const { open } = await import(pathToFileURL(join(root, 'lib', 'index.js')));
    const store = await open({ mode: 'memory' });
    await store.set('key', 1);
    const value = await store.get('key');
    await store.close();
    return { value };
  } catch (error) {
    return { code: error.code, message: error.message };
  }
}

async function loadInWorker(root) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { root } });
  return new Promise((resolve, reject) => worker.once('error', reject).once('message', resolve));
}

if (isMainThread) {
  for (const { root, worker } of input()) {
    phase(`load ${root}`);
    data(worker ? await loadInWorker(root) : await load(root));
  }
} else {
  const { parentPort } = await import('node:worker_threads');
  parentPort.postMessage(await load(workerData.root));
}
