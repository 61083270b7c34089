// Reads all documents in a fresh process, the second time when there are three times as many, and reports what the
// reading added to the resident set. Each is done once before, so that the page caches, which are bounded, are full.

import { inspect } from 'node:util';
import { chunks, readCities } from './data.js';
import { loadPeer } from './peers/index.js';

const BATCH = 1000;
const COPIES = 3;
const MEBIBYTE = 2 ** 20;
const LOOK_EVERY_MS = 1;
const TOP_TEN = { sort: { field: 'population', order: 'desc' }, limit: 10 };
const IN_USA = { field: 'country', operator: 'eq', value: 'US' };

/** How far the resident set grows while `work` runs. */
async function growth(work) {
  globalThis.gc();
  const before = process.memoryUsage.rss();
  let peak = before;
  const look = () => (peak = Math.max(peak, process.memoryUsage.rss()));
  const timer = setInterval(look, LOOK_EVERY_MS);
  await work();
  clearInterval(timer);
  look();
  return (peak - before) / MEBIBYTE;
}

async function scan({ peer: name, directory }) {
  const cities = readCities();
  const peer = await (await loadPeer(name)).open(directory);
  let copies = 0;
  async function load() {
    const suffix = `:${copies++}`;
    for (const batch of chunks(cities, BATCH)) await peer.setMany(batch.map(({ key, value }) => ({ key: key + suffix, value })));
  }
  async function readAll() {
    const found = peer.read.query(await peer.query([], TOP_TEN));
    const counted = peer.read.count(await peer.count(IN_USA));
    if (found !== 10 || counted !== 16_677 * copies) throw new Error(`${name}: the answer is wrong`);
  }
  async function measure() {
    await readAll();
    return growth(readAll);
  }
  await load();
  const once = await measure();
  while (copies < COPIES) await load();
  const thrice = await measure();
  await peer.close();
  return { once, thrice };
}

try {
  process.send(await scan(JSON.parse(process.argv[2])));
} catch (error) {
  process.send({ error: inspect(error) });
}
process.disconnect();
