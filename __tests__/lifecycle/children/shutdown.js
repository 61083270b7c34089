// Has stores with work that only close() finishes, and says when it may be signalled.

import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { open, ShutdownSafety } from '../../../lib/index.js';
import { ack, input, phase } from '../../helpers/child-side.js';

const { paths, scene, options } = input();

phase('open');
const stores = [];
for (const path of paths) stores.push(await open({ path, durability: 'normal' }));
const [store] = stores;
let rounds = 0;
// Only a flush sends these: the interval is longer than the test.
for (const each of stores) each.buffer({ flushInterval: 3_600_000 }).set('buffered', 1).then(() => ack('buffered'));
for (const each of stores) each.set('queued', 1).then(() => ack('queued'));

/** An open transaction holds the writer; another process could hold it no longer than busyTimeout. */
const scenes = {
  'other listener': () => process.on('SIGTERM', () => {
    phase('other');
    Promise.all(stores.map((each) => each.close())).then(() => process.exit(23));
  }),
  'other listener that exits at once': () => process.on('SIGTERM', () => process.exit(24)),
  'other listener, once': () => process.once('SIGTERM', () => {
    process.exitCode = 25;
    clearInterval(alive);
  }),
  'stuck transaction': async () => {
    const tx = await store.beginTransaction({ timeout: 3_600_000 });
    await tx.set('uncommitted', 1);
    store.set('behind it', 1).then(() => ack('behind it'));
  },
  'a close that takes too long': () => stores.push(Object.assign(store, { close: () => new Promise(() => {}) })),
  'goes on after SIGHUP': () => process.on('SIGHUP', async () => {
    await Promise.all(stores.map((each) => each.close()));
    for (const [i, path] of paths.entries()) stores[i] = await open({ path, durability: 'normal' });
    const key = `again ${++rounds}`;
    for (const each of stores) each.buffer({ flushInterval: 3_600_000 }).set(key, 1).then(() => ack(key));
    phase('ready again');
  }),
  uninstalled: () => installed.uninstall(),
  'installed twice': () => {
    if (ShutdownSafety.install(options) !== installed) throw new Error('a second one');
    if (process.listenerCount('SIGTERM') !== 1) throw new Error('a second listener');
  },
};

const alive = setInterval(() => {}, 1000);
const installed = ShutdownSafety.install(options);
await scenes[scene]?.();
phase('ready');
