// What checksums cost: two stores in one fresh process with the same documents, one with and one without. The same short
// piece of work is timed on both right after each other, and who begins changes: what else the machine does falls on
// both alike. Reports the median of the pairs' ratios. There are more documents than the store keeps values of: each
// get() reads its entry and checks it.

import { join } from 'node:path';
import { inspect } from 'node:util';
import { open } from '../lib/index.js';
import { chunks, GROUPS, makeDocuments, pick, seededRandom } from './data.js';
import { summary } from './harness.js';

const DOCUMENTS = 60_000;
const PIECE = 500; // operations, some milliseconds of them
const WARM_UPS = 2; // rounds that are not counted

// What a round runs on each piece of its entries.
const WORK = {
  async get(store, piece) {
    for (const { key } of piece) await store.get(key);
  },
  async set500(store, piece) {
    await Promise.all(piece.map(({ key, value }) => store.set(key, value)));
  },
  async scan(store, _piece, number) {
    await store.count({ filter: { field: 'group', operator: 'eq', value: number % GROUPS } });
  },
};

async function timed(work, store, piece, number) {
  const startedAt = performance.now();
  await work(store, piece, number);
  return performance.now() - startedAt;
}

async function measure({ directory, rounds, size }) {
  const documents = makeDocuments(DOCUMENTS);
  const stores = [];
  for (const checksums of [true, false]) {
    const store = await open({ path: join(directory, `${checksums}.db`), checksums, durability: 'normal' });
    for (const batch of chunks(documents, 1000)) await store.setMany(batch);
    stores.push(store);
  }
  const ratios = {};
  for (const [name, work] of Object.entries(WORK)) {
    const pairs = [];
    for (let round = 0; round < WARM_UPS + rounds; round++) {
      globalThis.gc?.();
      const pieces = chunks(pick(documents, size, seededRandom(round)), PIECE);
      for (const [number, piece] of pieces.entries()) {
        const times = [];
        for (const which of (round + number) % 2 === 0 ? [0, 1] : [1, 0]) times[which] = await timed(work, stores[which], piece, number);
        if (round >= WARM_UPS) pairs.push(times[0] / times[1]);
      }
    }
    ratios[name] = summary(pairs).median;
  }
  await Promise.all(stores.map((store) => store.close()));
  return ratios;
}

try {
  process.send(await measure(JSON.parse(process.argv[2])));
} catch (error) {
  process.send({ error: inspect(error) });
}
process.disconnect();
