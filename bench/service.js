// A store as the heart of a busy service: bursts, a closed loop of 500 clients, and a mixed load. Prints what it measured,
// and exits with 1 where something failed or an operation was lost.
//
//   node bench/service.js [seconds of the closed loop, 10] [seconds of the mixed load, 30]

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import process from 'node:process';
import { open } from '../lib/index.js';
import { percentile } from './harness.js';

const [loopSeconds = 10, mixedSeconds = 30] = process.argv.slice(2).map(Number);
const CLIENTS = 500;
const MiB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'hypha-service-'));
const value = { text: 'x'.repeat(180), n: 1 };
let failures = 0;

/** @param {number[]} times */
const summary = (times) => {
  times.sort((a, b) => a - b);
  return [50, 95, 99].map((percent) => `p${percent} ${percentile(times, percent).toFixed(2)}`).join(', ');
};
/** @param {() => boolean} holds @param {string} what */
const check = (holds, what) => {
  if (holds()) return;
  failures++;
  console.log(`FAILED: ${what}`);
};

/** @param {'normal' | 'full'} durability */
async function bursts(durability) {
  const store = await open({ path: join(folder, `burst-${durability}.db`), durability });
  const times = [];
  let most = 0;
  for (let round = 0; round < 60; round++) {
    const before = (await store.stats({ counts: false })).commits;
    const start = performance.now();
    await Promise.all(Array.from({ length: CLIENTS }, (_, i) => store.set(`k${i}`, value)));
    if (round >= 10) times.push(performance.now() - start);
    most = Math.max(most, (await store.stats({ counts: false })).commits - before);
  }
  console.log(`burst of ${CLIENTS} sets, ${durability}: ${summary(times)} ms to the last answer, at most ${most} commits`);
  await store.close();
}

/** @param {'normal' | 'full'} durability */
async function closedLoop(durability) {
  const store = await open({ path: join(folder, `loop-${durability}.db`), durability });
  const times = [];
  const end = performance.now() + loopSeconds * 1000;
  const client = async (/** @type {number} */ number) => {
    for (let i = 0; performance.now() < end; i++) {
      const start = performance.now();
      if (i % 5 < 3) await store.get(`k${(number * 7 + i) % 1000}`);
      else await store.set(`k${(number * 7 + i) % 1000}`, value);
      times.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)));
  const perSecond = times.length / loopSeconds;
  const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
  const littles = (perSecond * mean) / 1000;
  console.log(`closed loop, ${CLIENTS} clients, ${durability}, 60 % get: ${perSecond.toFixed(0)} operations/s; ${summary(times)} ms; mean in flight by Little's law ${littles.toFixed(0)}`);
  check(() => Math.abs(littles - CLIENTS) < CLIENTS / 10, "Little's law: the figures do not fit together");
  await store.close();
}

async function mixed() {
  const store = await open({ path: join(folder, 'mixed.db'), durability: 'normal' });
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const end = performance.now() + mixedSeconds * 1000;
  let done = 0;
  let errors = 0;
  let warm = 0;
  const client = async (/** @type {number} */ number) => {
    for (let i = 0; performance.now() < end; i++) {
      const key = `k${(number * 31 + i) % 5000}`;
      try {
        if (i % 100 === 99) await store.list({ prefix: `k${number}`, limit: 20 });
        else if (i % 20 === 19) await store.transaction(async (tx) => tx.set(key, (await tx.get(key)) ?? value));
        else if (i % 5 < 3) await store.get(key);
        else if (i % 5 === 3) await store.set(key, value);
        else await store.delete(key);
      } catch {
        errors++;
      }
      done++;
    }
  };
  delay.enable();
  setTimeout(() => (warm = process.memoryUsage.rss()), (mixedSeconds * 1000) / 3).unref();
  await Promise.all(Array.from({ length: 50 }, (_, number) => client(number)));
  delay.disable();
  const grown = (process.memoryUsage.rss() - warm) / MiB;
  const { integrity } = await store.diagnose();
  const { checkpoints, latency, log } = await store.stats();
  console.log(`mixed load, 50 clients: ${(done / mixedSeconds).toFixed(0)} operations/s, ${errors} errors, event-loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, memory after warm-up ${grown.toFixed(0)} MiB more, integrity ${integrity}`);
  console.log(`  commits ${latency.commit.p50}/${latency.commit.p99} us p50/p99 beside ${checkpoints.passive} checkpoints; longest log ${log.frames} pages at the end`);
  check(() => errors === 0, 'errors in the mixed load');
  check(() => integrity === 'ok', 'integrity');
  check(() => done / mixedSeconds >= 8080, 'ten times 808 operations/s');
  check(() => grown < 50, 'less than 50 MiB of growth');
  await store.close();
}

try {
  console.log(`Node ${process.versions.node}`);
  for (const durability of /** @type {const} */ (['normal', 'full'])) await bursts(durability);
  for (const durability of /** @type {const} */ (['normal', 'full'])) await closedLoop(durability);
  await mixed();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;
