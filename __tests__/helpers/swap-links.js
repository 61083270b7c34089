// A program: an attacker who puts a link to `victim` where `target` is, and a file, as fast as can be; tells how often.

import { copyFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { data, input, phase } from './child-side.js';

const { target, victim, file } = input();
let swaps = 0;
let stopped = false;
process.on('SIGTERM', () => (stopped = true));
phase('swapping');
while (!stopped) {
  for (let i = 0; i < 20; i++) {
    rmSync(`${target}.a`, { force: true });
    symlinkSync(victim, `${target}.a`);
    renameSync(`${target}.a`, target);
    copyFileSync(file, `${target}.b`);
    renameSync(`${target}.b`, target);
    swaps++;
  }
  await setImmediate();
}
data(swaps);
