// Random filters, sorts and pages against the plain JavaScript oracle. HYPHA_SEED repeats a run, HYPHA_CASES sets its length.

import process from 'node:process';
import { inspect } from 'node:util';
import { open } from '../../lib/index.js';
import { documents, filter, queryOptions } from '../helpers/oracle-cases.js';
import { answer, matches, textOf } from '../helpers/oracle-filter.js';
import { Random, runSeed } from '../helpers/oracle-random.js';

const seed = runSeed();
const CASES = Number(process.env.HYPHA_CASES ?? 12_000);
const CASES_PER_BATCH = 300;
const BATCHES = Math.ceil(CASES / CASES_PER_BATCH);

const show = (value) => inspect(value, { depth: 20, maxStringLength: 400, maxArrayLength: 80 });

/** As a StorageQuery of the kernel, which carries its own sort and paging. */
const asStorageQuery = (tree, options) => ({
  getFilters: () => (Array.isArray(tree) ? tree : [tree]),
  getLimit: () => options.limit,
  getOffset: () => options.offset,
  getSort: () => options.sort,
});

/** What to print when the store and the oracle differ: enough to write the case down by hand. */
function report(where, tree, options, entries, expected, actual) {
  const differs = entries.find(({ key }) => expected.keys.includes(key) !== actual.keys.includes(key));
  return [
    `HYPHA_SEED=${seed}, ${where}`,
    `filter ${show(tree)}`,
    `options ${show(options)}`,
    `expected ${expected.total} in all, page ${show(expected.keys)}`,
    `answered ${actual.total} in all, page ${show(actual.keys)}`,
    differs ? `first entry in one only: ${show(differs)}; the oracle says ${matches(tree, differs)}` : 'the same entries in another order or number',
  ].join('\n');
}

async function ask(store, namespace, tree, options, wrapped) {
  const found = wrapped
    ? await store.query(asStorageQuery(tree, options), { namespace, limit: 1, sort: { field: 'key', order: 'desc' } })
    : await store.query(tree, { namespace, ...options });
  return { keys: found.map(({ key }) => key), total: await store.count({ namespace, filter: tree }), found };
}

describe('filters, sorting and paging', () => {
  let store;
  /** Cases in which some entries match and some do not. */
  let telling = 0;
  beforeAll(async () => {
    process.stderr.write(`HYPHA_SEED=${seed} HYPHA_CASES=${CASES}\n`);
    store = await open({ mode: 'memory', limits: { queryTimeout: 10 * 60_000 } }); // a machine may be very busy
  });
  afterAll(() => store.close());

  /** Two namespaces: one with most rows of the file, one with few, which the planner reads in different ways. */
  async function fill(random) {
    const sizes = { most: random.pick([30, 70, 160]), few: random.between(3, 12) };
    const namespaces = {};
    await store.clear();
    for (const [namespace, size] of Object.entries(sizes)) {
      const given = documents(random, size);
      const { ok } = await store.setMany(given, { namespace });
      expect(ok).toBe(true);
      namespaces[namespace] = await store.query(null, { namespace });
      expect(namespaces[namespace]).toHaveLength(size);
    }
    return namespaces;
  }

  async function runBatch(batch) {
    const random = new Random(seed + batch * 7919);
    const namespaces = await fill(random);
    for (let i = 0; i < CASES_PER_BATCH; i++) {
      const namespace = random.chance(0.6) ? 'most' : 'few';
      const entries = namespaces[namespace];
      const tree = filter(random, entries);
      const options = queryOptions(random, entries);
      const expected = answer(entries, tree, options);
      if (expected.total > 0 && expected.total < entries.length) telling++;
      const actual = await ask(store, namespace, tree, options, random.chance(0.1));
      const same = actual.total === expected.total && JSON.stringify(actual.keys) === JSON.stringify(expected.keys);
      if (!same) throw new Error(report(`batch ${batch}, case ${i} in "${namespace}"`, tree, options, entries, expected, actual));
      const intact = actual.found.every((entry) => entries.some((each) => each.key === entry.key && each.version === entry.version));
      expect(intact).toBe(true);
    }
  }

  it(`answers ${CASES} random queries and counts as the JavaScript oracle does`, async () => {
    expect(BATCHES * CASES_PER_BATCH).toBeGreaterThanOrEqual(Math.min(CASES, 10_000));
    for (let batch = 0; batch < BATCHES; batch++) await runBatch(batch);
    expect(telling).toBeGreaterThan(CASES / 4);
  }, 20 * 60_000);

  it('returns the values, metadata and keys of random documents as they were given', async () => {
    const random = new Random(seed);
    const given = documents(random, 2000);
    await store.setMany(given, { namespace: 'given' });
    const stored = new Map((await store.query([], { namespace: 'given' })).map((entry) => [entry.key, entry]));
    for (const { key, value, metadata } of given) {
      const entry = stored.get(key);
      expect(JSON.stringify(entry.value)).toBe(JSON.stringify(value));
      expect(JSON.stringify(entry.metadata)).toBe(JSON.stringify(metadata ?? {}));
    }
    expect(stored.size).toBe(given.length);
  });

  it('is judged by an oracle whose String() is that of JavaScript', () => {
    const random = new Random(seed);
    const values = documents(random, 500).map(({ value }) => JSON.parse(JSON.stringify(value)));
    const plain = values.filter((value) => !JSON.stringify(value).includes('toString') && !JSON.stringify(value).includes('valueOf'));
    expect(plain.length).toBeGreaterThan(100);
    for (const value of plain) expect(textOf(value)).toBe(String(value));
  });
});
