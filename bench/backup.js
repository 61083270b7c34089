// What a backup under load costs those who write meanwhile: npm run bench:backup -- [--mib 1024] [--seconds 5]
//
// Fills a store with so many MiB, awaits sets one by one at each level of durability for some seconds, then does the same
// while one backup after the other is made, and compares the percentiles.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { open } from '../lib/index.js';
import { seededRandom } from './data.js';
import { percentile } from './harness.js';

const { values } = parseArgs({ options: { mib: { type: 'string', default: '1024' }, seconds: { type: 'string', default: '5' } } });
const MIB = 1024 * 1024;
const BATCH = 1000;
const VALUE = { text: 'x'.repeat(1000) };
const entries = Math.ceil((Number(values.mib) * MIB) / 1200);
const directory = mkdtempSync(join(tmpdir(), 'hyphadb-backup-'));
const path = join(directory, 'store.db');
const random = seededRandom();

const ms = (number) => number.toFixed(3).padStart(9);

/** Sets keys at random, one after the other, until it is told to stop. */
async function setUntil(store, isOver) {
  const times = [];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  while (!isOver()) {
    const from = performance.now();
    await store.set(`k${Math.floor(random() * entries)}`, VALUE);
    times.push(performance.now() - from);
    if (times.length % 100 === 0) await new Promise(setImmediate);
  }
  delay.disable();
  times.sort((a, b) => a - b);
  return { count: times.length, p50: percentile(times, 50), p99: percentile(times, 99), max: times.at(-1), loopP99: delay.percentile(99) / 1e6 };
}

const line = (what, { count, p50, p99, max, loopP99 }) =>
  console.log(`${what.padEnd(34)} ${String(count).padStart(8)} sets  p50 ${ms(p50)}  p99 ${ms(p99)}  max ${ms(max)} ms  loop p99 ${ms(loopP99)} ms`);

async function measure(store, durability) {
  const seconds = Number(values.seconds) * 1000;
  const idleEnd = performance.now() + seconds;
  const idle = await setUntil(store, () => performance.now() > idleEnd);
  line(`${durability}, no backup`, idle);
  let over = false;
  let walBytes = 0;
  const durations = [];
  const copying = (async () => {
    for (const end = performance.now() + seconds; durations.length === 0 || performance.now() < end; ) {
      const from = performance.now();
      await store.backup(join(directory, 'copy.db'), { overwrite: true, onProgress: () => (walBytes = Math.max(walBytes, statSync(`${path}-wal`).size)) });
      durations.push(performance.now() - from);
    }
    over = true;
  })();
  const busy = await setUntil(store, () => over);
  await copying;
  line(`${durability}, during ${durations.length} backups`, busy);
  const bytes = statSync(join(directory, 'copy.db')).size;
  console.log(`  p99 ${(busy.p99 / idle.p99).toFixed(2)} times that without (at most 3); a backup of ${(bytes / MIB).toFixed(0)} MiB took ${(durations.reduce((a, b) => a + b) / durations.length / 1000).toFixed(2)} s; log at most ${(walBytes / MIB).toFixed(1)} MiB`);
}

try {
  for (const durability of ['normal', 'full']) {
    const store = await open({ path, durability });
    const missing = entries - (await store.count());
    for (let at = 0; at < missing; at += BATCH) {
      await store.setMany(Array.from({ length: Math.min(BATCH, missing - at) }, (_, i) => ({ key: `k${at + i}`, value: VALUE })));
    }
    await measure(store, durability);
    await store.close();
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
