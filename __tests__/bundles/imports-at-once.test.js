// Imports that take longer than busyTimeout, several at once: in one process, and in several.

import { open, openOrLoad } from '../../lib/index.js';
import { loadBundleOnce } from '../../lib/store.js';
import { entryLines, writeBundle } from '../helpers/bundle-text.js';
import { runChild, within } from '../helpers/child-run.js';
import { holdWriteLock } from '../helpers/foreign-sqlite.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();
const LOADER = new URL('./children/loader.js', import.meta.url);
/** Shorter than any import of LONG entries. */
const BUSY_TIMEOUT = 100;
const LONG = 80_000;

const failure = (promise) => promise.then(() => undefined, (error) => error);
const bundleOf = (count) => writeBundle(`${folder.next()}.jsonl`, entryLines(count));

/** Whether a promise is settled, and when. */
function watched(promise) {
  const state = { settledAt: undefined };
  promise.catch(() => {}).finally(() => (state.settledAt = performance.now()));
  return state;
}

describe('importBundle() in one process', () => {
  const opened = [];
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });
  async function openTwo(options = {}) {
    const path = folder.next();
    for (let i = 0; i < 2; i++) opened.push(await open({ path, durability: 'normal', busyTimeout: 60_000, ...options }));
    return opened;
  }
  const update = (store, path, more) => store.importBundle(path, { onConflict: 'update', ...more });

  test('they run in the order of the calls, for as long as it takes, through every store of the file', async () => {
    const [one, two] = await openTwo({ busyTimeout: BUSY_TIMEOUT });
    const [long, other] = [bundleOf(LONG), bundleOf(5)];
    const from = performance.now();
    const first = one.importBundle(long);
    const took = first.then(() => performance.now() - from);
    const results = await Promise.all([first, update(two, other), update(one, long), update(two, other), update(one, other)]);
    expect(await took).toBeGreaterThan(BUSY_TIMEOUT);
    expect(results.map(({ inserted, updated }) => [inserted, updated])).toEqual([[LONG, 0], [0, 5], [0, LONG], [0, 5], [0, 5]]);
    expect(await two.count()).toBe(LONG);
  });

  test('what is issued behind one that stands in line stays behind it, and reads of it wait', async () => {
    const [store] = await openTwo();
    const [long, short] = [bundleOf(LONG), bundleOf(5)];
    const imports = [store.importBundle(long), update(store, short)];
    const writes = [
      store.set('key-00000', 'behind'),
      store.setMany([{ key: 'key-00001', value: 'behind' }]),
      store.set('key-00002', 'behind', { timeout: 60_000 }),
      store.update('key-00003', (value) => ({ was: value })),
      store.delete('key-00004'),
    ];
    const read = store.get('key-00000');
    const listed = store.count();
    const last = [update(store, short, { onConflict: 'skip' }), store.set('key-00001', 'last')];
    expect(await read).toBe('behind');
    expect([LONG - 1, LONG]).toContain(await listed);
    const [, , { inserted, skipped }] = await Promise.all([...imports, last[0]]);
    await Promise.all([...writes, ...last]);
    expect([inserted, skipped]).toEqual([1, 4]);
    const keys = ['key-00000', 'key-00001', 'key-00002', 'key-00003', 'key-00004'];
    expect([...(await store.getMany(keys)).values()]).toEqual(['behind', 'last', 'behind', { was: { n: 3 } }, { n: 4 }]);
  });

  test('one that stands in line ends by its signal and its timeout, and those behind it go on', async () => {
    const [one, two] = await openTwo();
    const [long, short] = [bundleOf(LONG), bundleOf(5)];
    const first = one.importBundle(long);
    const running = watched(first);
    const stop = new AbortController();
    const aborted = failure(update(two, short, { signal: stop.signal }));
    const late = failure(update(one, short, { timeout: 1 }));
    const write = one.set('key-00000', 'behind the late one');
    const behind = update(two, short);
    stop.abort();
    expect(await aborted).toMatchObject({ code: 'HYPHA_ABORTED' });
    expect(await late).toMatchObject({ code: 'HYPHA_TIMEOUT' });
    expect(running.settledAt).toBeUndefined();
    expect(await first).toMatchObject({ inserted: LONG });
    expect(await behind).toMatchObject({ updated: 5 });
    await write;
    expect(await one.importBundle(short, { onConflict: 'skip' })).toMatchObject({ skipped: 5 });
  });

  test('close() ends one that stands in line, after which come the writes behind it, and no import of another store', async () => {
    const [one, two] = await openTwo();
    const [long, short] = [bundleOf(LONG), bundleOf(5)];
    const first = one.importBundle(long);
    const waiting = [failure(update(two, short)), failure(update(two, short))];
    const write = two.set('written', 'before close()');
    const begun = failure(two.beginTransaction());
    const closing = within('close', two.close(), 60_000);
    expect(await Promise.all(waiting)).toEqual([expect.objectContaining({ code: 'HYPHA_CLOSED' }), expect.objectContaining({ code: 'HYPHA_CLOSED' })]);
    await closing;
    expect(await write).toMatchObject({ version: expect.any(Number) });
    expect(await begun).toMatchObject({ code: 'HYPHA_CLOSED' });
    expect(await first).toMatchObject({ inserted: LONG });
    expect(await one.get('written')).toBe('before close()');
  });

  test('one that stands in line keeps nobody from the writer', async () => {
    const [one, two] = await openTwo();
    const short = bundleOf(5);
    const tx = await one.beginTransaction();
    const imports = [update(one, short), update(one, short), update(two, short)];
    await tx.set('in', 'the transaction'); // with two in line behind it
    const written = two.set('by', 'the other store'); // whose import stands in line
    await tx.commit();
    await written;
    expect((await Promise.all(imports)).map(({ inserted }) => inserted)).toEqual([5, 0, 0]);
    expect(await two.getMany(['in', 'by'])).toEqual(new Map([['in', 'the transaction'], ['by', 'the other store']]));
  });

  test('a transaction behind one that stands in line begins after it, or fails after busyTimeout', async () => {
    const busyTimeout = 20;
    const [impatient] = await openTwo({ busyTimeout });
    const [long, short] = [bundleOf(LONG), bundleOf(5)];
    const imports = [impatient.importBundle(long), update(impatient, short)];
    const from = performance.now();
    expect(await failure(impatient.beginTransaction())).toMatchObject({ code: 'HYPHA_BUSY' });
    expect(performance.now() - from).toBeGreaterThanOrEqual(busyTimeout - 1);
    await Promise.allSettled(imports); // so short a time may be too short for a machine that is busy
    opened.push(await open({ path: folder.next(), busyTimeout: 60_000 }));
    const patient = opened.at(-1);
    const done = [patient.importBundle(long), update(patient, short)];
    const seen = await patient.transaction((tx) => tx.get('key-00000'));
    expect(seen).toEqual({ n: 0 });
    await Promise.all(done);
  });

  test('what waits behind one counts against the limits of the queue', async () => {
    const [store] = await openTwo({ limits: { queueOperations: 5000 } }); // an import needs some itself
    const many = (count) => store.setMany(Array.from({ length: count }, (_, i) => ({ key: `${i}`, value: 1 })), { atomic: true });
    const imports = [store.importBundle(bundleOf(LONG)), update(store, bundleOf(5))];
    const most = many(4000);
    expect(await failure(many(1001))).toMatchObject({ code: 'HYPHA_QUEUE_FULL' });
    await Promise.all([...imports, most]);
    await many(4000);
  });
});

describe('openOrLoad()', () => {
  const options = { durability: 'normal', busyTimeout: BUSY_TIMEOUT };

  test('several in one process load once, however long it takes', async () => {
    const [path, bundle] = [folder.next(), bundleOf(LONG)];
    const stores = await Promise.all([1, 2, 3].map(() => openOrLoad(path, bundle, options)));
    expect(await Promise.all(stores.map((store) => store.count()))).toEqual([LONG, LONG, LONG]);
    expect((await stores[0].getEntry('key-00000')).version).toBe((await stores[2].getEntry('key-00000')).version);
    for (const store of stores) await store.close();
  });

  test('of several processes one loads, and the others wait for it longer than busyTimeout', async () => {
    const [path, bundle] = [folder.next(), bundleOf(2 * LONG)];
    await (await open({ path })).close(); // open() itself waits no longer than busyTimeout for those who make the file
    const children = await Promise.all([1, 2, 3].map(() => runChild(LOADER, { path, bundle, busyTimeout: BUSY_TIMEOUT }, { deadline: 90_000 })));
    expect(children.map(({ code, data, stderr }) => [code, data, stderr])).toEqual(children.map(() => [0, [2 * LONG], '']));
  }, 100_000);

  test('waits for another process as long as timeout says', async () => {
    const [path, bundle] = [folder.next(), bundleOf(3)];
    await (await open({ path })).close();
    await holdWriteLock(path, async () => {
      const from = performance.now();
      expect(await failure(openOrLoad(path, bundle, { ...options, timeout: 400 }))).toMatchObject({ code: 'HYPHA_TIMEOUT' });
      expect(performance.now() - from).toBeGreaterThanOrEqual(399);
      const stop = new AbortController();
      setTimeout(() => stop.abort(), 3 * BUSY_TIMEOUT);
      expect(await failure(openOrLoad(path, bundle, { ...options, signal: stop.signal }))).toMatchObject({ code: 'HYPHA_ABORTED' });
    });
    const store = await openOrLoad(path, bundle, options);
    expect(await store.count()).toBe(3);
    await store.close();
  });

  test('without a timeout its patience ends as well, with HYPHA_BUSY, and close() ends it before', async () => {
    const [path, bundle] = [folder.next(), bundleOf(3)];
    const store = await open({ path, ...options });
    await holdWriteLock(path, async () => {
      const from = performance.now();
      expect(await failure(store[loadBundleOnce](bundle, {}, 300))).toMatchObject({ code: 'HYPHA_BUSY' });
      expect(performance.now() - from).toBeGreaterThanOrEqual(299);
      const waiting = failure(store[loadBundleOnce](bundle, {}));
      await new Promise((resolve) => setTimeout(resolve, 2 * BUSY_TIMEOUT));
      await within('close', store.close());
      expect(await waiting).toMatchObject({ code: 'HYPHA_CLOSED' });
    });
  });
});
