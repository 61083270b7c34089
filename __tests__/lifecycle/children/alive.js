// What keeps a process alive, and what becomes of stores that nobody closes.

import { readdirSync, readlinkSync } from 'node:fs';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { open } from '../../../lib/index.js';
import { ack, data, input, phase } from '../../helpers/child-side.js';

const { path, scene } = input();

function openFiles() {
  const files = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return files.filter((file) => file.startsWith(path)).length;
}

async function writeAndForget(times) {
  for (let i = 0; i < times; i++) {
    const store = await open({ path: `${path}-${i}`, durability: 'normal' });
    await store.set('key', i);
    if ((await store.get('key')) !== i) throw new Error('not what was written');
  }
}

const scenes = {
  async idle() {
    const store = await open({ path });
    await store.set('key-0', { key: 'key-0' });
    ack('key-0');
    globalThis.store = store; // not for the garbage collector
  },
  async busy() {
    const store = await open({ path });
    for (let i = 0; i < 500; i++) store.set(`key-${i}`, { key: `key-${i}` }).then(() => ack(`key-${i}`));
    store.query([]).then((entries) => data({ entries: entries.length }));
  },
  async 'idle with an open transaction'() {
    const store = await open({ path });
    await store.set('key-0', { key: 'key-0' });
    ack('key-0');
    globalThis.transaction = await store.beginTransaction();
    await globalThis.transaction.set('uncommitted', 1);
  },
  async 'exit code while opening'() {
    open({ path }).then(() => phase('opened'));
    process.exit(4);
  },
  async collected() {
    await writeAndForget(5);
    const before = openFiles();
    phase('collect');
    while (openFiles() > 0) {
      globalThis.gc();
      await setImmediate();
    }
    data({ before, after: openFiles() });
  },
  async 'collected, then opened again'() {
    await writeAndForget(3);
    globalThis.gc();
    for (let i = 0; i < 3; i++) {
      const store = await open({ path: `${path}-${i}`, durability: 'normal' });
      data({ value: await store.get('key') });
      await store.close();
    }
  },
};

phase(scene);
await scenes[scene]();
phase('end of the program');
