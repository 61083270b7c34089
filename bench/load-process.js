// Loads the cities into one peer in a fresh process and reports what that added to the process's memory.
// The baseline is the resident set after the cities are in the heap and before the peer's code is even loaded; the peak
// is looked at after every batch. The peer named "nothing" stores nothing: it shows what V8 takes for the texts.

import { inspect } from 'node:util';
import { chunks, readCities } from './data.js';
import { loadPeer } from './peers/index.js';

const BATCH = 1000;
const MEBIBYTE = 2 ** 20;

const nothing = {
  async open() {
    return {
      setMany: async (entries) => new Map(entries.map(({ key, value }) => [key, JSON.stringify(value).length > 0])),
      close: async () => {},
      read: { setMany: () => true },
    };
  },
};

async function load({ peer: name, directory }) {
  const entries = readCities();
  globalThis.gc();
  globalThis.gc();
  const baseline = process.memoryUsage.rss();
  const module = name === 'nothing' ? nothing : await loadPeer(name);
  const peer = await module.open(directory);
  let peak = 0;
  let good = true;
  const startedAt = performance.now();
  for (const batch of chunks(entries, BATCH)) {
    good &&= peer.read.setMany(await peer.setMany(batch));
    peak = Math.max(peak, process.memoryUsage.rss());
  }
  const elapsedMs = performance.now() - startedAt;
  if (!good) throw new Error(`${name}: the cities could not be loaded`);
  globalThis.gc();
  const after = process.memoryUsage.rss();
  await peer.close();
  return {
    microseconds: (elapsedMs * 1000) / entries.length,
    peakMiB: (peak - baseline) / MEBIBYTE,
    afterMiB: (after - baseline) / MEBIBYTE,
  };
}

try {
  process.send(await load(JSON.parse(process.argv[2])));
} catch (error) {
  process.send({ error: inspect(error) });
}
process.disconnect();
