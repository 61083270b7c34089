// The contract: getMany, setMany, deleteMany.

import assert from 'node:assert/strict';
import { INVALID_KEYS, checkError, fails, ok, pairs } from '../../helpers/outcomes.js';

const NOT_ITERABLE = [undefined, null, 5, true, {}, () => []];

function* each(...items) {
  yield* items;
}

const fill = (b, ...keys) => Promise.all(keys.map((key) => ok(b.set(key, { of: key }))));

export const batchCases = {
  'getMany() answers a Map in the order asked, duplicates once': async (b) => {
    await fill(b, 'a', 'b', 'c');
    const result = await ok(b.getMany(['c', 'a', 'c', 'b', 'a']));
    assert.deepEqual(Object.keys(result).sort(), ['data', 'success']);
    assert.deepEqual(pairs(result.data), [['c', { of: 'c' }], ['a', { of: 'a' }], ['b', { of: 'b' }]]);
  },
  'getMany() takes any iterable and reads it once': async (b) => {
    await fill(b, 'a', 'b');
    assert.deepEqual([...(await ok(b.getMany(new Set(['b', 'a'])))).data.keys()], ['b', 'a']);
    assert.deepEqual([...(await ok(b.getMany(each('a', 'b')))).data.keys()], ['a', 'b']);
    assert.deepEqual([...(await ok(b.getMany(new Map([['a', 1]]).keys()))).data.keys()], ['a']);
    assert.deepEqual(pairs((await ok(b.getMany([]))).data), []);
  },
  'getMany() gives what it found in data and the rest in errors': async (b) => {
    await fill(b, 'a', 'c');
    const result = await b.getMany(['x', 'c', 'y', 'a', 'x'], { namespace: 'default' });
    assert.equal(result.success, false);
    assert.ok(!('error' in result));
    assert.deepEqual([...result.data.keys()], ['c', 'a']);
    assert.deepEqual([...result.errors.keys()], ['x', 'y']);
    for (const [key, error] of result.errors) checkError(error, 'HYPHA_NOT_FOUND', `Key "${key}" not found in namespace "default"`);
  },
  'getMany() reports keys that are none in errors beside those it found': async (b) => {
    await fill(b, 'a');
    const result = await b.getMany(['', 'a', 5]);
    assert.equal(result.success, false);
    assert.deepEqual(pairs(result.data), [['a', { of: 'a' }]]);
    assert.deepEqual([...result.errors.keys()], ['', 5]);
    for (const error of result.errors.values()) checkError(error, 'HYPHA_INVALID_KEY', 'key must be a non-empty string');
  },
  'getMany() of what is not iterable fails with an empty Map': async (b) => {
    for (const keys of NOT_ITERABLE) {
      const result = await fails(b.getMany(keys), 'HYPHA_INVALID_ARGUMENT');
      assert.deepEqual(pairs(result.data), []);
    }
  },
  'getMany() takes the keys at the call': async (b) => {
    await fill(b, 'a', 'b');
    const keys = ['a', 'b'];
    const reading = b.getMany(keys);
    keys[0] = 'z';
    keys.length = 1;
    assert.deepEqual(pairs((await ok(reading)).data), [['a', { of: 'a' }], ['b', { of: 'b' }]]);
  },
  'getMany() of more keys than are read in line answers alike': async (b) => {
    const keys = Array.from({ length: 1500 }, (_, i) => `k${i}`);
    await ok(b.setMany(keys.map((key, i) => ({ key, value: i }))));
    const shuffled = keys.toReversed();
    const { data } = await ok(b.getMany(shuffled));
    assert.deepEqual(pairs(data), shuffled.map((key) => [key, Number(key.slice(1))]));
    const partly = await b.getMany([...shuffled, 'absent']);
    assert.equal(partly.success, false);
    assert.equal(partly.data.size, 1500);
    assert.deepEqual([...partly.errors.keys()], ['absent']);
  },
  'getMany() reads one snapshot: it never sees half of a batch': async (b) => {
    const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
    const write = (n) => b.setMany(keys.map((key) => ({ key, value: n })));
    await ok(write(0));
    const writing = (async () => {
      for (let n = 1; n <= 20; n++) await ok(write(n));
    })();
    for (let i = 0; i < 40; i++) {
      const { data } = await ok(b.getMany(keys));
      assert.equal(new Set(data.values()).size, 1);
    }
    await writing;
  },
  'setMany() answers a result for each key, in order': async (b) => {
    const result = await ok(b.setMany([{ key: 'b', value: 1 }, { key: 'a', value: 2 }]));
    assert.deepEqual(pairs(result.results), [['b', { success: true }], ['a', { success: true }]]);
    assert.deepEqual(pairs((await ok(b.getMany(['a', 'b']))).data), [['a', 2], ['b', 1]]);
  },
  'setMany() takes any iterable, an empty one too': async (b) => {
    assert.deepEqual(pairs((await ok(b.setMany([]))).results), []);
    await ok(b.setMany(each({ key: 'a', value: 1 })));
    await ok(b.setMany(new Set([{ key: 'b', value: 1 }])));
    assert.deepEqual((await ok(b.list())).keys, ['a', 'b']);
  },
  'setMany() lets an entry\'s own options win over those of the batch': async (b) => {
    const entries = [
      { key: 'a', value: 1 },
      { key: 'b', value: 2, options: { namespace: 'own', metadata: { from: 'entry' } } },
      { key: 'c', value: 3, options: {} },
      { key: 'd', value: 4, options: null },
    ];
    await ok(b.setMany(entries, { namespace: 'batch', metadata: { from: 'batch' } }));
    assert.deepEqual((await ok(b.list({ namespace: 'batch' }))).keys, ['a', 'c', 'd']);
    assert.deepEqual((await ok(b.getMetadata('a', { namespace: 'batch' }))).metadata, { from: 'batch' });
    assert.deepEqual((await ok(b.getMetadata('b', { namespace: 'own' }))).metadata, { from: 'entry' });
  },
  'setMany() keeps the good entries and reports the failed ones': async (b) => {
    await ok(b.set('present', 'old'));
    const result = await b.setMany([
      { key: 'good', value: 1 },
      { key: '', value: 2 },
      { key: 'bad', value: 1n },
      { key: 'present', value: 'new', options: { overwrite: false } },
      { key: 'last', value: 3 },
    ]);
    assert.equal(result.success, false);
    assert.ok(Array.isArray(result.errors));
    assert.deepEqual(result.errors.map(({ code }) => code), ['HYPHA_INVALID_KEY', 'HYPHA_INVALID_VALUE', 'HYPHA_EXISTS']);
    for (const error of result.errors) assert.ok(error instanceof Error);
    assert.deepEqual(pairs(result.results).map(([key, { success }]) => [key, success]), [['good', true], ['', false], ['bad', false], ['present', false], ['last', true]]);
    checkError(result.results.get('present').error, 'HYPHA_EXISTS', 'Key "present" already exists in namespace "default"');
    assert.deepEqual((await ok(b.list())).keys, ['good', 'last', 'present']);
    assert.equal((await ok(b.get('present'))).data, 'old');
  },
  'setMany() reports entries that are no entries': async (b) => {
    const result = await b.setMany([null, 5, 'text', undefined, { key: 'good', value: 1 }, {}, ...INVALID_KEYS.map((key) => ({ key, value: 1 }))]);
    assert.equal(result.success, false);
    assert.equal(result.errors.length, 5 + INVALID_KEYS.length);
    assert.equal(result.outcomes.length, 6 + INVALID_KEYS.length);
    assert.deepEqual((await ok(b.list())).keys, ['good']);
  },
  'setMany() honours overwrite:false for the batch': async (b) => {
    await ok(b.set('a', 'old'));
    const result = await b.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 2 }, { key: 'b', value: 3 }, { key: 'a', value: 4, options: { overwrite: true } }], { overwrite: false });
    assert.deepEqual(result.outcomes.map(({ success }) => success), [false, true, false, true]);
    assert.deepEqual(pairs((await ok(b.getMany(['a', 'b']))).data), [['a', 4], ['b', 2]]);
  },
  'setMany() with atomic:true writes all or nothing, and claims nothing that was rolled back': async (b) => {
    await ok(b.set('present', 'old'));
    const entries = [{ key: 'a', value: 1 }, { key: 'present', value: 2, options: { overwrite: false } }, { key: 'b', value: 3 }];
    const result = await b.setMany(entries, { atomic: true });
    assert.equal(result.success, false);
    assert.equal((result.error ?? result.errors[0]).code, 'HYPHA_EXISTS');
    for (const { success } of result.results.values()) assert.equal(success, false);
    for (const { success } of result.outcomes ?? []) assert.equal(success, false);
    assert.deepEqual((await ok(b.list())).keys, ['present']);
    assert.equal((await b.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 1n }], { atomic: true })).success, false);
    assert.deepEqual((await ok(b.list())).keys, ['present']);
    await ok(b.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 2 }], { atomic: true }));
    assert.deepEqual((await ok(b.list())).keys, ['a', 'b', 'present']);
  },
  'setMany() keeps two outcomes for one key in two namespaces': async (b) => {
    await ok(b.set('k', 'old', { namespace: 'n1' }));
    const result = await b.setMany([
      { key: 'k', value: 1, options: { namespace: 'n1', overwrite: false } },
      { key: 'k', value: 2, options: { namespace: 'n2', overwrite: false } },
    ]);
    assert.deepEqual(result.outcomes.map(({ key, namespace, success }) => ({ key, namespace, success })), [
      { key: 'k', namespace: 'n1', success: false },
      { key: 'k', namespace: 'n2', success: true },
    ]);
    assert.deepEqual(pairs(result.results), [['k', { success: true }]]);
    assert.equal(result.success, false);
  },
  'setMany() keeps the last of several entries with one key': async (b) => {
    const { results } = await ok(b.setMany([{ key: 'k', value: 1 }, { key: 'other', value: 0 }, { key: 'k', value: 2 }]));
    assert.deepEqual([...results.keys()], ['k', 'other']);
    assert.equal((await ok(b.get('k'))).data, 2);
  },
  'setMany() takes values at the call': async (b) => {
    const entries = [{ key: 'k', value: { n: 1 } }];
    const writing = b.setMany(entries);
    entries[0].value.n = 2;
    entries[0].key = 'changed';
    entries.push({ key: 'more', value: 1 });
    await ok(writing);
    assert.deepEqual((await ok(b.list())).keys, ['k']);
    assert.deepEqual((await ok(b.get('k'))).data, { n: 1 });
  },
  'setMany() of what is not iterable fails with an empty Map': async (b) => {
    for (const entries of NOT_ITERABLE) {
      const result = await fails(b.setMany(entries), 'HYPHA_INVALID_ARGUMENT');
      assert.deepEqual(pairs(result.results), []);
    }
  },
  'setMany() of 10,000 entries is one batch, followed at once by reads': async (b) => {
    const writing = b.setMany(Array.from({ length: 10_000 }, (_, i) => ({ key: `k${i}`, value: { i } })));
    assert.deepEqual((await ok(b.get('k9999'))).data, { i: 9999 });
    assert.equal((await ok(b.count())).count, 10_000);
    assert.equal((await ok(writing)).results.size, 10_000);
  },
  'a batch keeps its place among single writes': async (b) => {
    const calls = [b.set('k', 1), b.setMany([{ key: 'k', value: 2 }]), b.set('k', 3), b.deleteMany(['k']), b.set('k', 4, { overwrite: false })];
    for (const call of calls) await ok(call);
    assert.equal((await ok(b.get('k'))).data, 4);
  },
  'deleteMany() counts missing keys as success': async (b) => {
    await fill(b, 'a', 'b', 'c');
    const result = await ok(b.deleteMany(['b', 'missing', 'a', 'b']));
    assert.deepEqual(pairs(result.results), [['b', { success: true }], ['missing', { success: true }], ['a', { success: true }]]);
    assert.deepEqual((await ok(b.list())).keys, ['c']);
    assert.deepEqual(pairs((await ok(b.deleteMany(each('c')))).results), [['c', { success: true }]]);
    assert.deepEqual(pairs((await ok(b.deleteMany([]))).results), []);
  },
  'deleteMany() reports keys that are none and deletes the rest': async (b) => {
    await fill(b, 'a', 'b');
    const result = await b.deleteMany(['a', '', 5, 'b']);
    assert.equal(result.success, false);
    assert.deepEqual(pairs(result.results).map(([key, { success }]) => [key, success]), [['a', true], ['', false], [5, false], ['b', true]]);
    assert.deepEqual((await ok(b.list())).keys, []);
  },
  'deleteMany() of what is not iterable fails with an empty Map': async (b) => {
    for (const keys of NOT_ITERABLE) {
      const result = await fails(b.deleteMany(keys), 'HYPHA_INVALID_ARGUMENT');
      assert.deepEqual(pairs(result.results), []);
    }
  },
  'an iterable that throws makes the batch fail without a rejection': async (b) => {
    const broken = { *[Symbol.iterator]() { yield { key: 'a', value: 1 }; throw new Error('broken iterator'); } };
    for (const method of ['getMany', 'setMany', 'deleteMany']) {
      const result = await b[method](broken);
      assert.equal(result.success, false);
      assert.equal(result.error.message, 'broken iterator');
    }
    assert.deepEqual((await ok(b.list())).keys, []);
  },
};
