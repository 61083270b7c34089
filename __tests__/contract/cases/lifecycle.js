// The contract: closing, and that no method ever rejects.

import assert from 'node:assert/strict';
import { fails, ok, pairs } from '../../helpers/outcomes.js';

export const METHODS = [
  'get', 'set', 'delete', 'has', 'getMany', 'setMany', 'deleteMany', 'list', 'query', 'count', 'createNamespace', 'deleteNamespace',
  'listNamespaces', 'getMetadata', 'setMetadata', 'clear', 'getStatus', 'beginTransaction', 'commit', 'rollback',
];

const ARGUMENTS = {
  get: ['k'], set: ['k', 1], delete: ['k'], has: ['k'], getMany: [['k']], setMany: [[{ key: 'k', value: 1 }]], deleteMany: [['k']], query: [[]],
  createNamespace: ['n'], deleteNamespace: ['n'], getMetadata: ['k'], setMetadata: ['k', {}], commit: ['tx_1'], rollback: ['tx_1'],
};

/** What a failing method answers besides success and error. */
const EMPTY = {
  has: (result) => assert.equal(result.exists, false),
  getMany: (result) => assert.deepEqual(pairs(result.data), []),
  setMany: (result) => assert.deepEqual(pairs(result.results), []),
  deleteMany: (result) => assert.deepEqual(pairs(result.results), []),
  getStatus: (result) => assert.equal(result.status.healthy, false),
};

async function everyMethodIsClosed(b) {
  for (const method of METHODS) {
    const result = await fails(b[method](...(ARGUMENTS[method] ?? [])), 'HYPHA_CLOSED');
    EMPTY[method]?.(result);
  }
}

/** Anything a caller may hand over by mistake. */
const ODD = [undefined, null, 5, 'text', [], {}, () => 1, Symbol('s'), 1n, NaN, new Map(), new Date(NaN), Object.create(null)];

export const lifecycleCases = {
  'all 20 methods are there, and the three booleans': async (b) => {
    for (const method of METHODS) assert.equal(typeof b[method], 'function', method);
    for (const name of ['supportsTransactions', 'supportsQuery', 'supportsMetadata']) assert.equal(b[name], true);
  },
  'every method answers a promise of a plain object': async (b) => {
    for (const method of METHODS) {
      const promise = b[method](...(ARGUMENTS[method] ?? []));
      assert.equal(typeof promise.then, 'function');
      const result = await promise;
      assert.equal(Object.getPrototypeOf(result), Object.prototype);
      assert.equal(typeof result.success, 'boolean');
      assert.equal('error' in result, !result.success && !('errors' in result));
      if (method === 'beginTransaction') await ok(b.rollback(result.transactionId));
    }
  },
  'no method rejects or throws, whatever it is given': async (b) => {
    for (const method of METHODS) {
      if (method === 'beginTransaction') continue;
      for (const first of ODD) {
        for (const second of [undefined, null, 5, 'text', {}, [], Symbol('s')]) {
          const result = await b[method](first, second, second);
          assert.equal(typeof result.success, 'boolean', method);
        }
      }
    }
    await ok(b.set('k', 1));
  },
  'after close() every method answers HYPHA_CLOSED': async (b, { owner }) => {
    await ok(b.set('k', 1));
    const { transactionId } = await ok(b.beginTransaction());
    await owner.close();
    await everyMethodIsClosed(b);
    await fails(b.get('k', { transactionId }), 'HYPHA_CLOSED');
    await fails(b.commit(transactionId), 'HYPHA_CLOSED');
  },
  'close() may be un-awaited and called again; calls after it are closed at once': async (b, { owner }) => {
    await ok(b.set('k', 1));
    const closing = [owner.close(), owner.close()];
    await everyMethodIsClosed(b);
    for (const promise of [...closing, owner.close()]) assert.deepEqual(await promise, { success: true });
    await everyMethodIsClosed(b);
  },
  'what was issued before close() is answered, and no promise is left pending': async (b, { owner }) => {
    await ok(b.set('old', 1));
    const { transactionId } = await ok(b.beginTransaction());
    await ok(b.set('in transaction', 1, { transactionId }));
    const waiting = [b.set('a', 1), b.setMany([{ key: 'b', value: 2 }]), b.get('old'), b.get('a'), b.list(), b.query([]), b.count(), b.beginTransaction()];
    const closing = owner.close();
    const results = await Promise.all(waiting);
    for (const result of results) assert.equal(typeof result.success, 'boolean');
    assert.deepEqual(await closing, { success: true });
  },
  'writes issued before close() are stored': async (b, { owner, reopen }) => {
    const writing = [b.set('a', 1), b.set('b', 2, { metadata: { m: 1 } }), b.createNamespace('n')];
    await owner.close();
    for (const write of writing) await ok(write);
    if (reopen === undefined) return; // in memory nothing is left to look at
    const again = await reopen();
    assert.deepEqual((await ok(again.list())).keys, ['a', 'b']);
    assert.deepEqual((await ok(again.getMetadata('b'))).metadata, { m: 1 });
    assert.ok((await ok(again.listNamespaces())).namespaces.includes('n'));
  },
  'an open transaction is rolled back by close()': async (b, { owner, reopen }) => {
    await ok(b.set('kept', 1));
    const { transactionId } = await ok(b.beginTransaction());
    await ok(b.set('lost', 1, { transactionId }));
    assert.deepEqual(await owner.close(), { success: true });
    if (reopen === undefined) return;
    assert.deepEqual((await ok((await reopen()).list())).keys, ['kept']);
  },
};
