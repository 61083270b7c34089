// What else an application can do while all 135,233 cities are read: its timers, and its reads of single keys.

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { pick } from '../data.js';

const NANOSECONDS_A_MS = 1e6;
const MARGIN_MS = 5; // the monitor's timer must have started, and must see the last delay
const GETS = 50;
const BURSTS_IDLE = 400;
const TOP_TEN = { sort: { field: 'population', order: 'desc' }, limit: 10 };

const common = {
  data: 'cities',
  needs: 'query',
  contractOnly: true,
  timing: false,
  rounds: { full: 5, quick: 1 },
};

/** Scans one after the other. */
async function scans(peer, times) {
  for (let done = 0; done < times; done++) await peer.query([], TOP_TEN);
}

const loopDuringScan = {
  ...common,
  name: 'scanLoop',
  control: 'timer',
  title: 'event-loop delay in a scan, p99',
  per: 'scans of 135,233 cities, one after the other',
  unit: 'ms',
  size: { full: 10, quick: 3 },
  shares: { 'better-sqlite3': 0.2 },
  below: 5,
  notAboveBaseline: true,
  prepare({ peer, size }) {
    async function run() {
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      await sleep(MARGIN_MS);
      await scans(peer, size);
      await sleep(MARGIN_MS);
      delay.disable();
      return delay.percentile(99) / NANOSECONDS_A_MS;
    }
    return { run, check: (p99) => p99 > 0, value: (p99) => p99 };
  },
};

const getsDuringScan = {
  ...common,
  name: 'scanGets',
  title: '50 gets at once in a scan',
  per: 'median time of the same while idle',
  unit: 'times',
  size: { full: 10, quick: 3 },
  shares: { 'better-sqlite3': 0.2 },
  below: 2,
  prepare({ peer, entries, size, random }) {
    async function burst() {
      const keys = pick(entries, GETS, random);
      const startedAt = performance.now();
      const answers = await Promise.all(keys.map(({ key }) => peer.get(key)));
      const elapsed = performance.now() - startedAt;
      if (answers.some((answer) => peer.read.get(answer) === undefined)) throw new Error('a city is missing');
      await nextTurn();
      return elapsed;
    }
    const median = (times) => times.sort((one, other) => one - other)[times.length >> 1];
    async function run() {
      const idle = [];
      while (idle.length < BURSTS_IDLE) idle.push(await burst());
      const busy = [];
      let running = true;
      const reading = scans(peer, size).finally(() => (running = false));
      while (running) busy.push(await burst());
      await reading;
      return median(busy) / median(idle);
    }
    return { run, check: (ratio) => ratio > 0, value: (ratio) => ratio };
  },
};

export default [loopDuringScan, getsDuringScan];
