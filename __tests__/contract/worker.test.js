import { Worker } from 'node:worker_threads';
import { contractSuite } from './contract-suite.js';

let worker;
let lastId = 0;
const waiting = new Map();

beforeAll(() => {
  worker = new Worker(new URL('../helpers/contract-worker.js', import.meta.url));
  worker.on('message', (answer) => waiting.get(answer.id).resolve(answer));
  worker.on('error', (error) => {
    for (const { reject } of waiting.values()) reject(error);
  });
});

afterAll(() => worker.terminate());

async function runInWorker(group, title) {
  const id = ++lastId;
  const answer = await new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, group, title });
  });
  waiting.delete(id);
  expect(answer).toEqual({ id, isMainThread: false });
}

contractSuite('MyceliaStorageBackend in a worker thread', runInWorker);
