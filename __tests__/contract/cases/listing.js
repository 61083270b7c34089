// The contract: list, namespaces, clear, count without a filter, getStatus.

import assert from 'node:assert/strict';
import { fails, ok } from '../../helpers/outcomes.js';

const fill = (b, keys, options) => ok(b.setMany(keys.map((key) => ({ key, value: 1 })), options));
const list = async (b, options) => (await ok(b.list(options))).keys;
const bytewise = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));

const BAD_NUMBERS = [-1, 1.5, NaN, Infinity, '3', true, {}, [], 5n, 2 ** 53];

export const listingCases = {
  'list() gives keys in the byte order of their UTF-8': async (b) => {
    const keys = ['b', 'a', 'B', 'a b', 'aa', 'a\0', '\0', 'é', 'z', '😀', '\uffee', '10', '9', '_', '~', '\u0800', '\u07ff'];
    await fill(b, keys);
    assert.deepEqual(await b.list(), { success: true, keys: [...keys].sort(bytewise) });
    assert.ok((await list(b)).indexOf('\uffee') < (await list(b)).indexOf('😀'));
  },
  'list() knows one namespace at a time, and an unknown one is empty': async (b) => {
    await fill(b, ['a']);
    await fill(b, ['b'], { namespace: 'n' });
    assert.deepEqual(await list(b), ['a']);
    assert.deepEqual(await list(b, { namespace: 'n' }), ['b']);
    assert.deepEqual(await b.list({ namespace: 'never' }), { success: true, keys: [] });
  },
  'a star in a pattern matches any run of characters, anywhere': async (b) => {
    await fill(b, ['user:1', 'user:1:name', 'user:2:name', 'admin:1:name', 'user', 'user:', 'xuser:1']);
    assert.deepEqual(await list(b, { pattern: 'user:*' }), ['user:', 'user:1', 'user:1:name', 'user:2:name']);
    assert.deepEqual(await list(b, { pattern: '*:name' }), ['admin:1:name', 'user:1:name', 'user:2:name']);
    assert.deepEqual(await list(b, { pattern: 'user:*:name' }), ['user:1:name', 'user:2:name']);
    assert.deepEqual(await list(b, { pattern: '*:1*' }), ['admin:1:name', 'user:1', 'user:1:name', 'xuser:1']);
    assert.deepEqual(await list(b, { pattern: 'user' }), ['user']);
    assert.deepEqual(await list(b, { pattern: 'u*e*:*n*' }), ['user:1:name', 'user:2:name']);
    assert.equal((await list(b, { pattern: '*' })).length, 7);
    assert.equal((await list(b, { pattern: '***' })).length, 7);
    assert.deepEqual(await list(b, { pattern: 'none*' }), []);
  },
  'everything but the star is literal and case-sensitive in a pattern': async (b) => {
    const keys = ['a%b', 'a_b', 'axb', 'a?b', 'a[x]b', 'A%B', 'a\\b', 'a.b', "a'b", 'a"b', 'a\0b'];
    await fill(b, keys);
    for (const key of keys) {
      assert.deepEqual(await list(b, { pattern: key }), [key]);
      assert.deepEqual(await list(b, { pattern: `${key.slice(0, 2)}*` }), [key]);
      assert.deepEqual(await list(b, { pattern: `*${key.slice(1)}` }), [key]);
    }
    await fill(b, ['a*b']);
    assert.equal((await list(b, { pattern: 'a*b' })).length, keys.length);
  },
  'a prefix pattern finds the keys at the end of every code range': async (b) => {
    const keys = ['p', 'p\u007f', 'p\u0080', 'p\u07ff', 'p\uffff', 'p😀', 'p\u{10ffff}', 'p\u{10ffff}x', 'q', 'o\u{10ffff}', '\u{10ffff}', '\u{10ffff}a'];
    await fill(b, keys);
    assert.deepEqual(await list(b, { pattern: 'p*' }), keys.slice(0, 8));
    assert.deepEqual(await list(b, { pattern: '\u{10ffff}*' }), ['\u{10ffff}', '\u{10ffff}a']);
    assert.deepEqual(await list(b, { pattern: 'p\u{10ffff}*' }), ['p\u{10ffff}', 'p\u{10ffff}x']);
  },
  'list() pages with limit and offset; null or absent means none; 0 gives nothing': async (b) => {
    await fill(b, ['a', 'b', 'c', 'd', 'e']);
    const all = ['a', 'b', 'c', 'd', 'e'];
    for (const limit of [undefined, null, 5, 6, 2 ** 40]) {
      for (const offset of [undefined, null, 0]) assert.deepEqual(await list(b, { limit, offset }), all);
    }
    assert.deepEqual(await list(b, { limit: 0 }), []);
    assert.deepEqual(await list(b, { limit: 2 }), ['a', 'b']);
    assert.deepEqual(await list(b, { offset: 3 }), ['d', 'e']);
    assert.deepEqual(await list(b, { limit: 2, offset: 1 }), ['b', 'c']);
    assert.deepEqual(await list(b, { limit: 2, offset: 5 }), []);
    assert.deepEqual(await list(b, { limit: 9, offset: 2 ** 40 }), []);
    assert.deepEqual(await list(b, { pattern: '*', limit: 1, offset: 4 }), ['e']);
    assert.deepEqual(await list(b, { pattern: null }), all);
  },
  'list() and query() refuse any other limit or offset': async (b) => {
    for (const bad of BAD_NUMBERS) {
      await fails(b.list({ limit: bad }), 'HYPHA_INVALID_ARGUMENT', /limit/);
      await fails(b.list({ offset: bad }), 'HYPHA_INVALID_ARGUMENT', /offset/);
      await fails(b.query([], { limit: bad }), 'HYPHA_INVALID_ARGUMENT', /limit/);
      await fails(b.query([], { offset: bad }), 'HYPHA_INVALID_ARGUMENT', /offset/);
    }
    for (const pattern of [5, {}, ['a'], true]) await fails(b.list({ pattern }), 'HYPHA_INVALID_ARGUMENT', /pattern/);
  },
  'default always exists, before any entry, and is reserved': async (b) => {
    assert.ok((await ok(b.listNamespaces())).namespaces.includes('default'));
    for (const options of [undefined, { recursive: true }]) {
      await fails(b.deleteNamespace('default', options), 'HYPHA_NAMESPACE_RESERVED', 'Cannot delete default namespace');
    }
    await fails(b.createNamespace('default'), 'HYPHA_NAMESPACE_EXISTS', 'Namespace "default" already exists');
  },
  'createNamespace() refuses a name it created before': async (b) => {
    assert.deepEqual(await b.createNamespace('n', { metadata: { a: 1 } }), { success: true });
    await fails(b.createNamespace('n'), 'HYPHA_NAMESPACE_EXISTS', 'Namespace "n" already exists');
    await ok(b.createNamespace('N'));
  },
  'createNamespace() makes a namespace explicit that an entry brought about': async (b) => {
    await ok(b.set('k', 1, { namespace: 'n' }));
    assert.ok((await ok(b.listNamespaces())).namespaces.includes('n'));
    await ok(b.createNamespace('n', { metadata: { a: 1 } }));
    await fails(b.createNamespace('n'), 'HYPHA_NAMESPACE_EXISTS');
    assert.equal((await ok(b.get('k', { namespace: 'n' }))).data, 1);
  },
  'a namespace name is a non-empty string of at most 512 bytes': async (b) => {
    for (const name of [undefined, null, '', ' ', 5, {}, '\ud800']) {
      await fails(b.createNamespace(name), 'HYPHA_INVALID_NAMESPACE');
      await fails(b.deleteNamespace(name), 'HYPHA_INVALID_NAMESPACE');
    }
    await fails(b.createNamespace('é'.repeat(257)), 'HYPHA_TOO_LARGE', /namespaceBytes/);
    await ok(b.createNamespace('é'.repeat(256)));
    for (const metadata of [5, 'x', []]) await fails(b.createNamespace('bad', { metadata }), 'HYPHA_INVALID_VALUE');
    assert.ok(!(await ok(b.listNamespaces())).namespaces.includes('bad'));
  },
  'listNamespaces() gives explicit and implicit ones by name': async (b) => {
    const before = (await ok(b.listNamespaces())).namespaces;
    for (const name of ['zeta', 'Alpha', 'é', '😀', '\uffee', 'a b']) await ok(b.createNamespace(name));
    await ok(b.set('k', 1, { namespace: 'implicit' }));
    const { namespaces } = await ok(b.listNamespaces());
    assert.deepEqual(namespaces, [...before, 'zeta', 'Alpha', 'é', '😀', '\uffee', 'a b', 'implicit'].sort(bytewise));
  },
  'deleteNamespace() refuses one with entries unless recursive': async (b) => {
    await ok(b.set('k', 1, { namespace: 'n' }));
    await ok(b.set('k', 2));
    await fails(b.deleteNamespace('n'), 'HYPHA_NAMESPACE_NOT_EMPTY');
    await fails(b.deleteNamespace('n', { recursive: false }), 'HYPHA_NAMESPACE_NOT_EMPTY');
    assert.equal((await ok(b.get('k', { namespace: 'n' }))).data, 1);
    assert.deepEqual(await b.deleteNamespace('n', { recursive: true }), { success: true });
    assert.ok(!(await ok(b.listNamespaces())).namespaces.includes('n'));
    await fails(b.get('k', { namespace: 'n' }), 'HYPHA_NOT_FOUND');
    assert.equal((await ok(b.get('k'))).data, 2);
    await ok(b.createNamespace('n'));
    assert.deepEqual((await ok(b.list({ namespace: 'n' }))).keys, []);
  },
  'deleteNamespace() deletes an empty one, explicit or emptied, and names a missing one': async (b) => {
    await ok(b.createNamespace('explicit'));
    await ok(b.deleteNamespace('explicit'));
    await ok(b.set('k', 1, { namespace: 'implicit' }));
    await ok(b.delete('k', { namespace: 'implicit' }));
    await ok(b.deleteNamespace('implicit'));
    await fails(b.deleteNamespace('explicit'), 'HYPHA_NAMESPACE_NOT_FOUND', 'Namespace "explicit" does not exist');
    await fails(b.deleteNamespace('never', { recursive: true }), 'HYPHA_NAMESPACE_NOT_FOUND', 'Namespace "never" does not exist');
  },
  'un-awaited namespace calls take effect in order': async (b) => {
    const calls = [
      b.createNamespace('n'), b.set('k', 1, { namespace: 'n' }), b.deleteNamespace('n', { recursive: true }),
      b.set('k', 2, { namespace: 'n' }), b.createNamespace('n'), b.get('k', { namespace: 'n' }),
    ];
    const results = [];
    for (const call of calls) results.push(await ok(call));
    assert.equal(results[5].data, 2);
  },
  'clear() with a namespace empties that one, and the namespace stays': async (b) => {
    await fill(b, ['a', 'b'], { namespace: 'n' });
    await fill(b, ['c']);
    assert.deepEqual(await b.clear({ namespace: 'n' }), { success: true });
    assert.deepEqual(await list(b, { namespace: 'n' }), []);
    assert.deepEqual(await list(b), ['c']);
    assert.ok((await ok(b.listNamespaces())).namespaces.includes('n'));
    await ok(b.clear({ namespace: 'never' }));
    assert.ok(!(await ok(b.listNamespaces())).namespaces.includes('never'));
  },
  'clear() without a namespace empties all of them, and they stay': async (b) => {
    await fill(b, ['a'], { namespace: 'n' });
    await fill(b, ['b']);
    await ok(b.createNamespace('explicit'));
    const { namespaces } = await ok(b.listNamespaces());
    await ok(b.clear());
    for (const namespace of namespaces) assert.deepEqual(await list(b, { namespace }), []);
    assert.deepEqual((await ok(b.listNamespaces())).namespaces, namespaces);
    await fails(b.createNamespace('explicit'), 'HYPHA_NAMESPACE_EXISTS');
  },
  'count() counts one namespace, whatever limit and sort say': async (b) => {
    await fill(b, ['a', 'b', 'c']);
    await fill(b, ['d'], { namespace: 'n' });
    assert.deepEqual(await b.count(), { success: true, count: 3 });
    assert.deepEqual(await b.count({ namespace: 'n', limit: 0, offset: 9, sort: { field: 'x' } }), { success: true, count: 1 });
    assert.deepEqual(await b.count({ namespace: 'never' }), { success: true, count: 0 });
    assert.deepEqual(await b.count({ limit: -1 }), { success: true, count: 3 });
  },
  'getStatus() tells the number of entries and of namespaces, and about the file': async (b) => {
    const before = (await ok(b.getStatus())).status;
    await fill(b, ['a', 'b']);
    await fill(b, ['c'], { namespace: 'n' });
    await ok(b.createNamespace('empty'));
    const { status } = await ok(b.getStatus());
    assert.equal(status.healthy, true);
    assert.equal(status.size, before.size + 3);
    assert.equal(status.namespaces, before.namespaces + 2);
    for (const name of ['bytes', 'walBytes', 'schemaVersion']) assert.ok(Number.isSafeInteger(status[name]) && status[name] >= 0, name);
    assert.equal(status.schemaVersion, 2);
    for (const name of ['backend', 'durability']) assert.equal(typeof status[name], 'string', name);
    assert.match(status.sqliteVersion, /^3\.\d+\.\d+$/);
    assert.ok('path' in status);
  },
};
