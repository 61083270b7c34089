// The contract: beginTransaction, commit, rollback, and every data method with a transactionId.

import assert from 'node:assert/strict';
import { fails, ok, pairs, until } from '../../helpers/outcomes.js';

const begin = async (b, options) => (await ok(b.beginTransaction(options))).transactionId;
const keysOf = async (b, options) => (await ok(b.list(options))).keys;

/** Every method that honours options.transactionId, as a call with the given options. */
const CALLS = {
  get: (b, o) => b.get('present', o),
  'get with metadata': (b, o) => b.get('present', { ...o, includeMetadata: true }),
  set: (b, o) => b.set('new', 1, o),
  delete: (b, o) => b.delete('present', o),
  has: (b, o) => b.has('present', o),
  getMany: (b, o) => b.getMany(['present'], o),
  setMany: (b, o) => b.setMany([{ key: 'new', value: 1 }], o),
  deleteMany: (b, o) => b.deleteMany(['present'], o),
  list: (b, o) => b.list(o),
  query: (b, o) => b.query([], o),
  count: (b, o) => b.count(o),
  createNamespace: (b, o) => b.createNamespace('created', o),
  deleteNamespace: (b, o) => b.deleteNamespace('emptied', o),
  listNamespaces: (b, o) => b.listNamespaces(o),
  getMetadata: (b, o) => b.getMetadata('present', o),
  setMetadata: (b, o) => b.setMetadata('present', { m: 1 }, o),
  clear: (b, o) => b.clear(o),
};

async function prepare(b) {
  await ok(b.set('present', 1));
  await ok(b.createNamespace('emptied'));
}

async function untouched(b) {
  assert.deepEqual(await keysOf(b), ['present']);
  assert.deepEqual((await ok(b.getMetadata('present'))).metadata, {});
  const { namespaces } = await ok(b.listNamespaces());
  assert.ok(namespaces.includes('emptied') && !namespaces.includes('created'));
}

export const transactionCases = {
  'beginTransaction() gives an id; commit() keeps the changes': async (b) => {
    const begun = await ok(b.beginTransaction());
    assert.deepEqual(Object.keys(begun).sort(), ['success', 'transactionId']);
    const { transactionId } = begun;
    assert.equal(typeof transactionId, 'string');
    await ok(b.set('k', 1, { transactionId }));
    assert.deepEqual(await b.commit(transactionId), { success: true });
    assert.equal((await ok(b.get('k'))).data, 1);
  },
  'rollback() undoes everything': async (b) => {
    await prepare(b);
    const transactionId = await begin(b);
    for (const name of Object.keys(CALLS)) {
      if (name !== 'get' && name !== 'clear') await CALLS[name](b, { transactionId });
    }
    await ok(b.clear({ transactionId }));
    assert.deepEqual(await b.rollback(transactionId), { success: true });
    await untouched(b);
  },
  'a transaction sees its own changes and nobody else does before the commit': async (b) => {
    await prepare(b);
    const transactionId = await begin(b);
    const own = { transactionId };
    await ok(b.set('new', { v: 1 }, { ...own, metadata: { m: 1 } }));
    await ok(b.delete('present', own));
    await ok(b.createNamespace('created', own));
    assert.deepEqual(await b.get('new', { ...own, includeMetadata: true }), { success: true, data: { v: 1 }, metadata: { m: 1 } });
    assert.deepEqual(await b.has('present', own), { success: true, exists: false });
    assert.deepEqual(pairs((await ok(b.getMany(['new'], own))).data), [['new', { v: 1 }]]);
    assert.deepEqual(await keysOf(b, own), ['new']);
    assert.deepEqual((await ok(b.query({ field: 'v', operator: 'eq', value: 1 }, own))).results.map(({ key }) => key), ['new']);
    assert.equal((await ok(b.count(own))).count, 1);
    assert.deepEqual((await ok(b.getMetadata('new', own))).metadata, { m: 1 });
    assert.ok((await ok(b.listNamespaces(own))).namespaces.includes('created'));
    await untouched(b);
    await fails(b.get('new'), 'HYPHA_NOT_FOUND');
    assert.equal((await ok(b.count())).count, 1);
    await ok(b.commit(transactionId));
    assert.deepEqual(await keysOf(b), ['new']);
  },
  'a commit is seen by a read that is issued right after commit() was called': async (b) => {
    const transactionId = await begin(b);
    await ok(b.set('k', 1, { transactionId }));
    const committing = b.commit(transactionId);
    assert.equal((await ok(b.get('k'))).data, 1);
    await ok(committing);
  },
  'un-awaited calls of a transaction run in order': async (b) => {
    const transactionId = await begin(b);
    const calls = [
      b.set('k', 1, { transactionId }), b.set('k', 2, { transactionId }), b.get('k', { transactionId }), b.delete('k', { transactionId }),
      b.has('k', { transactionId }), b.set('k', 3, { transactionId }), b.commit(transactionId),
    ];
    const results = [];
    for (const call of calls) results.push(await ok(call));
    assert.equal(results[2].data, 2);
    assert.equal(results[4].exists, false);
    assert.equal((await ok(b.get('k'))).data, 3);
  },
  'a write outside waits for the transaction and is never swallowed by it': async (b) => {
    const transactionId = await begin(b);
    await ok(b.set('inside', 1, { transactionId }));
    const outside = [b.set('outside', 1), b.setMany([{ key: 'many', value: 2 }])];
    await ok(b.rollback(transactionId));
    for (const write of outside) await ok(write);
    assert.deepEqual(await keysOf(b), ['many', 'outside']);
  },
  'twenty concurrent users write ten keys each; what half of them roll back is gone': async (b) => {
    const user = async (n) => {
      const transactionId = await begin(b);
      for (let i = 0; i < 10; i++) {
        await ok(b.set(`user${n}:${i}`, { n, i }, { transactionId }));
        assert.equal((await ok(b.get(`user${n}:${i}`, { transactionId }))).data.i, i);
      }
      assert.equal((await ok(b.list({ pattern: `user${n}:*`, transactionId }))).keys.length, 10);
      await ok(n % 2 === 0 ? b.commit(transactionId) : b.rollback(transactionId));
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => user(n)));
    const expected = [];
    for (let n = 0; n < 20; n += 2) for (let i = 0; i < 10; i++) expected.push(`user${n}:${i}`);
    assert.deepEqual(await keysOf(b), expected.sort());
  },
  'ids are never given twice': async (b) => {
    const ids = new Set();
    for (let i = 0; i < 20; i++) {
      const id = await begin(b);
      ids.add(id);
      await ok(i % 2 === 0 ? b.commit(id) : b.rollback(id));
    }
    assert.equal(ids.size, 20);
  },
  'an id that is unknown or over is invalid everywhere, and nothing is done': async (b) => {
    await prepare(b);
    const [committed, rolledBack] = [await begin(b), ''];
    await ok(b.commit(committed));
    const other = await begin(b);
    await ok(b.rollback(other));
    for (const transactionId of [committed, other, rolledBack, 'tx_999999', 'nonsense', 5, {}, '__proto__']) {
      for (const call of Object.values(CALLS)) {
        await fails(call(b, { transactionId }), 'HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
      }
      await fails(b.commit(transactionId), 'HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
      await fails(b.rollback(transactionId), 'HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
    }
    for (const nothing of [undefined, null]) {
      await fails(b.commit(nothing), 'HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
      await fails(b.rollback(nothing), 'HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
    }
    await untouched(b);
  },
  'results keep their shape when the id is invalid': async (b) => {
    const options = { transactionId: 'unknown' };
    assert.equal((await b.has('k', options)).exists, false);
    assert.deepEqual(pairs((await b.getMany(['k'], options)).data), []);
    assert.deepEqual(pairs((await b.setMany([], options)).results), []);
    assert.deepEqual(pairs((await b.deleteMany([], options)).results), []);
  },
  'every isolation of the contract is accepted, any other is refused': async (b) => {
    for (const isolation of [undefined, null, 'READ_UNCOMMITTED', 'READ_COMMITTED', 'SERIALIZABLE']) {
      await ok(b.commit(await begin(b, { isolation })));
    }
    for (const isolation of ['SNAPSHOT', '', 5, {}]) await fails(b.beginTransaction({ isolation }), 'HYPHA_INVALID_ARGUMENT', /isolation/);
    for (const timeout of [0, -1, 1.5, NaN, '5', Infinity]) await fails(b.beginTransaction({ timeout }), 'HYPHA_INVALID_ARGUMENT', /timeout/);
    await ok(b.commit(await begin(b, { unknown: 1, timeout: undefined })));
  },
  'past its deadline a transaction is rolled back and every use of it is a timeout': async (b) => {
    await prepare(b);
    const transactionId = await begin(b, { timeout: 40 });
    await b.set('new', 1, { transactionId }); // on a busy machine the deadline may have passed already
    await until(async () => (await b.has('new', { transactionId })).error?.code === 'HYPHA_TRANSACTION_TIMEOUT', 'the deadline');
    await ok(b.set('free', 1)); // the writer is free again
    await ok(b.delete('free'));
    for (const call of Object.values(CALLS)) await fails(call(b, { transactionId }), 'HYPHA_TRANSACTION_TIMEOUT');
    await fails(b.commit(transactionId), 'HYPHA_TRANSACTION_TIMEOUT');
    await fails(b.rollback(transactionId), 'HYPHA_TRANSACTION_TIMEOUT');
    await fails(b.commit(transactionId), 'HYPHA_TRANSACTION_TIMEOUT');
    await untouched(b);
  },
  'a forgotten transaction does not hold others up past its deadline': async (b) => {
    const forgotten = await begin(b, { timeout: 40 });
    await b.set('never', 1, { transactionId: forgotten });
    const next = await begin(b);
    await ok(b.set('k', 1, { transactionId: next }));
    await ok(b.commit(next));
    assert.deepEqual(await keysOf(b), ['k']);
    await fails(b.commit(forgotten), 'HYPHA_TRANSACTION_TIMEOUT');
  },
  'a call that fails inside a transaction leaves the rest of it alone': async (b) => {
    const transactionId = await begin(b);
    await ok(b.set('a', 1, { transactionId }));
    await fails(b.set('a', 2, { transactionId, overwrite: false }), 'HYPHA_EXISTS');
    await fails(b.setMetadata('absent', {}, { transactionId }), 'HYPHA_NOT_FOUND');
    await fails(b.set('b', 1n, { transactionId }), 'HYPHA_INVALID_VALUE');
    assert.equal((await b.setMany([{ key: 'c', value: 1 }, { key: 'a', value: 2 }], { transactionId, atomic: true, overwrite: false })).success, false);
    assert.equal((await b.setMany([{ key: 'd', value: 1 }, { key: 'a', value: 2 }], { transactionId, overwrite: false })).success, false);
    await ok(b.commit(transactionId));
    assert.deepEqual(await keysOf(b), ['a', 'd']);
    assert.equal((await ok(b.get('a'))).data, 1);
  },
  'a batch whose entries name namespaces stays in its transaction': async (b) => {
    const transactionId = await begin(b);
    await ok(b.setMany([{ key: 'k', value: 1, options: { namespace: 'n' } }, { key: 'k', value: 2 }], { transactionId }));
    await ok(b.rollback(transactionId));
    assert.deepEqual(await keysOf(b), []);
    assert.deepEqual(await keysOf(b, { namespace: 'n' }), []);
  },
  'a transaction may be ended only once, even by calls at once': async (b) => {
    const transactionId = await begin(b);
    await ok(b.set('k', 1, { transactionId }));
    const results = await Promise.all([b.commit(transactionId), b.rollback(transactionId), b.commit(transactionId)]);
    assert.deepEqual(results.map(({ success }) => success), [true, false, false]);
    for (const { error } of results.slice(1)) assert.equal(error.code, 'HYPHA_TRANSACTION_INVALID');
    assert.equal((await ok(b.get('k'))).data, 1);
  },
};
