// Writes through a buffer and ends in the way asked for. Each promise that is resolved is acknowledged.

import process from 'node:process';
import { setInterval } from 'node:timers';
import { open } from '../../../lib/index.js';
import { ack, data, input, phase } from '../../helpers/child-side.js';

const { path, scene, options } = input();
phase('open');
const store = await open({ path, durability: 'normal' });
const buffer = store.buffer(options);
let acknowledged = 0;
const add = (key) => buffer.set(key, { key }).then(() => {
  ack(key);
  if (++acknowledged === 1) phase('acknowledged');
});

const scenes = {
  // The parent kills this one.
  'adds without end': () => {
    let count = 0;
    setInterval(() => {
      for (let i = 0; i < 20; i++) add(`key-${count++}`);
      data(count);
    }, 1);
  },
  idle: () => add('key-0'),
  'ends with items': () => {
    for (let i = 0; i < 30; i++) add(`key-${i}`);
  },
  'process.exit right after close': () => {
    add('key-0');
    store.close().then(() => process.exit(3));
  },
};

phase('run');
await scenes[scene]();
