// Scheduled backups that somebody uses, and several schedules for one folder.

import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { open } from '../../lib/index.js';
import { RemoteStore } from '../helpers/child-store.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();
const opened = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

/** A store with a schedule that keeps one backup, in a folder of its own. */
async function scheduled(options = {}) {
  const place = folder.next().replace(/\.db$/, '-folder');
  mkdirSync(place);
  const store = await open({ path: folder.next(), durability: 'normal' });
  opened.push(store);
  await store.set('of', 'the store');
  return { store, place, schedule: store.scheduleBackups({ directory: place, every: 60_000, keep: 1, ...options }) };
}

/** Nobody has it any more: what was written to it is there, and the next backup takes its place. */
async function isKeptAndThenGoes({ schedule, place, path, by }) {
  const again = await open({ path });
  expect(await again.get('by')).toBe(by);
  await again.close();
  const last = await schedule.run();
  expect(readdirSync(place)).toEqual([basename(last.path)]);
}

const OPENER = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData.library).then(async ({ open }) => {
    const store = await open({ path: workerData.path });
    parentPort.once('message', async () => parentPort.postMessage(await store.set('by', 'the worker').then(() => store.close())));
    parentPort.postMessage('open');
  });`;

describe('a backup that is in use is kept until it is not', () => {
  test('by this process: what is written to it stays', async () => {
    const { schedule, place } = await scheduled();
    const { path } = await schedule.run();
    for (const readOnly of [false, true]) {
      const used = await open({ path, readOnly });
      opened.push(used);
      if (!readOnly) await used.set('by', 'its user');
      const newer = await schedule.run();
      expect(schedule.lastError).toBeUndefined();
      expect(readdirSync(place).filter((name) => name.endsWith('.db'))).toEqual([basename(path), basename(newer.path)].sort());
      expect(await used.getMany(['of', 'by'])).toEqual(new Map([['of', 'the store'], ['by', 'its user']]));
      await used.close();
    }
    await isKeptAndThenGoes({ schedule, place, path, by: 'its user' });
  });

  test('by a worker of this process', async () => {
    const { schedule, place } = await scheduled();
    const { path } = await schedule.run();
    const worker = new Worker(OPENER, { eval: true, workerData: { path, library: new URL('../../lib/index.js', import.meta.url).href } });
    try {
      await once(worker, 'message');
      await schedule.run();
      expect(readdirSync(place)).toContain(basename(path));
      worker.postMessage('close');
      await once(worker, 'message');
    } finally {
      await worker.terminate();
    }
    await isKeptAndThenGoes({ schedule, place, path, by: 'the worker' });
  });

  test('by another process, unless that was killed', async () => {
    const { schedule, place } = await scheduled();
    const { path } = await schedule.run();
    const other = await RemoteStore.open({ path });
    try {
      await other.call('set', 'by', 'another process');
      await schedule.run();
      expect(schedule.lastError).toBeUndefined();
      expect(readdirSync(place)).toContain(basename(path));
      expect(await other.call('get', 'by')).toBe('another process');
    } finally {
      await other.kill();
    }
    expect(readdirSync(place)).toContain(`${basename(path)}-wal`);
    const last = await schedule.run();
    expect(readdirSync(place)).toEqual([basename(last.path)]);
  });
});

test('an old one that is no database any more goes as well', async () => {
  const { schedule, place } = await scheduled();
  const { path } = await schedule.run();
  writeFileSync(path, 'overwritten');
  const last = await schedule.run();
  expect(schedule.lastError).toBeUndefined();
  expect(readdirSync(place)).toEqual([basename(last.path)]);
});

test('schedules that make one in the same millisecond get names of their own', async () => {
  const { store, place } = await scheduled();
  const schedules = Array.from({ length: 6 }, () => store.scheduleBackups({ directory: place, every: 60_000, keep: 100 }));
  const reports = await Promise.all(schedules.map((each) => each.run()));
  expect(schedules.map(({ lastError }) => lastError)).toEqual(schedules.map(() => undefined));
  expect(reports.map(({ path }) => basename(path)).sort()).toEqual(readdirSync(place).sort());
  expect(new Set(reports.map(({ path }) => path)).size).toBe(schedules.length);
});

test('schedules that delete the same ones do not fail for it', async () => {
  const { store, place } = await scheduled();
  const first = store.scheduleBackups({ directory: place, every: 60_000, keep: 100 });
  for (let i = 0; i < 10; i++) await first.run();
  const schedules = Array.from({ length: 4 }, () => store.scheduleBackups({ directory: place, every: 60_000, keep: 1 }));
  await Promise.all(schedules.map((each) => each.run()));
  expect(schedules.map(({ lastError }) => lastError)).toEqual(schedules.map(() => undefined));
  writeFileSync(join(place, `${basename(first.last.path)}-wal`), 'a log without its backup');
  const last = await schedules[0].run();
  expect(readdirSync(place)).toEqual([basename(last.path)]);
});

test('the one that was just made is kept when those that are there come from a clock that was ahead', async () => {
  const { schedule, place } = await scheduled({ keep: 2 });
  const first = await schedule.run();
  const ahead = [1, 2, 3].map((year) => basename(first.path).replace(/-(\d{4})(?=\d{4}T)/, (_, now) => `-${Number(now) + year}`));
  for (const name of ahead) copyFileSync(first.path, join(place, name));
  const second = await schedule.run();
  expect(schedule.lastError).toBeUndefined();
  expect(readdirSync(place).sort()).toEqual([first.path, second.path].map((path) => basename(path)).sort());
});

test('a directory that has the name of a backup is left alone', async () => {
  const { schedule, place } = await scheduled();
  const { path } = await schedule.run();
  const name = basename(path).replace(/-\d{4}(?=\d{4}T)/, '-1999');
  mkdirSync(join(place, name));
  const newer = await schedule.run();
  expect(schedule.lastError).toBeUndefined();
  expect(readdirSync(place).sort()).toEqual([name, basename(newer.path)].sort());
});
