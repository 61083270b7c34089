// A worker thread that runs cases of the contract, each against a file of its own, and tells how they went.

import { isMainThread, parentPort } from 'node:worker_threads';
import { runCase } from '../contract/cases/index.js';
import { fileFactory } from './factories.js';

parentPort.on('message', async ({ id, group, title }) => {
  try {
    await runCase(fileFactory(), group, title);
    parentPort.postMessage({ id, isMainThread });
  } catch (error) {
    parentPort.postMessage({ id, isMainThread, failure: error.stack ?? String(error) });
  }
});
