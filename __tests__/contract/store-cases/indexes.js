// Store: indexes, explain(), projections, pages, iterators, and reads that end early.

import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { migrate, open } from '../../../lib/index.js';
import { rejects } from '../../helpers/outcomes.js';

/** Names that a careless translation to SQL or to JSON paths would trip over. */
export const AWKWARD_NAMES = [
  `a'b"c\\`, '', '__proto__', 'constructor', '\ud800', 'x\udc00y', '😀', `'); DROP TABLE hypha_entries; --`, '$.a', 'a.b', '[0]', '0', 'length', '\0', 'a\0b', '\n\t\x7f',
  '?1', ':name', '@x', '/* */', '--', 'x AND hypha_match(', 'a FROM b WHERE c ORDER BY d', `\\u0041`, '"', `''`, '\u2028', 'x'.repeat(2000),
];

const with_ = (name, value) => Object.fromEntries([[name, value]]);
const keysOf = (entries) => entries.map(({ key }) => key);
const people = (count) => Array.from({ length: count }, (_, i) => ({ key: `p${String(i).padStart(5, '0')}`, value: { name: `n${i % 100}`, age: i % 90, address: { city: `c${i % 7}` }, nick: i % 3 ? `s${i}` : null }, metadata: { source: i % 2 ? 'web' : 'shop', nick: 'meta' } }));
const eq = (field, value) => ({ field, operator: 'eq', value });

export const indexCases = {
  'createIndex() made twice is one index; dropIndex() says whether there was one': async (s) => {
    assert.deepEqual(await s.listIndexes('n'), []);
    await s.createIndex('n', 'age');
    await s.createIndex('n', { field: 'age' });
    await s.createIndex('n', ['age']);
    await s.createIndex('n', ['age', 'name']);
    await s.createIndex('n', { path: ['address', 'city'] });
    await s.createIndex('n', { metadata: 'source' });
    assert.deepEqual(await s.listIndexes('n'), [
      { fields: [{ field: 'age' }], unique: false },
      { fields: [{ field: 'age' }, { field: 'name' }], unique: false },
      { fields: [{ path: ['address', 'city'] }], unique: false },
      { fields: [{ metadata: 'source' }], unique: false },
    ]);
    await rejects(s.createIndex('n', 'age', { unique: true }), 'HYPHA_EXISTS', /unique/);
    assert.deepEqual(await s.listIndexes('other'), []);
    assert.equal(await s.dropIndex('n', ['name', 'age']), false);
    assert.equal(await s.dropIndex('n', 'age'), true);
    assert.equal(await s.dropIndex('n', 'age'), false);
    assert.equal(await s.dropIndex('never', 'age'), false);
    assert.equal((await s.listIndexes('n')).length, 3);
    await s.createIndex('n', 'age', { unique: true });
    assert.equal((await s.listIndexes('n')).find(({ unique }) => unique).fields[0].field, 'age');
  },
  'createIndex() refuses what is no field': async (s) => {
    for (const fields of [[], Array.from({ length: 9 }, (_, i) => `f${i}`), null, undefined, 5, {}, { path: [] }, { path: 'a' }, { path: [1] }, { field: 1 }, { field: 'a', path: ['a'] }, 'key', '$value', { field: 'value' }, [['a']]]) {
      await rejects(() => s.createIndex('n', fields), 'HYPHA_INVALID_ARGUMENT');
    }
    await rejects(() => s.createIndex('n', { system: 'version' }), 'HYPHA_UNKNOWN_OPTION');
    await rejects(() => s.createIndex('n', 'a', { uniqe: true }), 'HYPHA_UNKNOWN_OPTION', /unique/);
    await rejects(() => s.createIndex('', 'a'), 'HYPHA_INVALID_NAMESPACE');
    await rejects(() => s.createIndex('n', 'x'.repeat(9000)), 'HYPHA_TOO_LARGE');
    await rejects(() => s.createIndex('n', ['a'.repeat(4200), 'b'.repeat(4200)]), 'HYPHA_TOO_LARGE');
    assert.deepEqual(await s.listIndexes('n'), []);
    await s.createIndex('n', { path: ['key'] });
    await s.createIndex('n', { metadata: 'value' });
  },
  'the longest names work in every kind of query': async (s) => {
    const names = [`'`.repeat(2600), '"'.repeat(1300), '\0'.repeat(300)];
    await s.setMany(people(20).map(({ key }, i) => ({ key, value: Object.fromEntries(names.map((name) => [name, i % 4])) })), { namespace: 'n' });
    await s.createIndex('n', names, { unique: false });
    await s.createIndex('n', names[0]);
    const terms = [eq(names[0], 1), eq(names[1], 1), { field: names[2], operator: 'gte', value: 1 }];
    assert.equal(await s.count({ namespace: 'n', filter: terms }), 5);
    assert.equal((await s.query(terms, { namespace: 'n', sort: { field: names[2], order: 'desc' }, limit: 3 })).length, 3);
    assert.equal((await s.query([], { namespace: 'n', sort: { field: names[0] }, limit: 3 })).length, 3);
    await rejects(s.createIndex('u', names, { unique: true }).then(() => s.setMany([{ key: 'a', value: with_(names[0], 1) }, { key: 'b', value: {} }], { namespace: 'u' })).then(() => s.createIndex('n', [names[0]], { unique: true })), 'HYPHA_EXISTS');
  },
  'a unique index is refused over data that repeats, and leaves nothing behind': async (s) => {
    await s.setMany([{ key: 'a', value: { e: 'x' } }, { key: 'b', value: { e: 'x' } }], { namespace: 'n' });
    await rejects(s.createIndex('n', 'e', { unique: true }), 'HYPHA_CONSTRAINT');
    assert.deepEqual(await s.listIndexes('n'), []);
    await s.set('b', { e: 'y' }, { namespace: 'n' });
    await s.createIndex('n', 'e', { unique: true });
    await rejects(s.createIndex('fresh', ['a', 'a'], { unique: true }).then(() => s.set('k', { a: 1 }, { namespace: 'fresh' })).then(() => s.set('l', { a: 1 }, { namespace: 'fresh' })), 'HYPHA_CONSTRAINT');
  },
  'a unique index refuses one entry, not its batch': async (s) => {
    await s.createIndex('n', 'e', { unique: true });
    const batch = [
      { key: 'a', value: { e: 1 } }, { key: 'b', value: { e: '1' } }, { key: 'c', value: { e: 1 } }, { key: 'd', value: { e: true } }, { key: 'e', value: { e: -0 } }, { key: 'f', value: { e: 0 } },
      { key: 'g', value: {} }, { key: 'h', value: {} }, { key: 'i', value: { e: null } }, { key: 'j', value: { e: null } }, { key: 'k', value: { e: [1] } }, { key: 'l', value: { e: [1] } },
      { key: 'm', value: 5, metadata: { e: 1 } }, { key: 'o', value: { e: 7 } },
    ];
    const { outcomes } = await s.setMany(batch, { namespace: 'n' });
    const failed = outcomes.map(({ key, error }) => error && [key, error.code]).filter(Boolean);
    assert.deepEqual(failed, [['c', 'HYPHA_CONSTRAINT'], ['f', 'HYPHA_CONSTRAINT'], ['m', 'HYPHA_CONSTRAINT']]);
    assert.equal(await s.count({ namespace: 'n' }), batch.length - 3);
    await rejects(s.set('z', { e: 7 }, { namespace: 'n' }), 'HYPHA_CONSTRAINT');
    await rejects(s.set('z', { e: 7 }, { namespace: 'n', overwrite: false }), 'HYPHA_CONSTRAINT');
    await rejects(s.set('z', { e: 7 }, { namespace: 'n', ifVersion: null }), 'HYPHA_CONSTRAINT');
    await rejects(s.set('a', { e: 7 }, { namespace: 'n' }), 'HYPHA_CONSTRAINT');
    assert.deepEqual(await s.get('a', { namespace: 'n' }), { e: 1 });
    await rejects(s.set('a', { e: 7 }, { namespace: 'n', overwrite: false }), 'HYPHA_EXISTS');
    await rejects(s.setMetadata('g', { e: 7 }, { namespace: 'n' }), 'HYPHA_CONSTRAINT');
    await rejects(s.setMetadata('g', { e: 7 }, { namespace: 'n', merge: false }), 'HYPHA_CONSTRAINT');
    assert.deepEqual(await s.getMetadata('g', { namespace: 'n' }), {});
    await s.set('o', { e: 7, again: true }, { namespace: 'n' });
    await s.set('a', { e: 7 }, { namespace: 'elsewhere' });
    await s.delete('o', { namespace: 'n' });
    await s.set('z', { e: 7 }, { namespace: 'n' });
    await rejects(s.setMany([{ key: 'y', value: { e: 100 } }, { key: 'x', value: { e: 7 } }], { namespace: 'n', atomic: true }), 'HYPHA_CONSTRAINT');
    assert.equal(await s.has('y', { namespace: 'n' }), false);
    // Writes of one turn share a commit; the one that fails takes no other along.
    const settled = await Promise.allSettled([s.set('q1', { e: 'q' }, { namespace: 'n' }), s.set('q2', { e: 'q' }, { namespace: 'n' }), s.set('q3', { e: 'r' }, { namespace: 'n' })]);
    assert.deepEqual(settled.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
    assert.equal(await s.count({ namespace: 'n', filter: eq('e', 'q') }), 1);
  },
  'indexes are part of a transaction': async (s) => {
    await s.setMany(people(50), { namespace: 'n' });
    const tx = await s.beginTransaction();
    await tx.createIndex('n', 'age', { unique: true });
    await tx.createIndex('never', 'age');
    await rejects(tx.set('other', { age: 3 }, { namespace: 'n' }), 'HYPHA_CONSTRAINT');
    assert.equal((await tx.listIndexes('n')).length, 1);
    assert.equal((await tx.explain(eq('age', 3), { namespace: 'n' })).plan, 'index');
    assert.deepEqual(await s.listIndexes('n'), []);
    assert.deepEqual(keysOf(await s.query(eq('age', 3), { namespace: 'n' })), ['p00003']);
    await tx.rollback();
    assert.deepEqual(await s.listIndexes('n'), []);
    assert.ok(!(await s.listNamespaces()).includes('never'));
    await s.set('other', { age: 3 }, { namespace: 'n' });
    await s.transaction(async (t) => {
      await t.createIndex('n', 'age');
      await rejects(t.createIndex('n', 'address', { unique: true }).then(() => t.createIndex('n', 'name', { unique: true })).then(() => t.createIndex('n', ['age'], { unique: true })), 'HYPHA_EXISTS');
      await t.dropIndex('n', 'address');
    });
    assert.deepEqual((await s.listIndexes('n')).map(({ fields }) => fields[0].field).sort(), ['age', 'name']);
    assert.deepEqual(keysOf(await s.query(eq('age', 3), { namespace: 'n' })), ['other', 'p00003']);
    const drop = await s.beginTransaction();
    assert.equal(await drop.dropIndex('n', 'age'), true);
    await drop.rollback();
    assert.equal((await s.explain(eq('age', 3), { namespace: 'n' })).plan, 'index');
  },
  'reads of keys go on and writes wait while an index is made': async (s) => {
    await s.setMany(people(5000), { namespace: 'n' });
    const order = [];
    const note = (name, promise) => promise.then(() => order.push(name));
    const making = note('index', s.createIndex('n', 'age'));
    const written = note('set', s.set('p00001', { age: 200 }, { namespace: 'n' }));
    const read = note('get', s.get('p00002', { namespace: 'n' }));
    const mine = note('get of the set', s.get('p00001', { namespace: 'n' }).then((value) => assert.equal(value.age, 200)));
    const asked = note('query', s.query(eq('age', 200), { namespace: 'n' }).then((found) => assert.deepEqual(keysOf(found), ['p00001'])));
    await Promise.all([making, written, read, mine, asked]);
    assert.equal(order[0], 'get');
    // That the query waited shows in what it found; it may be told before those who wrote are.
    assert.ok(order.indexOf('index') < order.indexOf('set'), String(order));
    assert.equal((await s.explain(eq('age', 200), { namespace: 'n' })).plan, 'index');
  },
  'deleteNamespace() drops the indexes, clear() keeps them': async (s) => {
    await s.setMany(people(30), { namespace: 'n' });
    await s.createIndex('n', 'age', { unique: true });
    await s.clear({ namespace: 'n' });
    assert.equal((await s.listIndexes('n')).length, 1);
    await s.set('a', { age: 1 }, { namespace: 'n' });
    await rejects(s.set('b', { age: 1 }, { namespace: 'n' }), 'HYPHA_CONSTRAINT');
    await s.deleteNamespace('n', { recursive: true });
    assert.deepEqual(await s.listIndexes('n'), []);
    await s.set('a', { age: 1 }, { namespace: 'n' });
    await s.set('b', { age: 1 }, { namespace: 'n' });
    assert.deepEqual(await s.listIndexes('n'), []);
    assert.deepEqual(keysOf(await s.query(eq('age', 1), { namespace: 'n' })), ['a', 'b']);
  },
  'indexes survive reopening': async (s, given) => {
    if (given.path === undefined) return;
    await s.setMany(people(30), { namespace: 'n' });
    for (const name of AWKWARD_NAMES) await s.createIndex('n', [name, { path: [name, name] }]);
    await s.createIndex('n', 'nick', { unique: true });
    const listed = await s.listIndexes('n');
    await s.close();
    for (const readOnly of [false, true]) {
      const again = await open({ ...given, readOnly });
      assert.deepEqual(await again.listIndexes('n'), listed);
      assert.equal((await again.explain(eq('nick', 's1'), { namespace: 'n' })).plan, 'index');
      assert.deepEqual(keysOf(await again.query(eq('nick', 's1'), { namespace: 'n' })), ['p00001']);
      if (!readOnly) await rejects(again.set('b', { nick: 's1' }, { namespace: 'n' }), 'HYPHA_CONSTRAINT');
      await again.close();
    }
  },
  'migrate() to 1 and back works with indexes there': async (s, given) => {
    if (given.path === undefined) return;
    await s.setMany(people(30), { namespace: 'n' });
    await s.createIndex('n', 'age');
    await s.createIndex('n', ['nick', { path: ['a', 'b'] }], { unique: true });
    await s.close();
    await migrate(given.path, { to: 1, keepOld: false });
    await migrate(given.path, { to: 2, keepOld: false });
    const again = await open(given);
    assert.deepEqual(keysOf(await again.query(eq('age', 3), { namespace: 'n' })), ['p00003']);
    for (const { fields } of await again.listIndexes('n')) assert.ok(fields.length > 0);
    await again.createIndex('n', 'age');
    assert.equal((await again.explain(eq('age', 3), { namespace: 'n' })).plan, 'index');
    await again.close();
  },
  'any name may be indexed': async (s) => {
    const namespace = 'n';
    for (const name of AWKWARD_NAMES) {
      await s.clear({ namespace });
      await s.setMany([
        { key: 'a', value: with_(name, 'v1') }, { key: 'b', value: with_(name, with_(name, 'v1')) }, { key: 'c', value: {}, metadata: with_(name, 'v1') }, { key: 'd', value: with_(`${name}x`, 'v1') }, { key: 'e', value: with_(name, null), metadata: with_(name, 'v1') },
      ], { namespace });
      const ask = async () => [
        keysOf(await s.query(eq(name, 'v1'), { namespace })), keysOf(await s.query({ path: [name, name], operator: 'eq', value: 'v1' }, { namespace })),
        keysOf(await s.query({ metadata: name, operator: 'eq', value: 'v1' }, { namespace })), keysOf(await s.query([], { namespace, sort: { field: name, order: 'desc' }, limit: 5 })), await s.count({ namespace, filter: eq(name, null) }),
      ];
      const before = await ask();
      assert.deepEqual(before.slice(0, 3), [['a', 'c'], ['b'], ['c', 'e']]);
      for (const fields of [name, { path: [name, name] }, { metadata: name }]) await s.createIndex(namespace, fields);
      assert.deepEqual(await ask(), before, name);
      const how = await s.explain(eq(name, 'v1'), { namespace });
      assert.deepEqual([how.plan, how.index.fields, how.exact, how.returned], ['index', [{ field: name }], true, 2], name);
      await s.dropIndex(namespace, name);
      await s.createIndex(namespace, name, { unique: true }).then(() => assert.fail('v1 repeats'), (error) => assert.equal(error.code, 'HYPHA_CONSTRAINT'));
      for (const fields of [{ path: [name, name] }, { metadata: name }]) assert.equal(await s.dropIndex(namespace, fields), true);
      assert.deepEqual(await ask(), before, name);
      assert.deepEqual(await s.listIndexes(namespace), []);
    }
  },
  'explain() tells the index, exactness, rows and the SQL without values': async (s) => {
    const namespace = 'n';
    await s.setMany(people(1000), { namespace });
    const secret = 'SECRET-OPERAND';
    const scan = await s.explain([eq('name', secret), { field: 'age', operator: 'gt', value: 17 }], { namespace });
    assert.deepEqual({ ...scan, sql: [] }, { plan: scan.plan, index: null, exact: false, order: scan.order, sql: [], examined: 1000, returned: 0 });
    assert.ok(scan.sql.length === 1 && scan.sql[0].includes('?') && !scan.sql[0].includes(secret) && !scan.sql[0].includes('17'));
    await s.createIndex(namespace, 'name');
    await s.createIndex(namespace, ['age', 'name']);
    const point = await s.explain(eq('name', 'n7'), { namespace });
    assert.deepEqual([point.plan, point.index.fields, point.exact, point.examined, point.returned], ['index', [{ field: 'name' }], true, 10, 10]);
    assert.ok(Number.isInteger(point.index.id));
    const both = await s.explain([eq('name', 'n7'), eq('age', 7)], { namespace });
    assert.deepEqual([both.index.fields.length, both.exact, both.examined], [2, true, both.returned]);
    const rest = await s.explain([eq('name', 'n7'), { field: 'age', operator: 'contains', value: secret }], { namespace });
    assert.deepEqual([rest.exact, rest.examined, rest.returned], [false, 10, 0]);
    const ordered = await s.explain([], { namespace, sort: { field: 'name' }, limit: 10 });
    assert.deepEqual([ordered.plan, ordered.order, ordered.exact, ordered.examined, ordered.returned], ['index', 'by the plan', true, 10, 10]);
    const prefix = await s.explain({ field: 'name', operator: 'startsWith', value: 'n9' }, { namespace });
    assert.deepEqual([prefix.plan, prefix.returned], ['index', 110]);
    const either = await s.explain({ field: 'name', operator: 'in', value: ['n1', 'n2', secret] }, { namespace });
    assert.deepEqual([either.plan, either.exact, either.returned], ['index', true, 20]);
    for (const how of [point, both, rest, ordered, prefix, either]) {
      for (const sql of how.sql) assert.ok(/^SELECT [^;]*$/.test(sql) && !/SECRET|n7|n9/.test(sql), sql);
    }
    for (const nothing of [await s.explain([], { namespace: 'never' }), await s.explain([], { namespace, limit: 0 })]) assert.deepEqual([nothing.plan, nothing.examined, nothing.returned], ['nothing', 0, 0]);
  },
  'very long strings may be indexed': async (s) => {
    await s.createIndex('n', ['big', { path: ['big'] }], { unique: true });
    const big = '😀'.repeat(500_000);
    await s.set('a', { big }, { namespace: 'n' });
    await rejects(s.set('b', { big }, { namespace: 'n' }), 'HYPHA_CONSTRAINT');
    await s.set('c', { big: `${big}x` }, { namespace: 'n' });
    assert.deepEqual(keysOf(await s.query(eq('big', big), { namespace: 'n' })), ['a']);
    assert.deepEqual(keysOf(await s.query([], { namespace: 'n', sort: { field: 'big', order: 'desc' }, limit: 2 })), ['c', 'a']);
  },
};

const NAMES = [`'`, '__proto__', 'toString', '\ud800', 'a'];

export const readingCases = {
  'select gives only the properties asked for': async (s) => {
    const value = JSON.parse('{"a":1,"b":{"c":[2]},"__proto__":3,"\'":4,"\\ud800":5,"x":6}');
    await s.setMany([{ key: 'o', value, metadata: { m: 1 } }, { key: 'p', value: 'text' }, { key: 'q', value: [1, 2] }, { key: 'r', value: {} }, { key: 't', value: null }]);
    const found = await s.query([], { select: [...NAMES, 'absent'] });
    assert.deepEqual(found.map((entry) => entry.value), [JSON.parse('{"a":1,"__proto__":3,"\'":4,"\\ud800":5}'), 'text', [1, 2], {}, null]);
    assert.deepEqual(Object.keys(found[0].value).sort(), [...NAMES].filter((name) => name !== 'toString').sort());
    assert.deepEqual(found[0].metadata, { m: 1 });
    assert.deepEqual((await s.query(eq('x', 6), { select: ['a'], sort: { field: 'b' } }))[0].value, { a: 1 });
    assert.deepEqual((await s.query([], { select: ['a', 'a'] }))[0].value, { a: 1 });
    assert.deepEqual((await s.page([], { select: ['b'], limit: 1 })).entries[0].value, { b: { c: [2] } });
    for await (const entry of s.entries({ select: ['a'], prefix: 'o' })) assert.deepEqual(entry.value, { a: 1 });
    for (const select of [[], 'a', [1], {}]) await rejects(s.query([], { select }), 'HYPHA_INVALID_ARGUMENT');
  },
  'page() walks through everything, and refuses a cursor that is none': async (s) => {
    await s.setMany(people(25));
    for (const sort of [undefined, { field: 'age', order: 'desc' }, [{ field: 'nick' }, { metadata: 'source', order: 'desc' }]]) {
      const whole = keysOf(await s.query([], { sort }));
      for (const limit of [1, 4, 5, 25, 26]) {
        const got = [];
        let after;
        do {
          const page = await s.page([], { sort, limit, after });
          got.push(...keysOf(page.entries));
          after = page.cursor;
          assert.ok(after === undefined || /^[\w-]+$/.test(after));
        } while (after !== undefined);
        assert.deepEqual(got, whole);
      }
    }
    const { cursor } = await s.page([], { limit: 3, sort: { field: 'age' } });
    for (const after of ['', '!', 'AAAA', 'ÿ', '\ud800', '/'.repeat(50)]) await rejects(s.page([], { limit: 3, sort: { field: 'age' }, after }), 'HYPHA_INVALID_ARGUMENT');
    await rejects(s.page([], { limit: 3, sort: [{ field: 'age' }, { field: 'b' }, { field: 'c' }, { field: 'd' }, { field: 'e' }], after: cursor }), 'HYPHA_INVALID_ARGUMENT');
    for (const limit of [0, -1, 1.5, '1']) await rejects(s.page([], { limit }), 'HYPHA_INVALID_ARGUMENT');
    await rejects(s.page({ getFilters: () => [] }, {}), 'HYPHA_INVALID_ARGUMENT');
    assert.deepEqual(await s.page([], { namespace: 'never' }), { entries: [], cursor: undefined });
  },
  'iterators can be left, and see each entry once while others write': async (s) => {
    await s.setMany(people(60));
    const seen = [];
    for await (const { key } of s.queryIterator([], { sort: { field: 'age', order: 'desc' }, batch: 7 })) {
      seen.push(key);
      if (seen.length % 5 === 0) await s.set(`new${seen.length}`, { age: seen.length });
      if (seen.length % 9 === 0) await s.delete('p00059');
    }
    const old = seen.filter((key) => key.startsWith('p') && key !== 'p00059');
    assert.deepEqual(old, Array.from({ length: 59 }, (_, i) => `p${String(58 - i).padStart(5, '0')}`));
    assert.equal(new Set(seen).size, seen.length);
    let count = 0;
    for await (const _ of s.entries({ batch: 2 })) if (++count === 3) break;
    assert.equal(count, 3);
    await rejects(s.entries({ batch: 0 }).next(), 'HYPHA_INVALID_ARGUMENT');
    await rejects(s.queryIterator({ field: 'a' }).next(), 'HYPHA_INVALID_FILTER');
  },
  'a signal ends a read before it starts, in the queue and while it runs': async (s) => {
    const batch = people(30_000).map((entry) => ({ ...entry, value: { ...entry.value, text: 'lorem ipsum '.repeat(20) } }));
    for (let i = 0; i < batch.length; i += 10_000) await s.setMany(batch.slice(i, i + 10_000));
    const slow = { or: Array.from({ length: 40 }, (_, i) => ({ field: 'text', operator: 'contains', value: `absent${i}` })) };
    const reason = new Error('changed my mind');
    const early = await rejects(s.query(slow, { signal: AbortSignal.abort(reason) }), 'HYPHA_ABORTED');
    assert.equal(early.cause, reason);
    const controller = new AbortController();
    // More than there are readers, so that some wait in the queue.
    const started = performance.now();
    const reads = Array.from({ length: 8 }, (_, i) => rejects(i % 2 ? s.query(slow, { signal: controller.signal }) : s.count({ filter: slow, signal: controller.signal }), 'HYPHA_ABORTED'));
    const other = s.count({ filter: { field: 'age', operator: 'lt', value: 45 } });
    setTimeout(() => controller.abort(reason), 20);
    for (const error of await Promise.all(reads)) assert.equal(error.cause, reason);
    const took = performance.now() - started;
    assert.equal(await other, 15_015);
    assert.ok(took < 2000, `${took} ms`);
    // The same signal, and the same readers, afterwards.
    await rejects(s.list({ signal: controller.signal }), 'HYPHA_ABORTED');
    assert.equal(await s.count({ filter: eq('age', 1), signal: new AbortController().signal, timeout: 5000 }), 334);
    await rejects(s.query(slow, { timeout: 1 }), 'HYPHA_TIMEOUT');
    await rejects(s.count({ filter: slow, timeout: 2, signal: new AbortController().signal }), 'HYPHA_TIMEOUT');
    await rejects(s.page(slow, { timeout: 1 }), 'HYPHA_TIMEOUT');
    await rejects(s.queryIterator(slow, { signal: AbortSignal.abort() }).next(), 'HYPHA_ABORTED');
    await rejects(s.explain(slow, { timeout: 1 }), 'HYPHA_TIMEOUT');
    assert.equal(await s.get('p00001').then(({ age }) => age), 1);
    for (const options of [{ signal: {} }, { signal: 5 }, { timeout: 0 }, { timeout: -1 }, { timeout: 1.5 }]) await rejects(s.query([], options), 'HYPHA_INVALID_ARGUMENT');
    const late = new AbortController();
    await s.query(eq('age', 1), { signal: late.signal });
    late.abort();
  },
  'hyphadb:scan tells of filters that look at many entries without an index': async (s) => {
    const told = [];
    const listener = (message) => told.push(message);
    subscribe('hyphadb:scan', listener);
    try {
      const namespace = 'scanned';
      await s.setMany(people(1500), { namespace });
      await s.query(eq('name', 'n5'), { namespace });
      assert.deepEqual(told, [{ namespace, examined: 1500 }]);
      await s.createIndex(namespace, 'name');
      await s.query(eq('name', 'n5'), { namespace });
      await s.query({ field: 'key', operator: 'eq', value: 'p00001' }, { namespace });
      await s.query([], { namespace, limit: 5 });
      assert.equal(told.length, 1);
    } finally {
      unsubscribe('hyphadb:scan', listener);
    }
  },
};
