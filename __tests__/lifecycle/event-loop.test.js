import { performance } from 'node:perf_hooks';
import { open } from '../../lib/index.js';

const ENTRIES = 50_000;
const BATCH = 5_000;

describe('the event loop while a query runs', () => {
  let store;
  beforeAll(async () => {
    store = await open({ mode: 'memory' });
    for (let at = 0; at < ENTRIES; at += BATCH) {
      const batch = Array.from({ length: BATCH }, (_, i) => ({ key: `key-${at + i}`, value: { n: at + i, text: `text of ${at + i} `.repeat(8) } }));
      await store.setMany(batch);
    }
  });
  afterAll(() => store.close());

  /** Runs it, and counts the turns of the loop and the timers that fired meanwhile. */
  async function watch(work) {
    let turns = 0;
    let timers = 0;
    let longest = 0;
    let last = performance.now();
    let watching = true;
    const turn = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      turns++;
      if (watching) setImmediate(turn);
    };
    setImmediate(turn);
    const timer = setInterval(() => timers++, 1);
    const startedAt = performance.now();
    const result = await work();
    watching = false;
    clearInterval(timer);
    return { result, turns, timers, longest, took: performance.now() - startedAt };
  }

  it('keeps turning while 50,000 entries are tested, and no turn takes long', async () => {
    const filter = [{ field: 'text', operator: 'contains', value: 'text of 49999 ' }];
    const { result, turns, timers, longest } = await watch(async () => {
      let count = 0;
      for (let i = 0; i < 5; i++) count += await store.count({ filter });
      return count;
    });
    expect(result).toBe(5);
    expect(turns).toBeGreaterThan(50);
    expect(timers).toBeGreaterThanOrEqual(5);
    expect(longest).toBeLessThan(1000);
  });

  it('keeps turning while 50,000 results are parsed, since they come in pieces', async () => {
    const { result, turns, timers, longest } = await watch(() => store.query([]));
    expect(result).toHaveLength(ENTRIES);
    expect(turns).toBeGreaterThan(20);
    expect(timers).toBeGreaterThanOrEqual(5);
    expect(longest).toBeLessThan(1000);
  });
});
