// A backup taken while writes go on, restored elsewhere, is one of the states that the store went through.
import { open, restore } from '../../lib/index.js';
import { useFolder } from '../helpers/folders.js';
import { Random, runSeed } from '../helpers/oracle-random.js';

const folder = useFolder();
const ROUNDS = 6;
const KEYS = 40;

/** Every request changes some key and says its number in `seq`: the model's states are found by it. */
class Load {
  states = [new Map()];
  #random;
  #store;
  #stopped = false;

  constructor(store, random) {
    this.#store = store;
    this.#random = random;
  }

  #next() {
    const number = this.states.length;
    const state = new Map(this.states.at(-1));
    const request = this.#store.atomic().set('seq', number);
    for (let changes = 1 + this.#random.below(4); changes > 0; changes--) {
      const key = `k${this.#random.below(KEYS)}`;
      if (this.#random.below(3) === 0) {
        request.delete(key);
        state.delete(key);
      } else {
        const value = { number, text: 'x'.repeat(this.#random.below(300)) };
        request.set(key, value);
        state.set(key, value);
      }
    }
    state.set('seq', number);
    this.states.push(state);
    return request.commit();
  }

  async run() {
    while (!this.#stopped) {
      const answers = await Promise.all(Array.from({ length: 8 }, () => this.#next()));
      for (const answer of answers) if (!answer.ok) throw new Error('a request conflicted');
    }
  }

  stop() {
    this.#stopped = true;
  }
}

test('backup, restore and the model agree, whatever is written meanwhile', async () => {
  const seed = runSeed();
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const store = await open({ path: folder.next(), durability: 'normal' });
  const load = new Load(store, random);
  const running = load.run();
  const seen = [];
  for (let round = 0; round < ROUNDS; round++) {
    const copy = folder.next();
    const restored = folder.next();
    const before = load.states.length - 1; // issued before the backup: all of it is in
    const made = await store.backup(copy);
    expect((await restore(copy, restored)).contentHash).toBe(made.contentHash);
    const again = await open({ path: restored });
    const entries = await again.query([]);
    const seq = (await again.get('seq')) ?? 0;
    seen.push(seq);
    expect(seq).toBeGreaterThanOrEqual(before);
    expect(new Map(entries.map(({ key, value }) => [key, value]))).toEqual(load.states[seq]);
    expect(await again.verify()).toEqual({ ok: true, problems: [] });
    await again.close();
  }
  load.stop();
  await running;
  await store.close();
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(new Set(seen).size).toBe(ROUNDS); // writes did go on between them
}, 60_000);
