// Every public method in a worker thread that is ending: nothing aborts, and each call gives what it always gives.

import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { open } from '../../../lib/index.js';
import { within } from '../../helpers/child-run.js';
import { useFolder } from '../../helpers/folders.js';
import { BACKEND_METHODS, STORE_METHODS, TRANSACTION_METHODS } from './methods.js';

const program = new URL('../children/matrix-worker.js', import.meta.url);
const folder = useFolder();

/** They answer without a promise; the store is closed before exit handlers run that were added after open(). */
const SYNCHRONOUS = {
  'store getSync': 'HYPHA_BUSY', 'store hasSync': 'HYPHA_BUSY', // writes to the key are under way
  'transaction id': 'value', 'transaction getSync': 'HYPHA_CLOSED', 'transaction hasSync': 'HYPHA_CLOSED',
};

function expectedShapes() {
  const names = [['transaction', TRANSACTION_METHODS], ['store', STORE_METHODS], ['backend', BACKEND_METHODS]];
  const all = names.flatMap(([kind, methods]) => Object.keys(methods).map((name) => `${kind} ${name}`));
  return Object.fromEntries(all.map((name) => [name, SYNCHRONOUS[name] ?? 'promise']));
}

/** @returns {Promise<{ code: number, path: string, answers: object | undefined }>} */
async function runWorker(way) {
  const path = folder.next();
  const report = `${path}.json`;
  const worker = new Worker(program, { workerData: { path, way, report } });
  worker.on('message', () => worker.terminate());
  worker.on('error', (error) => {
    if (error.message !== 'thrown on purpose') throw error;
  });
  const code = await within('the end of the worker', new Promise((resolve) => {
    worker.on('exit', resolve);
  }));
  return { code, path, answers: way === 'terminate' ? undefined : JSON.parse(readFileSync(report, 'utf8')) };
}

describe('every method in a worker thread that ends by', () => {
  it.each([
    ['return', 0],
    ['throw', 1],
    ['exit', 6],
    ['exit with everything under way', 6],
    ['terminate', 1],
  ])('%s', async (way, expectedCode) => {
    const { code, path, answers } = await runWorker(way);
    expect(code).toBe(expectedCode);
    if (way === 'exit with everything under way') expect(Object.keys(answers)).toHaveLength(Object.keys(expectedShapes()).length);
    else if (answers !== undefined) expect(answers).toEqual(expectedShapes());
    const store = await within('open', open({ path }));
    expect(await store.has('uncommitted')).toBe(false);
    expect((await store.diagnose()).integrity).toBe('ok');
    await within('close', store.close());
  });
});
