// The contract: get, set, delete, has.

import assert from 'node:assert/strict';
import { INVALID_KEY_STRINGS, INVALID_KEYS, INVALID_VALUES, deep, fails, ok } from '../../helpers/outcomes.js';

const get = async (b, key, options) => (await ok(b.get(key, options))).data;

export const entryCases = {
  'get() answers a plain object with the value': async (b) => {
    await ok(b.set('k', { a: 1 }));
    assert.deepEqual(await b.get('k'), { success: true, data: { a: 1 } });
  },
  'get() names the key and the namespace of a missing key': async (b) => {
    await ok(b.set('other', 1, { namespace: 'n' }));
    const result = await fails(b.get('k', { namespace: 'n' }), 'HYPHA_NOT_FOUND', 'Key "k" not found in namespace "n"');
    assert.deepEqual(Object.keys(result).sort(), ['error', 'success']);
    await fails(b.get('k'), 'HYPHA_NOT_FOUND', 'Key "k" not found in namespace "default"');
  },
  'get() says the same of a namespace that does not exist': async (b) => {
    await fails(b.get('k', { namespace: 'never' }), 'HYPHA_NOT_FOUND', 'Key "k" not found in namespace "never"');
  },
  'get() gives a fresh, mutable, unshared value at every call': async (b) => {
    await ok(b.set('k', { list: [1], inner: { x: 1 } }));
    const [first, second] = [await get(b, 'k'), await get(b, 'k')];
    assert.notEqual(first, second);
    assert.notEqual(first.inner, second.inner);
    first.list.push(2);
    first.inner.x = 'changed';
    first.added = true;
    delete first.inner;
    assert.deepEqual(second, { list: [1], inner: { x: 1 } });
    assert.deepEqual(await get(b, 'k'), { list: [1], inner: { x: 1 } });
    assert.ok(!Object.isFrozen(second) && Object.isExtensible(second));
  },
  'get() with includeMetadata adds the metadata, {} when there is none': async (b) => {
    await ok(b.set('with', 1, { metadata: { type: 't' } }));
    await ok(b.set('without', 2));
    assert.deepEqual(await b.get('with', { includeMetadata: true }), { success: true, data: 1, metadata: { type: 't' } });
    assert.deepEqual(await b.get('without', { includeMetadata: true }), { success: true, data: 2, metadata: {} });
    assert.deepEqual(await b.get('with', { includeMetadata: false }), { success: true, data: 1 });
    await fails(b.get('absent', { includeMetadata: true }), 'HYPHA_NOT_FOUND', 'Key "absent" not found in namespace "default"');
  },
  'set() and get() keep every JSON value, null and empty ones too': async (b) => {
    const values = [null, 0, -0.5, 1e300, 5e-324, '', 'text', true, false, [], {}, [null], { a: { b: [1, { c: null }] } }, '\0', 'a\0b', '\ud800', '😀', '"\\/\b\f\n\r\t', deep(900)];
    for (const [i, value] of values.entries()) await ok(b.set(`k${i}`, value));
    for (const [i, value] of values.entries()) assert.deepEqual(await get(b, `k${i}`), value);
  },
  'set() stores what JSON.stringify gives: Date, NaN, toJSON, undefined, boxed and exotic objects': async (b) => {
    class Money {
      constructor(amount) { this.amount = amount; }
      toJSON(key) { return { money: this.amount, key }; }
    }
    const value = {
      date: new Date(0), nan: NaN, inf: [Infinity, -Infinity], minusZero: -0, gone: undefined, fn() {}, [Symbol('s')]: 1,
      list: [undefined, () => 1], money: new Money(5), boxed: [Object(1), Object('s'), Object(false)], map: new Map([[1, 2]]),
      set: new Set([1]), regexp: /x/, typed: new Uint8Array([1, 2]), error: new Error('e'), bare: Object.assign(Object.create(null), { x: 1 }),
    };
    const expected = JSON.parse(JSON.stringify(value));
    await ok(b.set('k', value));
    assert.deepEqual(await get(b, 'k'), expected);
    await ok(b.set('date', new Date(86_400_000)));
    assert.equal(await get(b, 'date'), '1970-01-02T00:00:00.000Z');
    await ok(b.set('nan', NaN));
    assert.equal(await get(b, 'nan'), null);
  },
  'set() answers {success:true} and nothing more': async (b) => {
    assert.deepEqual(await b.set('k', 1), { success: true });
    assert.deepEqual(await b.set('k', 2, { metadata: { a: 1 }, overwrite: true, unknownOption: 1 }), { success: true });
  },
  'set() overwrites by default': async (b) => {
    await ok(b.set('k', 1));
    await ok(b.set('k', 2));
    assert.equal(await get(b, 'k'), 2);
  },
  'set() with overwrite:false refuses a present key and leaves it alone': async (b) => {
    await ok(b.set('k', 1, { namespace: 'n', metadata: { m: 1 }, overwrite: false }));
    await fails(b.set('k', 2, { namespace: 'n', metadata: { m: 2 }, overwrite: false }), 'HYPHA_EXISTS', 'Key "k" already exists in namespace "n"');
    assert.deepEqual(await b.get('k', { namespace: 'n', includeMetadata: true }), { success: true, data: 1, metadata: { m: 1 } });
    await ok(b.set('k', 3, { overwrite: false }));
    await ok(b.delete('k', { namespace: 'n' }));
    await ok(b.set('k', 4, { namespace: 'n', overwrite: false }));
  },
  'set() with overwrite:false lets exactly one of 100 concurrent callers win': async (b) => {
    const results = await Promise.all(Array.from({ length: 100 }, (_, i) => b.set('k', i, { overwrite: false })));
    const winners = results.flatMap((result, i) => (result.success ? [i] : []));
    assert.equal(winners.length, 1);
    assert.equal(await get(b, 'k'), winners[0]);
    for (const [i, result] of results.entries()) if (i !== winners[0]) assert.equal(result.error.code, 'HYPHA_EXISTS');
  },
  'set() replaces metadata that is given and keeps it when none is': async (b) => {
    await ok(b.set('k', 1, { metadata: { a: 1, b: 2 } }));
    await ok(b.set('k', 2, { metadata: { a: 3 } }));
    assert.deepEqual((await ok(b.getMetadata('k'))).metadata, { a: 3 });
    await ok(b.set('k', 3));
    assert.deepEqual((await ok(b.getMetadata('k'))).metadata, { a: 3 });
    await ok(b.set('k', 4, { metadata: {} }));
    assert.deepEqual((await ok(b.getMetadata('k'))).metadata, {});
    assert.equal(await get(b, 'k'), 4);
  },
  'set() refuses metadata that is not a plain object, and writes nothing': async (b) => {
    const circular = {};
    circular.self = circular;
    for (const metadata of [5, 'text', true, [], [1], () => 1, circular, { a: 1n }]) {
      await fails(b.set('k', 1, { metadata }), 'HYPHA_INVALID_VALUE');
    }
    assert.deepEqual(await b.has('k'), { success: true, exists: false });
  },
  'every method of a key refuses what is no key': async (b) => {
    const calls = [
      (key) => b.get(key), (key) => b.set(key, 1), (key) => b.delete(key), (key) => b.has(key),
      (key) => b.getMetadata(key), (key) => b.setMetadata(key, {}), (key) => b.get(key, { includeMetadata: true }),
    ];
    for (const call of calls) {
      for (const key of INVALID_KEYS) await fails(call(key), 'HYPHA_INVALID_KEY', 'key must be a non-empty string');
      for (const key of INVALID_KEY_STRINGS) {
        const isBlank = key.trim() === '';
        await fails(call(key), 'HYPHA_INVALID_KEY', isBlank ? 'key must be a non-empty string' : /surrogate/);
      }
    }
    assert.deepEqual((await ok(b.list())).keys, []);
  },
  'a key may be any other string up to 4 KiB of UTF-8': async (b) => {
    const keys = ['a', '0', ' padded ', 'a\0b', '\0', "'; DROP TABLE hypha_entries; --", '%', '_', '*', '😀', 'é', 'e\u0301', '__proto__', 'x'.repeat(4096), 'é'.repeat(2048)];
    for (const [i, key] of keys.entries()) await ok(b.set(key, i));
    for (const [i, key] of keys.entries()) assert.equal(await get(b, key), i);
    assert.equal((await ok(b.list())).keys.length, keys.length);
    for (const key of ['x'.repeat(4097), 'é'.repeat(2049), '😀'.repeat(1025)]) await fails(b.set(key, 1), 'HYPHA_TOO_LARGE', /keyBytes/);
  },
  'set() refuses what JSON cannot hold, and keeps what was there': async (b) => {
    await ok(b.set('k', 'before'));
    for (const [, value] of INVALID_VALUES) {
      await fails(b.set('k', value), 'HYPHA_INVALID_VALUE');
      await fails(b.set('new', value), 'HYPHA_INVALID_VALUE');
    }
    assert.equal(await get(b, 'k'), 'before');
    assert.deepEqual((await ok(b.list())).keys, ['k']);
  },
  'set() takes value and metadata at the call': async (b) => {
    const value = { n: 1, list: [1] };
    const metadata = { m: 1 };
    const writing = b.set('k', value, { metadata });
    value.n = 2;
    value.list.push(2);
    metadata.m = 2;
    await ok(writing);
    assert.deepEqual(await b.get('k', { includeMetadata: true }), { success: true, data: { n: 1, list: [1] }, metadata: { m: 1 } });
  },
  'an un-awaited set() is seen by every read that is issued after it': async (b) => {
    const writing = [b.set('k', { v: 1 }), b.set('k', { v: 2 }, { metadata: { m: 1 } })];
    const reads = await Promise.all([
      b.get('k'), b.has('k'), b.getMany(['k']), b.list(), b.query({ field: 'v', operator: 'eq', value: 2 }), b.count(), b.getMetadata('k'),
    ]);
    const [got, has, many, listed, queried, counted, metadata] = reads;
    assert.deepEqual(got.data, { v: 2 });
    assert.equal(has.exists, true);
    assert.deepEqual(many.data.get('k'), { v: 2 });
    assert.deepEqual(listed.keys, ['k']);
    assert.equal(queried.results.length, 1);
    assert.equal(counted.count, 1);
    assert.deepEqual(metadata.metadata, { m: 1 });
    for (const write of writing) await ok(write);
  },
  'un-awaited writes of one key take effect in the order of the calls': async (b) => {
    const calls = [b.set('k', 1), b.delete('k'), b.set('k', 2, { overwrite: false }), b.set('k', 3, { overwrite: false })];
    assert.equal(await get(b, 'k'), 2);
    assert.deepEqual((await Promise.all(calls)).map(({ success }) => success), [true, true, true, false]);
    const more = [b.delete('k'), b.set('k', 4), b.has('k')];
    assert.equal((await Promise.all(more))[2].exists, true);
  },
  'a read after an un-awaited write that fails sees the old value': async (b) => {
    await ok(b.set('k', 'old'));
    const refused = b.set('k', 'new', { overwrite: false });
    assert.equal(await get(b, 'k'), 'old');
    await fails(refused, 'HYPHA_EXISTS');
  },
  'delete() succeeds whether the key is there or not': async (b) => {
    await ok(b.set('k', 1, { metadata: { a: 1 } }));
    assert.deepEqual(await b.delete('k'), { success: true });
    assert.deepEqual(await b.delete('k'), { success: true });
    assert.deepEqual(await b.delete('k', { namespace: 'never' }), { success: true });
    assert.deepEqual(await b.has('k'), { success: true, exists: false });
    await ok(b.set('k', 2));
    assert.deepEqual((await ok(b.getMetadata('k'))).metadata, {});
  },
  'has() answers exists, and exists:false beside an error': async (b) => {
    await ok(b.set('k', null));
    assert.deepEqual(await b.has('k'), { success: true, exists: true });
    assert.deepEqual(await b.has('K'), { success: true, exists: false });
    assert.deepEqual(await b.has('k', { namespace: 'never' }), { success: true, exists: false });
    const failed = await fails(b.has(''), 'HYPHA_INVALID_KEY');
    assert.equal(failed.exists, false);
  },
  'a falsy namespace means default, and namespaces do not share keys': async (b) => {
    await ok(b.set('k', 'default'));
    await ok(b.set('k', 'n', { namespace: 'n' }));
    for (const options of [undefined, null, {}, { namespace: '' }, { namespace: null }, { namespace: undefined }, { namespace: 'default' }]) {
      assert.equal(await get(b, 'k', options), 'default');
    }
    assert.equal(await get(b, 'k', { namespace: 'n' }), 'n');
    await ok(b.delete('k', { namespace: 'n' }));
    assert.equal(await get(b, 'k'), 'default');
  },
  'a namespace that is no name is refused by every data method': async (b) => {
    for (const namespace of [5, true, {}, [], ' ', '\ud800', () => 'n']) {
      const options = { namespace };
      const calls = [
        b.get('k', options), b.set('k', 1, options), b.delete('k', options), b.has('k', options), b.getMany(['k'], options), b.deleteMany(['k'], options),
        b.list(options), b.query([], options), b.count(options), b.getMetadata('k', options), b.setMetadata('k', {}, options), b.clear(options),
      ];
      for (const call of calls) assert.equal((await call).success, false);
      for (const result of await Promise.all(calls)) assert.ok(['HYPHA_INVALID_NAMESPACE', 'HYPHA_INVALID_ARGUMENT'].includes(result.error.code), result.error.message);
    }
    await fails(b.set('k', 1, { namespace: 'n'.repeat(513) }), 'HYPHA_TOO_LARGE', /namespaceBytes/);
    await ok(b.set('k', 1, { namespace: 'n'.repeat(512) }));
  },
  'setMetadata() merges shallowly by default and replaces with merge:false': async (b) => {
    await ok(b.set('k', 1));
    assert.deepEqual(await b.setMetadata('k', { a: { x: 1 }, b: 1 }), { success: true });
    await ok(b.setMetadata('k', { a: { y: 2 }, c: null }));
    assert.deepEqual(await b.getMetadata('k'), { success: true, metadata: { a: { y: 2 }, b: 1, c: null } });
    await ok(b.setMetadata('k', { d: 1 }, { merge: true }));
    await ok(b.setMetadata('k', {}));
    assert.deepEqual((await ok(b.getMetadata('k'))).metadata, { a: { y: 2 }, b: 1, c: null, d: 1 });
    await ok(b.setMetadata('k', { only: 1 }, { merge: false }));
    assert.deepEqual((await ok(b.getMetadata('k'))).metadata, { only: 1 });
    assert.equal(await get(b, 'k'), 1);
  },
  'a merge treats __proto__ as a name like any other': async (b) => {
    await ok(b.set('k', 1, { metadata: JSON.parse('{"__proto__":{"x":1},"a":1}') }));
    await ok(b.setMetadata('k', JSON.parse('{"__proto__":2,"constructor":3}')));
    const { metadata } = await ok(b.getMetadata('k'));
    assert.equal(JSON.stringify(metadata), '{"__proto__":2,"a":1,"constructor":3}');
  },
  'getMetadata() and setMetadata() say of a missing key that it is not found': async (b) => {
    const message = 'Key "k" not found in namespace "n"';
    await fails(b.getMetadata('k', { namespace: 'n' }), 'HYPHA_NOT_FOUND', message);
    await fails(b.setMetadata('k', {}, { namespace: 'n' }), 'HYPHA_NOT_FOUND', message);
    await fails(b.setMetadata('k', {}, { namespace: 'n', merge: false }), 'HYPHA_NOT_FOUND', message);
    assert.deepEqual(await b.has('k', { namespace: 'n' }), { success: true, exists: false });
  },
  'setMetadata() refuses what is no plain object': async (b) => {
    await ok(b.set('k', 1, { metadata: { a: 1 } }));
    for (const metadata of [undefined, null, 5, 'x', true, [], () => 1, 5n]) await fails(b.setMetadata('k', metadata), 'HYPHA_INVALID_VALUE');
    assert.deepEqual((await ok(b.getMetadata('k'))).metadata, { a: 1 });
  },
  'no merge is lost among 100 concurrent ones': async (b) => {
    await ok(b.set('k', 1));
    await Promise.all(Array.from({ length: 100 }, (_, i) => ok(b.setMetadata('k', { [`m${i}`]: i }))));
    assert.equal(Object.keys((await ok(b.getMetadata('k'))).metadata).length, 100);
  },
};
