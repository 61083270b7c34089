// POSIX drops every lock of a process on a file when any descriptor of it is closed. After each public call another
// process looks whether SQLite's locks on the open database are still there.

import { closeSync, linkSync, openSync, symlinkSync } from 'node:fs';
import process from 'node:process';
import { Worker } from 'node:worker_threads';
import { migrate, open } from '../../lib/index.js';
import { within } from '../helpers/child-run.js';
import { useFolder } from '../helpers/folders.js';
import { LockProbe } from '../helpers/lock-probe.js';
import { STORE_METHODS, TRANSACTION_METHODS, seed } from './matrix/methods.js';

const folder = useFolder();
const HELD = { database: process.pid, log: process.pid };
const NOBODY = { database: 0, log: 0 };

let probe;
beforeAll(() => {
  probe = new LockProbe();
});
afterAll(() => probe.end());

async function withSeeded(work) {
  const path = folder.next();
  const store = await open({ path, durability: 'normal' });
  await seed(store);
  expect(await probe.look(path)).toEqual(HELD);
  try {
    await work(store, path);
  } finally {
    await store.close();
  }
}

const codeOf = (promise) => promise.then(() => 'done', (error) => error.code);

describe('the locks on an open database', () => {
  it('are there after every method of a store', async () => {
    for (const [name, { call, kind }] of Object.entries(STORE_METHODS)) {
      if (kind === 'end') continue;
      await withSeeded(async (store, path) => {
        await call(store);
        expect([name, await probe.look(path)]).toEqual([name, HELD]);
      });
    }
  }, 60_000);

  it('are there after every method of a transaction', async () => {
    for (const [name, { call }] of Object.entries(TRANSACTION_METHODS)) {
      await withSeeded(async (store, path) => {
        const tx = await store.beginTransaction();
        await call(tx);
        expect([name, await probe.look(path)]).toEqual([name, HELD]);
      });
    }
  }, 60_000);

  it('are there after another handle of the file was opened, used and closed', () => withSeeded(async (_, path) => {
    const other = await open({ path, durability: 'normal' });
    await other.set('k', 2);
    expect(await probe.look(path)).toEqual(HELD);
    await other.close();
    expect(await probe.look(path)).toEqual(HELD);
  }));

  it('are there after a worker thread opened the file, wrote to it and was terminated', () => withSeeded(async (store, path) => {
    const worker = new Worker(new URL('./children/worker-writer.js', import.meta.url), { workerData: { path, number: 1, way: 'terminate' } });
    let acks = 0;
    const ended = new Promise((resolve) => {
      worker.on('exit', resolve);
    });
    worker.on('message', () => ++acks === 10 && worker.terminate());
    await within('the end of the worker', ended);
    expect(await probe.look(path)).toEqual(HELD);
    expect(await store.get('k')).toBe(1);
  }));

  it('are there after every open() and migrate() of the file that is refused', () => withSeeded(async (store, path) => {
    symlinkSync(path, `${path}-link`);
    const refused = {
      'other options': [codeOf(open({ path, durability: 'normal', readers: 7 })), 'HYPHA_OPTIONS_CONFLICT'],
      'a symbolic link': [codeOf(open({ path: `${path}-link` })), 'HYPHA_CANT_OPEN'],
      'a migration': [codeOf(migrate(path, { to: 1 })), 'HYPHA_BUSY'],
    };
    for (const [name, [answer, code]] of Object.entries(refused)) {
      expect([name, await answer]).toEqual([name, code]);
      expect([name, await probe.look(path)]).toEqual([name, HELD]);
    }
    linkSync(path, `${path}-hard`);
    expect(await codeOf(open({ path: `${path}-hard` }))).not.toBe('done');
    expect(await probe.look(path)).toEqual(HELD);
  }));

  it('are gone after close()', async () => {
    let closed;
    await withSeeded((_, path) => {
      closed = path;
    });
    expect((await probe.look(closed)).database).toBe(0);
  });

  it('are lost when the file is opened and closed by anything but SQLite, which shows that the probe would see it', () => withSeeded(async (_, path) => {
    closeSync(openSync(path, 'r'));
    closeSync(openSync(`${path}-shm`, 'r'));
    expect(await probe.look(path)).toEqual(NOBODY);
  }));
});
