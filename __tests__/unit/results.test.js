import { parseChunks, parseStrings, toEntry, toMap } from '../../lib/results.js';

describe('results of the addon', () => {
  test('an entry gets its own value and metadata, {} when there is none', () => {
    expect(toEntry('k', ['{"a":1}', '{"m":1}', 1, 2, 3])).toEqual({ key: 'k', value: { a: 1 }, metadata: { m: 1 }, createdAt: 1, updatedAt: 2, version: 3 });
    expect(toEntry('k', ['null', undefined, 1, 2, 3])).toEqual({ key: 'k', value: null, metadata: {}, createdAt: 1, updatedAt: 2, version: 3 });
  });

  test('values of many keys land at the keys that are present, in the order asked', () => {
    expect([...toMap(['a', 'b', 'c'], [1, null], '101')]).toEqual([['a', 1], ['c', null]]);
    expect([...toMap(['a', 'a', 'b'], [1, 1, 2], '111')]).toEqual([['a', 1], ['b', 2]]);
    expect([...toMap(['a', 'b'], [], '00')]).toEqual([]);
    expect([...toMap([], [], '')]).toEqual([]);
  });

  test('duplicates of a key are values of their own only in the last place', () => {
    const map = toMap(['a', 'b', 'a'], [{ n: 1 }, { n: 2 }, { n: 1 }], '111');
    expect([...map.keys()]).toEqual(['a', 'b']);
    expect(map.get('a')).not.toBe(map.get('b'));
  });

  test('parts of a long list are joined in order, in slices of a turn each', async () => {
    let turns = 0;
    const nextTurn = async () => { turns++; };
    expect(await parseChunks([], nextTurn)).toEqual([]);
    expect(await parseChunks(['["a","b"]'], nextTurn)).toEqual(['a', 'b']);
    expect(turns).toBe(0);
    // Each takes longer to parse than a slice lasts.
    const long = JSON.stringify(Array.from({ length: 200_000 }, (_, i) => i));
    const all = await parseChunks([long, '["b","c"]', long], nextTurn);
    expect([all.length, all[200_000], all[200_001], all[400_001]]).toEqual([400_002, 'b', 'c', 199_999]);
    expect(turns).toBeGreaterThanOrEqual(1);
    expect(turns).toBeLessThanOrEqual(2);
  });

  test('strings are cut from texts without an escape, and parsed from others', async () => {
    const nextTurn = async () => {};
    for (const list of [['a'], ['', ''], ['a', '', 'b'], ['a"b', 'c'], ['\u{1F600}', '\u00e9'], ['x'.repeat(300)], ['a\nb', '\\']]) {
      expect(await parseStrings([JSON.stringify(list), '["last"]'], nextTurn)).toEqual([...list, 'last']);
    }
    expect(await parseStrings([], nextTurn)).toEqual([]);
  });
});
