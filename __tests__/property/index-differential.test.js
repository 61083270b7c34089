// Random queries with and without indexes against the plain JavaScript oracle: an index may change nothing but the time
// an answer takes. HYPHA_SEED repeats a run, HYPHA_CASES sets its length.

import process from 'node:process';
import { inspect } from 'node:util';
import { open } from '../../lib/index.js';
import { documents, filter, NAMES, queryOptions, scalar, termOn } from '../helpers/oracle-cases.js';
import { answer } from '../helpers/oracle-filter.js';
import { Random, runSeed } from '../helpers/oracle-random.js';

const seed = runSeed();
const CASES = Number(process.env.HYPHA_CASES ?? 3_000);
// A long run asks more of each set of entries and indexes, and walks pages for fewer of them: those take most of the time.
const LONG = CASES > 10_000;
const CASES_PER_BATCH = LONG ? 100 : 30;
const PAGED = LONG ? 20 : 3;
const BATCHES = Math.ceil(CASES / CASES_PER_BATCH);
const RESERVED = ['key', 'value', '$key', '$value'];

const show = (value) => inspect(value, { depth: 20, maxStringLength: 400, maxArrayLength: 80 });
/** The oracle's answer, kept while the entries are the same. */
function expectedOf(each, entries) {
  if (each.entries !== entries) Object.defineProperties(each, { entries: { value: entries, writable: true }, expected: { value: answer(entries, each.tree, each.options), writable: true } });
  return each.expected;
}

const keysOf = (entries) => entries.map(({ key }) => key);

/** A few names get most of the values, so that indexes on them have something to order. */
const HOT = ['a', 'b', 'n', '😀', "it's", 'x AND hypha_match(y', ' FROM  ORDER BY "'];

function indexField(random) {
  const names = random.chance(0.7) ? HOT : NAMES.filter((name) => !RESERVED.includes(name));
  const name = random.pick(names);
  const kind = random.below(10);
  if (kind < 6) return random.chance(0.5) ? name : { field: name };
  if (kind < 8) return { path: [name, ...random.some(1, () => random.pick([...HOT, '0', 'length']))] };
  return { metadata: name };
}

const placeOf = (field) => (typeof field === 'string' ? { field } : field);

/** Entries that share values, hold null above metadata, and differ in kind under one name. */
function crowd(random, count) {
  const pool = random.some(12, () => scalar(random));
  const one = () => random.pick([...pool, null, 0, -0, 1, true, false, '', [1], {}, '\ud800', 'x'.repeat(300)]);
  const props = () => Object.fromEntries(random.some(4, () => [random.pick(HOT), random.chance(0.1) ? { a: one(), 0: one() } : one()]));
  return documents(random, count).map((entry) => {
    if (random.chance(0.3)) return entry;
    const value = random.chance(0.95) ? props() : one();
    return random.chance(0.4) ? { key: entry.key, value, metadata: props() } : { key: entry.key, value };
  });
}

/** A filter and sort that an index on these fields may serve, or any. */
function makeCase(random, entries, fields) {
  if (random.chance(0.25)) return { tree: filter(random, entries), options: queryOptions(random, entries) };
  const place = () => (random.chance(0.85) ? placeOf(random.pick(fields)) : { field: random.pick(HOT) });
  const terms = random.some(3, () => {
    if (random.chance(0.35)) return { ...place(), operator: 'eq', value: random.pick([scalar(random), 0, 1, true, '', null]) };
    return random.chance(0.1) ? filter(random, entries, 1) : termOn(random, entries, place());
  });
  const options = queryOptions(random, entries);
  if (random.chance(0.7)) options.sort = { ...place(), order: random.pick(['asc', 'desc']) };
  if (random.chance(0.5)) options.limit = random.between(1, 12);
  return { tree: terms.length === 1 && random.chance(0.5) ? terms[0] : terms, options };
}

describe('indexes', () => {
  let store;
  const tally = { indexed: 0, ordered: 0, pages: 0, indexes: 0, unique: 0, telling: 0 };
  beforeAll(async () => {
    process.stderr.write(`HYPHA_SEED=${seed} HYPHA_CASES=${CASES}\n`);
    store = await open({ mode: 'memory', limits: { queryTimeout: 10 * 60_000 } }); // a machine may be very busy
  });
  afterAll(async () => {
    process.stderr.write(`${JSON.stringify(tally)}\n`);
    await store.close();
  });

  const namespace = 'mine';
  const load = () => store.query(null, { namespace });

  function check(label, { tree, options }, indexes, expected, actual) {
    if (JSON.stringify(expected) === JSON.stringify(actual)) return;
    throw new Error([`HYPHA_SEED=${seed}, ${label}`, `filter ${show(tree)}`, `options ${show(options)}`, `indexes ${show(indexes)}`,
      `expected ${show(expected)}`, `answered ${show(actual)}`].join('\n'));
  }

  async function ask(label, each, indexes, entries) {
    const expected = expectedOf(each, entries);
    if (expected.total > 0 && expected.total < entries.length) tally.telling++;
    const [found, total] = await Promise.all([store.query(each.tree, { namespace, ...each.options }), store.count({ namespace, filter: each.tree })]);
    check(label, each, indexes, expected.keys, keysOf(found));
    check(`${label}, count`, each, indexes, expected.total, total);
  }

  /** What the plan says it did; it has to agree with what query() gives. */
  async function explained(label, each, indexes, entries) {
    const how = await store.explain(each.tree, { namespace, ...each.options });
    if (each.options.limit === 0) return;
    if (how.index !== null) tally.indexed++;
    if (how.index !== null && how.order === 'by the plan') tally.ordered++;
    check(`${label}, explain`, each, indexes, expectedOf(each, entries).keys.length, how.returned);
  }

  async function createIndexes(random) {
    const made = [];
    for (let i = random.between(1, 4); i > 0; i--) {
      const fields = random.chance(0.6) ? indexField(random) : Array.from({ length: random.between(2, 3) }, () => indexField(random));
      const unique = random.chance(0.15);
      try {
        await store.createIndex(namespace, fields, unique ? { unique } : undefined);
        made.push(fields);
        tally.indexes++;
        if (unique) tally.unique++;
      } catch (error) {
        // The data has duplicates, or the same fields were indexed the other way.
        if (!['HYPHA_CONSTRAINT', 'HYPHA_EXISTS'].includes(error.code)) throw error;
      }
    }
    return made;
  }

  /** Writes that change neither which of the given entries match nor how they sort. */
  async function disturb(random, entries, each, round) {
    const key = `${random.pick(['', 'a', '😀', '~'])}extra:${random.below(6)}`;
    const [like] = crowd(random, 1);
    // A unique index may refuse it.
    await store.set(key, like.value, { namespace, metadata: like.metadata ?? {} }).catch((error) => expect(error.code).toBe('HYPHA_CONSTRAINT'));
    if (round % 3 === 0) await store.delete(`aextra:${random.below(6)}`, { namespace });
    if (JSON.stringify(each).includes('"system"')) return;
    const same = random.pick(entries);
    await store.set(same.key, same.value, { namespace });
  }

  async function pages(label, random, each, indexes, entries, mayIndex = true) {
    const sort = each.options.sort;
    const expected = answer(entries, each.tree, { sort }).keys;
    const limit = Math.max(random.pick([1, 2, 3, 7, 20, entries.length, expected.length || 1]), Math.ceil(expected.length / 25));
    const busy = random.chance(0.3);
    const got = [];
    let after;
    for (let round = 0; round === 0 || after !== undefined; round++) {
      const page = await store.page(each.tree, { namespace, limit, sort, after });
      expect(page.entries.length).toBeLessThanOrEqual(limit);
      if (page.cursor !== undefined) expect(page.entries).toHaveLength(limit);
      got.push(...keysOf(page.entries));
      after = page.cursor;
      tally.pages++;
      if (busy && round < 40) await disturb(random, entries, each, round);
      if (busy && mayIndex && round === 2 && random.chance(0.3)) await createIndexes(random).then((made) => indexes.push(...made));
      expect(round).toBeLessThan(10 * entries.length + 400);
    }
    check(`${label}, pages of ${limit}${busy ? ' with writes between' : ''}`, each, indexes, expected, got.filter((key) => !key.includes('extra:')));
    if (busy) await store.deleteMany((await store.list({ namespace, pattern: '*extra:*' })), { namespace });
    return busy;
  }

  async function iterators(label, random, each, indexes, entries) {
    const { sort } = each.options;
    const expected = answer(entries, each.tree, { sort }).keys;
    const batch = random.pick([5, 50, 1 + Math.ceil(expected.length / 9)]);
    const walked = [];
    for await (const { key } of store.queryIterator(each.tree, { namespace, sort, batch })) walked.push(key);
    check(`${label}, queryIterator(batch ${batch})`, each, indexes, expected, walked);
    const prefix = random.pick(['a', 'k:', '😀', '']);
    const all = [];
    for await (const { key } of store.entries({ namespace, prefix, filter: each.tree, batch })) all.push(key);
    check(`${label}, entries(${show(prefix)})`, each, indexes, answer(entries, each.tree, {}).keys.filter((key) => key.startsWith(prefix)), all);
  }

  async function partition(label, each, indexes, entries) {
    const [yes, no] = await Promise.all([each.tree, { not: each.tree }].map((tree) => store.count({ namespace, filter: tree })));
    check(`${label}, p and not p`, each, indexes, entries.length, yes + no);
  }

  async function runBatch(batch) {
    const random = new Random(seed + batch * 7919);
    await store.clear();
    const given = crowd(random, random.pick([20, 50, 70, 110, 220]));
    expect((await store.setMany(given, { namespace })).outcomes.filter(({ ok }) => !ok)).toEqual([]);
    if (random.chance(0.3)) await store.setMany(documents(random, 200), { namespace: 'other' });
    let entries = await load();
    const fields = Array.from({ length: 3 }, () => indexField(random));
    const cases = Array.from({ length: CASES_PER_BATCH }, () => makeCase(random, entries, fields));
    const labelled = (phase, i) => `batch ${batch}, case ${i}, ${phase}`;
    /** What only reads is asked all at once: half of the time would go into waiting. */
    const all = (phase, indexes, ...checks) =>
      Promise.all(cases.flatMap((each, i) => [ask, ...checks].map((check) => check(labelled(phase, i), each, indexes, entries))));
    await all('no index', []);
    for (const field of fields.slice(0, random.between(0, 2))) await store.createIndex(namespace, field);
    if (random.chance(0.5)) await store.createIndex(namespace, fields);
    const indexes = [...fields, ...(await createIndexes(random))];
    await all('indexed', indexes, explained, partition);
    for (const [i, each] of cases.entries()) {
      if (i % PAGED === 0 && (await pages(labelled('indexed', i), random, each, indexes, entries))) entries = await load();
      if (i % (2 * PAGED) === 1) await iterators(labelled('indexed', i), random, each, indexes, entries);
    }
    // Rows that come, change and go after the index was made.
    const change = crowd(random, 15);
    const errors = (await store.setMany([...change, ...change.slice(0, 5).map(({ key }, i) => ({ key, value: given[i].value }))], { namespace })).outcomes;
    for (const { error } of errors) if (error !== undefined) expect(error.code).toBe('HYPHA_CONSTRAINT');
    await store.deleteMany(given.slice(0, 8).map(({ key }) => key), { namespace });
    entries = await load();
    await all('indexed, after writes', indexes);
    for (const { fields: made } of await store.listIndexes(namespace)) expect(await store.dropIndex(namespace, made)).toBe(true);
    expect(await store.listIndexes(namespace)).toEqual([]);
    await all('dropped', indexes);
    for (const [i, each] of cases.entries()) {
      if (i % (2 * PAGED) === 0 && (await pages(labelled('dropped', i), random, each, indexes, entries, false))) entries = await load();
    }
  }

  it(`change no answer of ${CASES} random queries, counts, pages and iterators`, async () => {
    for (let batch = 0; batch < BATCHES; batch++) await runBatch(batch);
    // Else the test tests nothing.
    expect(tally.telling).toBeGreaterThan(CASES / 2);
    expect(tally.indexed).toBeGreaterThan(CASES / 8);
    expect(tally.ordered).toBeGreaterThan(CASES / 50);
  }, 60 * 60_000);
});
