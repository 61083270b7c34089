import process from 'node:process';
import { open } from '../../lib/index.js';
import { documents } from '../helpers/oracle-cases.js';
import { listKeys } from '../helpers/oracle-filter.js';
import { Random, runSeed } from '../helpers/oracle-random.js';

const seed = runSeed();
const CASES = 3000;

describe('list()', () => {
  let store;
  beforeAll(async () => {
    process.stderr.write(`HYPHA_SEED=${seed}\n`);
    store = await open({ mode: 'memory' });
  });
  afterAll(() => store.close());

  /** Cut out of keys, so that it often matches, and with stars in it. */
  function glob(random, keys) {
    const cut = () => {
      const characters = [...random.pick(keys)];
      const start = random.below(characters.length);
      return characters.slice(random.chance(0.5) ? 0 : start, random.chance(0.5) ? undefined : start + 2).join('');
    };
    return random.pick(['', '*']) + random.some(3, cut).join('*') + random.pick(['', '*', '**']);
  }

  const page = (random, keys) => random.pick([undefined, null, 0, 1, 3, random.below(keys.length + 2), Number.MAX_SAFE_INTEGER]);

  it(`answers ${CASES} random patterns, prefixes, starts and pages as the JavaScript oracle does`, async () => {
    const random = new Random(seed);
    let telling = 0;
    for (const namespace of ['one', 'two', 'three']) {
      const keys = documents(random, 300).map(({ key }) => key);
      await store.setMany(keys.map((key) => ({ key, value: 0 })), { namespace });
      for (let i = 0; i < CASES / 3; i++) {
        const options = { limit: page(random, keys), offset: page(random, keys) };
        if (random.chance(0.6)) options.pattern = glob(random, keys);
        if (random.chance(0.3)) options.prefix = random.pick(keys).slice(0, 1).replace(/[\ud800-\udfff]/, '');
        if (random.chance(0.2)) options.after = random.pick(keys);
        const expected = listKeys(keys, options);
        if (expected.length > 0 && expected.length < keys.length) telling++;
        const actual = await store.list({ namespace, ...options });
        expect({ seed, options, keys: actual }).toEqual({ seed, options, keys: expected });
      }
    }
    expect(telling).toBeGreaterThan(CASES / 5);
  });

  it('gives all keys in the byte order of their UTF-8', async () => {
    const keys = ['\u{10ffff}', '\uffee', 'é', 'e', 'Z', '\0', '\x7f', '\u0800'];
    await store.setMany(keys.map((key) => ({ key, value: 0 })), { namespace: 'order' });
    expect(await store.list({ namespace: 'order' })).toEqual(['\0', 'Z', 'e', '\x7f', 'é', '\u0800', '\uffee', '\u{10ffff}']);
  });
});
