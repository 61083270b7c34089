// What checkpoints do to those who commit: sets awaited one by one at durability `full`, until the log has been copied
// often enough. Reports the percentiles, beside those of a plain write and sync of as many bytes on the same disk.

import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { open } from '../lib/index.js';
import { chunks, makeDocuments, seededRandom } from './data.js';
import { percentile } from './harness.js';

const DOCUMENTS = 60_000;
const CHECKPOINTS = 6;
const MOST_MS = 120_000;
const SYNCS = 1000;
const BYTES = 3 * 4096; // the pages of one set

const ascending = (times) => times.sort((one, other) => one - other);

function syncs(directory) {
  const file = openSync(join(directory, 'plain.bin'), 'wx');
  const bytes = Buffer.alloc(BYTES, 'x');
  const times = Array.from({ length: SYNCS }, () => {
    const startedAt = performance.now();
    writeSync(file, bytes);
    fdatasyncSync(file);
    return performance.now() - startedAt;
  });
  closeSync(file);
  return ascending(times);
}

async function commits(directory) {
  const store = await open({ path: join(directory, 'store.db'), durability: 'full' });
  const entries = makeDocuments(DOCUMENTS);
  for (const batch of chunks(entries, 1000)) await store.setMany(batch);
  await store.checkpoint('TRUNCATE');
  const random = seededRandom();
  const runs = async () => (await store.stats({ counts: false })).checkpoints.passive;
  const before = await runs();
  const times = [];
  const end = performance.now() + MOST_MS;
  let checkpoints = 0;
  while (checkpoints < CHECKPOINTS && performance.now() < end) {
    for (let i = 0; i < 200; i++) {
      const { key, value } = entries[Math.floor(random() * DOCUMENTS)];
      const startedAt = performance.now();
      await store.set(key, value);
      times.push(performance.now() - startedAt);
    }
    checkpoints = (await runs()) - before;
  }
  await store.close();
  if (checkpoints < CHECKPOINTS) throw new Error(`${checkpoints} checkpoints in ${MOST_MS} ms`);
  return { times: ascending(times), checkpoints };
}

async function measure({ directory }) {
  const { times, checkpoints } = await commits(directory);
  const plain = syncs(directory);
  return {
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    worst: times.at(-1),
    ratio: percentile(times, 99) / percentile(times, 50),
    count: times.length,
    checkpoints,
    syncP50: percentile(plain, 50),
    syncP99: percentile(plain, 99),
  };
}

try {
  process.send(await measure(JSON.parse(process.argv[2])));
} catch (error) {
  process.send({ error: inspect(error) });
}
process.disconnect();
