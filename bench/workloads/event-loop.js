// How long a timer of the application waits while 500 writers work, each awaiting its own writes one by one.
// The histogram holds intervals of a 1 ms timer: an idle loop shows a little over 1 ms on an idle machine. The control
// shows what it is on this one.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { chunks, pick } from '../data.js';

const WRITERS = 500;
const NANOSECONDS_A_MS = 1e6;
const MARGIN_MS = 5; // the monitor's timer must have started, and must see the last delay

export default {
  name: 'loop',
  title: 'event-loop delay, p99',
  per: 'run of 500 concurrent writers',
  unit: 'ms',
  needs: 'set',
  contractOnly: true,
  control: 'timer',
  size: { full: 20_000, quick: 10_000 },
  below: 5,
  notAboveBaseline: true,
  timing: false,

  prepare({ peer, entries, size, random }) {
    const shares = chunks(pick(entries, size, random), size / WRITERS);
    async function write(share) {
      for (const { key, value } of share) await peer.set(key, value);
    }
    async function run() {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      await sleep(MARGIN_MS);
      await Promise.all(shares.map(write));
      await sleep(MARGIN_MS);
      delay.disable();
      return delay.percentile(99) / NANOSECONDS_A_MS;
    }
    return { run, check: (p99) => p99 > 0, value: (p99) => p99 };
  },
};
