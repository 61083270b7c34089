// Store: the data methods.

import assert from 'node:assert/strict';
import { INVALID_KEY_STRINGS, INVALID_KEYS, INVALID_VALUES, pairs, rejects } from '../../helpers/outcomes.js';

const fill = (s, keys, options) => s.setMany(keys.map((key) => ({ key, value: { of: key } })), options);

export const entryCases = {
  'get() answers the value, or undefined when the key is absent': async (s) => {
    await s.set('k', { a: [1, null] });
    assert.deepEqual(await s.get('k'), { a: [1, null] });
    assert.equal(await s.get('absent'), undefined);
    assert.equal(await s.get('k', { namespace: 'never' }), undefined);
    await s.set('null', null);
    assert.equal(await s.get('null'), null);
    assert.notEqual(await s.get('k'), await s.get('k'));
  },
  'getEntry() answers key, value, metadata, times and version': async (s) => {
    const before = Date.now();
    const { version } = await s.set('k', 1, { metadata: { m: 1 } });
    const entry = await s.getEntry('k');
    assert.deepEqual(Object.keys(entry).sort(), ['createdAt', 'key', 'metadata', 'updatedAt', 'value', 'version']);
    assert.deepEqual([entry.key, entry.value, entry.metadata, entry.version], ['k', 1, { m: 1 }, version]);
    assert.ok(Number.isInteger(entry.createdAt) && entry.createdAt >= before && entry.createdAt <= Date.now());
    assert.equal(entry.createdAt, entry.updatedAt);
    await s.set('k', 2);
    const later = await s.getEntry('k');
    assert.equal(later.createdAt, entry.createdAt);
    assert.ok(later.updatedAt >= entry.updatedAt && later.version > version);
    assert.equal(await s.getEntry('absent'), undefined);
    await s.set('plain', 1);
    assert.deepEqual((await s.getEntry('plain')).metadata, {});
  },
  'every change gets a version that no other change has had': async (s) => {
    const versions = [
      (await s.set('a', 1)).version, (await s.set('a', 1)).version, (await s.set('b', 1, { namespace: 'n' })).version, (await s.setMetadata('a', {})).version,
      ...(await s.setMany([{ key: 'c', value: 1 }, { key: 'a', value: 2 }])).outcomes.map(({ version }) => version), (await s.set('a', 3)).version,
    ];
    for (const version of versions) assert.ok(Number.isSafeInteger(version) && version > 0);
    assert.deepEqual([...versions].sort((x, y) => x - y), versions);
    assert.equal(new Set(versions).size, versions.length);
    assert.equal((await s.getEntry('a')).version, versions.at(-1));
  },
  'a deleted and rewritten key gets a new version': async (s) => {
    const { version } = await s.set('k', 1);
    await s.delete('k');
    assert.ok((await s.set('k', 1)).version > version);
  },
  'set() with ifVersion succeeds only on that version, null means absent': async (s) => {
    await rejects(s.set('k', 1, { ifVersion: 1 }), 'HYPHA_CONFLICT');
    const { version } = await s.set('k', 1, { ifVersion: null });
    await rejects(s.set('k', 2, { ifVersion: null }), 'HYPHA_CONFLICT');
    await rejects(s.set('k', 2, { ifVersion: version + 1 }), 'HYPHA_CONFLICT');
    const next = await s.set('k', 2, { ifVersion: version });
    await rejects(s.set('k', 3, { ifVersion: version }), 'HYPHA_CONFLICT');
    assert.equal(await s.get('k'), 2);
    await rejects(s.delete('k', { ifVersion: version }), 'HYPHA_CONFLICT');
    assert.equal(await s.delete('k', { ifVersion: next.version }), true);
  },
  'one of many concurrent writers with the same ifVersion wins': async (s) => {
    const { version } = await s.set('k', 'start');
    const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => s.set('k', i, { ifVersion: version })));
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const { reason } of results) if (reason) assert.equal(reason.code, 'HYPHA_CONFLICT');
  },
  'set() with overwrite:false refuses a present key': async (s) => {
    await s.set('k', 1, { overwrite: false });
    await rejects(s.set('k', 2, { overwrite: false }), 'HYPHA_EXISTS', 'Key "k" already exists in namespace "default"');
    assert.equal(await s.get('k'), 1);
  },
  'delete() tells whether there was an entry': async (s) => {
    await s.set('k', 1);
    assert.equal(await s.delete('k'), true);
    assert.equal(await s.delete('k'), false);
    assert.equal(await s.has('k'), false);
  },
  'getMany() leaves absent keys out, in the order asked': async (s) => {
    await fill(s, ['a', 'b']);
    assert.deepEqual(pairs(await s.getMany(['b', 'absent', 'a', 'b'])), [['b', { of: 'b' }], ['a', { of: 'a' }]]);
    assert.deepEqual(pairs(await s.getMany(new Set())), []);
    for (const keys of [null, undefined, 5, {}, 'ab']) await rejects(s.getMany(keys), 'HYPHA_INVALID_ARGUMENT');
    await rejects(s.getMany(['a', '']), 'HYPHA_INVALID_KEY');
  },
  'setMany() answers an outcome for each entry, in input order': async (s) => {
    await s.set('present', 0);
    const { ok, outcomes } = await s.setMany([
      { key: 'a', value: 1 }, { key: 'present', value: 2, overwrite: false }, { key: 'b', value: 3, namespace: 'n', metadata: { m: 1 } }, { key: '', value: 4 }, { key: 'c', value: 1n },
    ]);
    assert.equal(ok, false);
    assert.deepEqual(outcomes.map((o) => [o.key, o.namespace, o.ok, o.error?.code]), [
      ['a', 'default', true, undefined], ['present', 'default', false, 'HYPHA_EXISTS'], ['b', 'n', true, undefined], ['', 'default', false, 'HYPHA_INVALID_KEY'],
      ['c', 'default', false, 'HYPHA_INVALID_VALUE'],
    ]);
    assert.equal(outcomes[0].version, (await s.getEntry('a')).version);
    assert.deepEqual((await s.getEntry('b', { namespace: 'n' })).metadata, { m: 1 });
    assert.deepEqual(await s.list(), ['a', 'present']);
    assert.deepEqual(await s.setMany([]), { ok: true, outcomes: [] });
  },
  'setMany() with atomic throws and writes nothing when one entry fails': async (s) => {
    await s.set('present', 0);
    await rejects(s.setMany([{ key: 'a', value: 1 }, { key: 'present', value: 2, overwrite: false }], { atomic: true }), 'HYPHA_EXISTS');
    await rejects(s.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 1, ifVersion: 77 }], { atomic: true }), 'HYPHA_CONFLICT');
    await rejects(s.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 1n }], { atomic: true }), 'HYPHA_INVALID_VALUE');
    assert.deepEqual(await s.list(), ['present']);
    const { ok, outcomes } = await s.setMany([{ key: 'a', value: 1 }, { key: 'b', value: 2 }], { atomic: true });
    assert.ok(ok && outcomes.every((outcome) => outcome.ok && outcome.version > 0));
  },
  'deleteMany() tells of each key whether it was there': async (s) => {
    await fill(s, ['a', 'b']);
    const { ok, outcomes } = await s.deleteMany(['a', 'absent', 'a']);
    assert.equal(ok, true);
    assert.deepEqual(outcomes.map(({ deleted }) => deleted), [true, false, false]);
    assert.equal((await s.deleteMany(['b', ''])).ok, false);
    await fill(s, ['a']);
    await rejects(s.deleteMany(['a', ''], { atomic: true }), 'HYPHA_INVALID_KEY');
    assert.deepEqual(await s.list(), ['a']);
  },
  'metadata is kept, replaced, merged and told': async (s) => {
    await s.set('k', 1, { metadata: { a: 1 } });
    await s.set('k', 2);
    assert.deepEqual(await s.getMetadata('k'), { a: 1 });
    await s.setMetadata('k', { b: 2 });
    assert.deepEqual(await s.getMetadata('k'), { a: 1, b: 2 });
    await s.setMetadata('k', { c: 3 }, { merge: false });
    assert.deepEqual(await s.getMetadata('k'), { c: 3 });
    assert.equal(await s.getMetadata('absent'), undefined);
    await rejects(s.setMetadata('absent', {}), 'HYPHA_NOT_FOUND', 'Key "absent" not found in namespace "default"');
    await rejects(s.setMetadata('absent', {}, { merge: false }), 'HYPHA_NOT_FOUND');
    for (const bad of [null, undefined, [], 5]) await rejects(s.setMetadata('k', bad), 'HYPHA_INVALID_VALUE');
  },
  'what is no key or no value is refused by every method': async (s) => {
    const calls = [(key) => s.get(key), (key) => s.getEntry(key), (key) => s.has(key), (key) => s.set(key, 1), (key) => s.delete(key), (key) => s.getMetadata(key), (key) => s.setMetadata(key, {})];
    for (const call of calls) for (const key of [...INVALID_KEYS, ...INVALID_KEY_STRINGS]) await rejects(call(key), 'HYPHA_INVALID_KEY');
    for (const [, value] of INVALID_VALUES) await rejects(s.set('k', value), 'HYPHA_INVALID_VALUE');
    assert.equal(await s.count(), 0);
  },
  'list() takes prefix and after beside pattern, limit and offset': async (s) => {
    await fill(s, ['a:1', 'a:2', 'a:3', 'b:1', 'a']);
    assert.deepEqual(await s.list({ prefix: 'a:' }), ['a:1', 'a:2', 'a:3']);
    assert.deepEqual(await s.list({ after: 'a:2' }), ['a:3', 'b:1']);
    assert.deepEqual(await s.list({ prefix: 'a:', after: 'a:1', limit: 1 }), ['a:2']);
    assert.deepEqual(await s.list({ prefix: 'a:', pattern: '*3' }), ['a:3']);
    assert.deepEqual(await s.list({ prefix: '', after: 'zz' }), []);
    for (const name of ['prefix', 'after', 'pattern']) await rejects(s.list({ [name]: 5 }), 'HYPHA_INVALID_ARGUMENT', new RegExp(name));
    for (const name of ['prefix', 'after', 'pattern']) await rejects(s.list({ [name]: '\ud800' }), 'HYPHA_INVALID_ARGUMENT');
  },
  'query() answers whole entries, and takes nothing for everything': async (s) => {
    await s.set('a', { n: 2 }, { metadata: { m: 1 } });
    await s.set('b', { n: 1 });
    assert.deepEqual(await s.query(), [await s.getEntry('a'), await s.getEntry('b')]);
    assert.deepEqual((await s.query({ field: 'n', operator: 'gt', value: 1 })).map(({ key }) => key), ['a']);
    assert.deepEqual((await s.query(null, { sort: { field: 'n' }, limit: 1 })).map(({ key }) => key), ['b']);
    assert.deepEqual((await s.query([], { sort: [{ system: 'version', order: 'desc' }] })).map(({ key }) => key), ['b', 'a']);
    await rejects(s.query([{ field: 'n', operator: 'nope' }]), 'HYPHA_INVALID_FILTER', /\[0\]\.operator/);
    await rejects(s.query([], { sort: { field: 'n', direction: 'desc' } }), 'HYPHA_UNKNOWN_OPTION', /direction/);
    await rejects(s.query([], { limit: -1 }), 'HYPHA_INVALID_ARGUMENT');
  },
  'count() counts entries, or those that match': async (s) => {
    await fill(s, ['a', 'b']);
    assert.equal(await s.count(), 2);
    assert.equal(await s.count({ filter: { field: 'of', operator: 'eq', value: 'a' } }), 1);
    assert.equal(await s.count({ namespace: 'never' }), 0);
  },
  'clear() tells how many entries went': async (s) => {
    await fill(s, ['a', 'b']);
    await fill(s, ['c'], { namespace: 'n' });
    assert.equal(await s.clear({ namespace: 'n' }), 1);
    assert.equal(await s.clear(), 2);
    assert.equal(await s.clear(), 0);
  },
  'a result of many parts comes whole and in order': async (s) => {
    const text = 'x'.repeat(10_000);
    const keys = Array.from({ length: 120 }, (_, i) => `k${String(i).padStart(3, '0')}`);
    await s.setMany(keys.map((key) => ({ key, value: { key, text } })));
    const entries = await s.query();
    assert.deepEqual(entries.map(({ key }) => key), keys);
    assert.ok(entries.every(({ key, value }) => value.key === key && value.text === text));
    assert.equal((await s.getMany(keys)).size, 120);
  },
};
