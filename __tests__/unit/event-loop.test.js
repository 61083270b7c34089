// What is owed to the rest of the program: turns of the event loop, and order.

import { open } from '../../lib/index.js';
import { longestGap } from '../helpers/event-loop.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();

describe('the event loop', () => {
  let store;
  beforeEach(async () => {
    store = await open({ path: folder.next(), durability: 'normal' });
    await store.setMany(Array.from({ length: 1000 }, (_, i) => ({ key: `k${i}`, value: { i } })));
  });
  afterEach(() => store.close());

  const loops = {
    'awaited gets': (i) => store.get(`k${i % 1000}`),
    'awaited has() and getMetadata()': (i) => (i % 2 === 0 ? store.has(`k${i % 1000}`) : store.getMetadata(`k${i % 1000}`)),
    'awaited sets': (i) => store.set(`k${i % 1000}`, { i }),
  };

  test.each(Object.entries(loops))('turns while a loop of 20,000 %s runs', async (_, call) => {
    const { longest, ticks } = await longestGap(async () => {
      for (let i = 0; i < 20_000; i++) await call(i);
    });
    expect(longest).toBeLessThan(250);
    expect(ticks).toBeGreaterThan(10);
  });

  test('turns while a result of 20 MB is parsed', async () => {
    const value = { text: 'x'.repeat(5000) };
    await store.setMany(Array.from({ length: 4000 }, (_, i) => ({ key: `big${i}`, value })));
    const { longest } = await longestGap(async () => expect((await store.query({ field: 'key', operator: 'startsWith', value: 'big' })).length).toBe(4000));
    expect(longest).toBeLessThan(250);
  });

  test('500 writes at once are answered in the order of the calls', async () => {
    const order = [];
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.set(`new${i % 7}`, i).then(() => order.push(i))));
    expect(order).toEqual(Array.from({ length: 500 }, (_, i) => i));
    const lasts = await store.getMany(Array.from({ length: 7 }, (_, i) => `new${i}`));
    expect([...lasts.values()].sort((a, b) => a - b)).toEqual([493, 494, 495, 496, 497, 498, 499]);
  });

  test('the continuations of 500 writes at once are spread over turns', async () => {
    let done = 0;
    let most = 0;
    let watching = true;
    let before = 0;
    const turn = () => {
      most = Math.max(most, done - before);
      before = done;
      if (watching) setImmediate(turn);
    };
    setImmediate(turn);
    const work = () => {
      done++;
      for (const start = performance.now(); performance.now() - start < 0.05; );
    };
    await Promise.all(Array.from({ length: 500 }, (_, i) => store.set(`k${i}`, { i }).then(work)));
    watching = false;
    expect(done).toBe(500);
    // Requests of 64, each of which takes more than a millisecond here: one when answers arrive, one as a turn begins.
    expect(Math.max(most, done - before)).toBeLessThanOrEqual(128);
  });

  test('writes of different durability keep their order', async () => {
    const levels = ['full', 'normal', 'off'];
    const writes = Array.from({ length: 90 }, (_, i) => store.set('k', i, { durability: levels[i % 3] }));
    const versions = (await Promise.all(writes)).map(({ version }) => version);
    expect([...versions].sort((a, b) => a - b)).toEqual(versions);
    expect(await store.get('k')).toBe(89);
  });

  test('a failing write leaves those around it alone', async () => {
    const writes = Array.from({ length: 300 }, (_, i) => store.set(`w${i}`, i, { ifVersion: i % 10 === 5 ? 999_999 : null }));
    const results = await Promise.allSettled(writes);
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual(results.map((_, i) => i % 10 !== 5));
    expect((await store.list({ prefix: 'w' })).length).toBe(270);
  });

  test('batches, single writes and transactions issued together take effect in order', async () => {
    const calls = [store.set('k', 'a')];
    calls.push(store.setMany([{ key: 'k', value: 'b' }]));
    calls.push(store.deleteMany(['k']));
    calls.push(store.set('k', 'c', { overwrite: false }));
    calls.push(store.transaction(async (tx) => tx.set('k', `${await tx.get('k')}d`)));
    await Promise.all(calls);
    expect(await store.get('k')).toBe('cd');
  });
});
