// A program: an attacker who puts links to `victims` where `targets` are, and files and directories again, as fast as can
// be; tells how often.

import { copyFileSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { data, input, phase } from './child-side.js';

/** @type {{ swaps: { target: string, victim: string, good?: string }[] }} good: a file to put back; without, what is there is moved away and back */
const { swaps } = input();
let done = 0;
let stopped = false;
process.on('SIGTERM', () => (stopped = true));

/** The one who is attacked moves the same names. @param {() => void} move */
function attempt(move) {
  try {
    move();
  } catch (error) {
    if (!['ENOENT', 'EEXIST', 'ENOTEMPTY', 'EISDIR', 'ENOTDIR', 'EPERM'].includes(error.code)) throw error;
  }
}

function swap({ target, victim, good }) {
  rmSync(`${target}.a`, { force: true });
  symlinkSync(victim, `${target}.a`);
  if (good === undefined) {
    rmSync(`${target}.away`, { recursive: true, force: true }); // of a round in which the name was taken again
    attempt(() => renameSync(target, `${target}.away`));
  }
  attempt(() => renameSync(`${target}.a`, target));
  if (good === undefined) {
    attempt(() => unlinkSync(target));
    attempt(() => renameSync(`${target}.away`, target));
  } else {
    copyFileSync(good, `${target}.b`);
    attempt(() => renameSync(`${target}.b`, target));
  }
}

phase('swapping');
while (!stopped) {
  for (let i = 0; i < 10; i++) {
    for (const each of swaps) swap(each);
    done++;
  }
  await setImmediate();
}
data(done);
