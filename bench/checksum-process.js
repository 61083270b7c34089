// What checksums cost: two stores in one fresh process with the same documents, one with and one without, each round of
// one right after that of the other and who begins changing. Reports the ratio of the median times. There are more
// documents than the store keeps values of: each get() reads its entry and checks it.

import { join } from 'node:path';
import { inspect } from 'node:util';
import { open } from '../lib/index.js';
import { chunks, GROUPS, makeDocuments, pick, seededRandom } from './data.js';

const DOCUMENTS = 60_000;
const AT_ONCE = 500;
const WARM_UPS = 2;

const WORK = {
  async get(store, entries) {
    for (const { key } of entries) await store.get(key);
  },
  async set500(store, entries) {
    for (const burst of chunks(entries, AT_ONCE)) await Promise.all(burst.map(({ key, value }) => store.set(key, value)));
  },
  async scan(store, _entries, round) {
    await store.count({ filter: { field: 'group', operator: 'eq', value: round % GROUPS } });
  },
};

const median = (values) => [...values].sort((one, other) => one - other)[values.length >> 1];

async function timed(work, store, entries, round) {
  globalThis.gc?.();
  const startedAt = performance.now();
  await work(store, entries, round);
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
    const times = [[], []];
    for (let round = 0; round < WARM_UPS + rounds; round++) {
      const entries = pick(documents, size, seededRandom(round));
      for (const which of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const time = await timed(work, stores[which], entries, round);
        if (round >= WARM_UPS) times[which].push(time);
      }
    }
    ratios[name] = median(times[0]) / median(times[1]);
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
