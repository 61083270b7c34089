// The contract: sorting, paging, count with a filter, and the kernel's StorageQuery.

import assert from 'node:assert/strict';
import { fails, ok } from '../../helpers/outcomes.js';
import { keysOf, store } from './filters.js';

const all = [];

/** A stand-in for the kernel's StorageQuery, which is recognised by its methods. */
class Query {
  constructor(filters, { limit = null, offset = null, sort = null } = {}) {
    Object.assign(this, { filters, limit, offset, sort });
  }

  getFilters() { return this.filters; }
  getLimit() { return this.limit; }
  getOffset() { return this.offset; }
  getSort() { return this.sort; }
}

const eq = (field, value) => ({ field, operator: 'eq', value });

export const pagingCases = {
  'numbers sort numerically, ascending unless the order is desc': async (b) => {
    await store(b, { a: { n: 10 }, b: { n: 9 }, c: { n: -1 }, d: { n: 1e3 }, e: { n: 0.5 } });
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'n', order: 'asc' } }), ['c', 'e', 'b', 'a', 'd']);
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'n', order: 'desc' } }), ['d', 'a', 'b', 'e', 'c']);
    for (const order of [undefined, null, 'DESC', 'descending', '', 1]) assert.deepEqual(await keysOf(b, all, { sort: { field: 'n', order } }), ['c', 'e', 'b', 'a', 'd']);
  },
  'strings sort by UTF-16 code units': async (b) => {
    await store(b, { a: { s: '\uffee' }, b: { s: '😀' }, c: { s: 'z' }, d: { s: 'Z' }, e: { s: '10' }, f: { s: '9' }, g: { s: '' } });
    assert.deepEqual(await keysOf(b, all, { sort: { field: 's' } }), ['g', 'e', 'f', 'd', 'c', 'b', 'a']);
    assert.deepEqual(await keysOf(b, all, { sort: { field: 's', order: 'desc' } }), ['a', 'b', 'c', 'd', 'f', 'e', 'g']);
  },
  'absent and null come last in both directions, in key order': async (b) => {
    await store(b, { a: { n: null }, b: { n: 2 }, c: {}, d: { n: 1 }, e: 'scalar', f: { n: null } });
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'n' } }), ['d', 'b', 'a', 'c', 'e', 'f']);
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'n', order: 'desc' } }), ['b', 'd', 'a', 'c', 'e', 'f']);
  },
  'ties stay in key order in both directions': async (b) => {
    await store(b, { d: { n: 1 }, b: { n: 1 }, a: { n: 2 }, c: { n: 1 }, '😀': { n: 1 }, '\uffee': { n: 1 } });
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'n' } }), ['b', 'c', 'd', '\uffee', '😀', 'a']);
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'n', order: 'desc' } }), ['a', 'b', 'c', 'd', '\uffee', '😀']);
  },
  'mixed types keep their rank in both directions: numbers, strings, booleans, the rest': async (b) => {
    await store(b, { a: { v: true }, b: { v: 'x' }, c: { v: 5 }, d: { v: {} }, e: { v: [] }, f: { v: null }, g: { v: false }, h: { v: 'a' }, i: { v: -5 }, j: {} });
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'v' } }), ['i', 'c', 'h', 'b', 'g', 'a', 'd', 'e', 'f', 'j']);
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'v', order: 'desc' } }), ['c', 'i', 'b', 'h', 'a', 'g', 'd', 'e', 'f', 'j']);
  },
  'a sort by key is by key; any other field is a property, or the metadata where that is absent or null': async (b) => {
    await ok(b.set('a', { key: 1, value: 2 }, { metadata: { m: 3 } }));
    await ok(b.set('b', { key: 2, value: 1, m: 1 }, { metadata: { m: 9 } }));
    await ok(b.set('c', { value: 3, m: null }, { metadata: { m: 2 } }));
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'key', order: 'desc' } }), ['c', 'b', 'a']);
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'value' } }), ['b', 'a', 'c']);
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'm' } }), ['b', 'c', 'a']);
    assert.deepEqual(await keysOf(b, all, { sort: { field: 'absent', order: 'desc' } }), ['a', 'b', 'c']);
  },
  'a sort without a field is refused, null means none': async (b) => {
    await store(b, { b: { n: 1 }, a: { n: 2 } });
    for (const sort of [undefined, null]) assert.deepEqual(await keysOf(b, all, { sort }), ['a', 'b']);
    for (const sort of [5, 'n', {}, { order: 'desc' }, { field: 5 }]) await fails(b.query(all, { sort }), 'HYPHA_INVALID_ARGUMENT', /sort/);
  },
  'several sort keys decide one after the other': async (b) => {
    await store(b, { a: { x: 1, y: 1 }, b: { x: 1, y: 2 }, c: { x: 0, y: 3 }, d: { x: 1, y: 2 } });
    assert.deepEqual(await keysOf(b, all, { sort: [{ field: 'x' }, { field: 'y', order: 'desc' }] }), ['c', 'b', 'd', 'a']);
    assert.deepEqual(await keysOf(b, all, { sort: [{ field: 'x', order: 'desc' }, { field: 'key', order: 'desc' }] }), ['d', 'b', 'a', 'c']);
  },
  'paging comes after sorting: offset, then limit': async (b) => {
    await store(b, { a: { n: 5 }, b: { n: 4 }, c: { n: 3 }, d: { n: 2 }, e: { n: 1 } });
    const sort = { field: 'n' };
    assert.deepEqual(await keysOf(b, all, { sort, limit: 2 }), ['e', 'd']);
    assert.deepEqual(await keysOf(b, all, { sort, limit: 2, offset: 1 }), ['d', 'c']);
    assert.deepEqual(await keysOf(b, all, { sort, offset: 4 }), ['a']);
    assert.deepEqual(await keysOf(b, all, { sort, offset: 5 }), []);
    assert.deepEqual(await keysOf(b, all, { sort, limit: 0 }), []);
    assert.deepEqual(await keysOf(b, all, { limit: 2, offset: 1 }), ['b', 'c']);
    assert.deepEqual(await keysOf(b, all, { limit: null, offset: null, sort: null }), ['a', 'b', 'c', 'd', 'e']);
    assert.deepEqual(await keysOf(b, { field: 'n', operator: 'lt', value: 4 }, { sort: { field: 'n', order: 'desc' }, limit: 1, offset: 1 }), ['d']);
  },
  'paging of a filter that only the evaluator decides counts matches, not rows': async (b) => {
    await ok(b.setMany(Array.from({ length: 100 }, (_, i) => ({ key: `k${String(i).padStart(3, '0')}`, value: { v: i % 3 === 0 ? String(i) : i } }))));
    const expected = Array.from({ length: 100 }, (_, i) => i).filter((i) => i % 3 === 0).map((i) => `k${String(i).padStart(3, '0')}`);
    const filter = { field: 'v', operator: 'nin', value: Array.from({ length: 100 }, (_, i) => i) };
    assert.deepEqual(await keysOf(b, filter), expected);
    assert.deepEqual(await keysOf(b, filter, { limit: 5, offset: 7 }), expected.slice(7, 12));
    assert.deepEqual(await keysOf(b, filter, { offset: 30 }), expected.slice(30));
  },
  'pages of any size, put together, are the whole result': async (b) => {
    await ok(b.setMany(Array.from({ length: 57 }, (_, i) => ({ key: `k${i}`, value: { n: i % 7 } }))));
    for (const sort of [null, { field: 'n' }, { field: 'n', order: 'desc' }]) {
      const whole = await keysOf(b, all, { sort });
      for (const limit of [1, 10, 56, 57, 58]) {
        const pages = [];
        for (let offset = 0; offset < 57; offset += limit) pages.push(...(await keysOf(b, all, { sort, limit, offset })));
        assert.deepEqual(pages, whole);
      }
    }
  },
  'count() counts what query() finds; a failing filter is an error': async (b) => {
    await store(b, { a: { n: 1 }, b: { n: 2 }, c: { n: 1 } });
    assert.deepEqual(await b.count({ filter: eq('n', 1) }), { success: true, count: 2 });
    assert.deepEqual(await b.count({ filter: [eq('n', 1), eq('key', 'a')], limit: 0, offset: 1, sort: { field: 'n' } }), { success: true, count: 1 });
    for (const filter of [undefined, null, []]) assert.deepEqual(await b.count({ filter }), { success: true, count: 3 });
    const failed = await fails(b.count({ filter: { field: 'n', operator: 'nope' } }), 'HYPHA_INVALID_FILTER');
    assert.ok(!('count' in failed));
  },
  'a StorageQuery brings its own limit, offset and sort, and the options are ignored': async (b) => {
    await store(b, { a: { n: 3 }, b: { n: 2 }, c: { n: 1 }, d: { n: 0 } });
    const filters = [{ field: 'n', operator: 'gt', value: 0 }];
    const options = { limit: 1, offset: 1, sort: { field: 'n' } };
    assert.deepEqual(await keysOf(b, new Query(filters), options), ['a', 'b', 'c']);
    assert.deepEqual(await keysOf(b, new Query(filters, { sort: { field: 'n', order: 'asc' } }), { sort: { field: 'n', order: 'desc' } }), ['c', 'b', 'a']);
    assert.deepEqual(await keysOf(b, new Query(filters, { limit: 2, offset: 1 }), { limit: 9, offset: 0 }), ['b', 'c']);
    assert.deepEqual(await keysOf(b, new Query([], { limit: 0 })), []);
    assert.deepEqual(await keysOf(b, { getFilters: () => filters }, options), ['a', 'b', 'c']);
    assert.deepEqual(await keysOf(b, new Query(filters, { limit: undefined, offset: undefined, sort: undefined })), ['a', 'b', 'c']);
  },
  'options beside a StorageQuery are ignored even where they are wrong': async (b) => {
    await store(b, { a: { n: 3 } });
    assert.deepEqual(await keysOf(b, new Query([]), { limit: -1, offset: 'x', sort: 5 }), ['a']);
  },
  'count() of a StorageQuery is capped by its own limit': async (b) => {
    await store(b, { a: { n: 1 }, b: { n: 1 }, c: { n: 1 } });
    assert.equal((await ok(b.count({ filter: new Query([eq('n', 1)], { limit: 2 }) }))).count, 2);
    assert.equal((await ok(b.count({ filter: new Query([eq('n', 1)], { limit: 9 }), limit: 1 }))).count, 3);
    assert.equal((await ok(b.count({ filter: new Query([eq('n', 1)], { limit: 0 }) }))).count, 0);
    assert.equal((await ok(b.count({ filter: new Query([]) }))).count, 3);
  },
  'a StorageQuery whose paging, sort or filters are wrong is refused': async (b) => {
    for (const limit of [-1, 1.5, '3', NaN]) {
      await fails(b.query(new Query([], { limit })), 'HYPHA_INVALID_ARGUMENT', /limit/);
      await fails(b.query(new Query([], { offset: limit })), 'HYPHA_INVALID_ARGUMENT', /offset/);
      await fails(b.count({ filter: new Query([], { limit }) }), 'HYPHA_INVALID_ARGUMENT', /limit/);
    }
    await fails(b.query(new Query([], { sort: 5 })), 'HYPHA_INVALID_ARGUMENT', /sort/);
    await fails(b.query(new Query([eq('a', 1), { field: 'a', operator: 'nope' }])), 'HYPHA_INVALID_FILTER', /\[1\]/);
    await fails(b.query(new Query([eq('a', 1), 5])), 'HYPHA_INVALID_FILTER', /\[1\]/);
    const broken = { getFilters() { throw new Error('broken query'); } };
    assert.equal((await b.query(broken)).error.message, 'broken query');
  },
  'a query takes its filter at the call': async (b) => {
    await store(b, { a: { n: 1 }, b: { n: 2 } });
    const filter = [eq('n', 1)];
    const list = { field: 'n', operator: 'in', value: [1] };
    const reading = [b.query(filter), b.query(list), b.count({ filter })];
    filter[0].value = 2;
    filter.push(eq('n', 3));
    list.value.push(2);
    const [first, second, third] = await Promise.all(reading);
    assert.deepEqual(first.results.map(({ key }) => key), ['a']);
    assert.deepEqual(second.results.map(({ key }) => key), ['a']);
    assert.equal(third.count, 1);
  },
};
