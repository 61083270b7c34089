// Store: namespaces, transactions, copying, closing.

import assert from 'node:assert/strict';
import { rejects, until } from '../../helpers/outcomes.js';
import { PlainBackend } from '../../helpers/plain-backend.js';

export const namespaceCases = {
  'namespace() is the same data methods with the namespace fixed': async (s) => {
    const users = s.namespace('users');
    await users.set('a', 1, { metadata: { m: 1 } });
    await s.set('a', 2);
    assert.equal(await users.get('a'), 1);
    assert.equal(await s.get('a', { namespace: 'users' }), 1);
    assert.equal(await users.get('a', { namespace: 'users' }), 1);
    await rejects(users.get('a', { namespace: 'other' }), 'HYPHA_INVALID_ARGUMENT', /"users"/);
    await users.setMany([{ key: 'b', value: 2 }]);
    assert.deepEqual(await users.list(), ['a', 'b']);
    assert.equal(await users.count(), 2);
    assert.equal((await users.query({ field: 'value', operator: 'eq', value: 2 }))[0].key, 'b');
    assert.deepEqual((await users.deleteMany(['b'])).outcomes[0].namespace, 'users');
    assert.equal(await users.clear(), 1);
    assert.equal(await s.get('a'), 2);
    for (const method of ['createNamespace', 'transaction', 'close', 'namespace']) assert.equal(users[method], undefined, method);
  },
  'namespace() refuses what is no name at once': async (s) => {
    for (const name of [undefined, '', ' ', 5, '\ud800']) assert.throws(() => s.namespace(name), { code: 'HYPHA_INVALID_NAMESPACE' });
    assert.throws(() => s.namespace('n'.repeat(513)), { code: 'HYPHA_TOO_LARGE' });
  },
  'getNamespace() tells explicit from implicit ones, with metadata': async (s) => {
    await s.createNamespace('made', { metadata: { owner: 'me' } });
    await s.set('k', 1, { namespace: 'implied' });
    const made = await s.getNamespace('made');
    assert.deepEqual({ ...made, createdAt: 0 }, { name: 'made', explicit: true, metadata: { owner: 'me' }, createdAt: 0 });
    assert.ok(Number.isInteger(made.createdAt));
    assert.equal((await s.getNamespace('implied')).explicit, false);
    await s.createNamespace('implied', { metadata: { now: 'explicit' } });
    assert.deepEqual((await s.getNamespace('implied')).metadata, { now: 'explicit' });
    assert.equal((await s.getNamespace('implied')).explicit, true);
    assert.equal(await s.getNamespace('never'), undefined);
    assert.deepEqual(await s.listNamespaces(), ['default', 'implied', 'made']);
  },
  'default is explicit from the start, with and without entries': async (s) => {
    assert.equal((await s.getNamespace('default')).explicit, true);
    await s.set('k', 1);
    assert.equal((await s.getNamespace('default')).explicit, true);
    await s.delete('k');
    assert.equal((await s.getNamespace('default')).explicit, true);
  },
  'namespaces are refused with their own codes': async (s) => {
    await s.createNamespace('n');
    await rejects(s.createNamespace('n'), 'HYPHA_NAMESPACE_EXISTS');
    await rejects(s.deleteNamespace('never'), 'HYPHA_NAMESPACE_NOT_FOUND');
    await rejects(s.deleteNamespace('default'), 'HYPHA_NAMESPACE_RESERVED');
    await s.set('k', 1, { namespace: 'n' });
    await rejects(s.deleteNamespace('n'), 'HYPHA_NAMESPACE_NOT_EMPTY');
    await s.deleteNamespace('n', { recursive: true });
    assert.deepEqual(await s.listNamespaces(), ['default']);
  },
};

export const transactionCases = {
  'transaction() commits what its body did and answers what it returned': async (s) => {
    const answer = await s.transaction(async (tx) => {
      await tx.set('a', 1);
      await tx.namespace('n').set('b', 2);
      await tx.createNamespace('made');
      assert.equal(await tx.get('a'), 1);
      assert.equal((await tx.getEntry('a')).value, 1);
      assert.deepEqual(await tx.list({ namespace: 'n' }), ['b']);
      return 'answer';
    });
    assert.equal(answer, 'answer');
    assert.equal(await s.get('b', { namespace: 'n' }), 2);
    assert.deepEqual(await s.listNamespaces(), ['default', 'made', 'n']);
  },
  'transaction() rolls back when its body throws, and rejects with that': async (s) => {
    await s.set('a', 'old');
    const failure = new Error('from the body');
    for (const body of [
      async (tx) => { await tx.set('a', 'new'); throw failure; },
      (tx) => { tx.set('a', 'new').catch(() => {}); throw failure; },
    ]) {
      await assert.rejects(s.transaction(body), (error) => error === failure);
      assert.equal(await s.get('a'), 'old');
    }
  },
  'a transaction cannot be used after its body': async (s) => {
    let escaped;
    await s.transaction(async (tx) => { escaped = tx; });
    await rejects(escaped.set('k', 1), 'HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
    await rejects(escaped.get('k'), 'HYPHA_TRANSACTION_INVALID');
    await rejects(escaped.commit(), 'HYPHA_TRANSACTION_INVALID');
    assert.equal(await s.get('k'), undefined);
  },
  'the store itself answers HYPHA_NESTED inside the body': async (s) => {
    await s.set('k', 'before');
    await s.transaction(async (tx) => {
      await tx.set('k', 'inside');
      const writes = [
        s.set('x', 1), s.delete('k'), s.setMany([{ key: 'x', value: 1 }]), s.deleteMany(['k']), s.setMetadata('k', {}), s.clear(), s.createNamespace('n'),
        s.deleteNamespace('n'), s.beginTransaction(), s.transaction(() => {}), s.namespace('n').set('x', 1),
      ];
      for (const write of writes) await rejects(write, 'HYPHA_NESTED');
      assert.equal(await s.get('k'), 'before'); // a read that waits for nothing is no trouble
      await Promise.resolve().then(() => rejects(s.set('x', 1), 'HYPHA_NESTED'));
    });
    assert.equal(await s.get('k'), 'inside');
    await s.set('x', 1);
    assert.equal(await s.get('x'), 1);
  },
  'a write begun outside waits while a body runs, and lands after it': async (s) => {
    const release = {};
    release.promise = new Promise((resolve) => { release.now = resolve; });
    const running = s.transaction(async (tx) => {
      await tx.set('k', 'inside');
      await release.promise;
    });
    await until(async () => (await s.status()).size === 0, 'the transaction to begin');
    const outside = s.set('k', 'outside');
    release.now();
    await running;
    await outside;
    assert.equal(await s.get('k'), 'outside');
  },
  'beginTransaction() gives a transaction with commit(), rollback() and an id': async (s) => {
    const first = await s.beginTransaction();
    await first.set('a', 1);
    await first.rollback();
    const second = await s.beginTransaction();
    assert.notEqual(second.id, first.id);
    assert.equal(await second.has('a'), false);
    await second.set('a', 2);
    await second.setMany([{ key: 'b', value: 3 }], { atomic: true });
    assert.equal(await s.get('a'), undefined);
    await second.commit();
    assert.deepEqual(await s.list(), ['a', 'b']);
    for (const end of [() => second.commit(), () => second.rollback(), () => first.commit()]) await rejects(end, 'HYPHA_TRANSACTION_INVALID', 'Invalid transaction ID');
  },
  'past its timeout a transaction is rolled back and stays timed out': async (s) => {
    const tx = await s.beginTransaction({ timeout: 30 });
    await tx.set('k', 1).catch(() => {}); // on a busy machine the deadline may have passed already
    await s.set('other', 1); // waits until the deadline has freed the writer
    for (const use of [() => tx.get('k'), () => tx.set('k', 2), () => tx.commit(), () => tx.rollback(), () => tx.commit()]) await rejects(use, 'HYPHA_TRANSACTION_TIMEOUT');
    assert.equal(await s.get('k'), undefined);
    await rejects(s.transaction(async (inner) => {
      await inner.set('k', 1);
      await until(async () => inner.get('k').then(() => false, () => true), 'the deadline');
    }, { timeout: 30 }), 'HYPHA_TRANSACTION_TIMEOUT');
    assert.equal(await s.get('k'), undefined);
  },
};

async function source() {
  const backend = new PlainBackend();
  for (let i = 0; i < 1200; i++) await backend.set(`k${i}`, { i, at: new Date(i) }, { metadata: i % 2 === 0 ? { even: true } : undefined });
  await backend.set('x', null, { namespace: 'other', metadata: { m: 1 } });
  backend.namespaces.set('empty', new Map());
  return backend;
}

export const copyCases = {
  'copyFrom() copies entries, metadata and namespaces of any contract backend': async (s) => {
    assert.deepEqual(await s.copyFrom(await source()), { namespaces: 3, entries: 1201 });
    assert.deepEqual(await s.listNamespaces(), ['default', 'empty', 'other']);
    assert.equal(await s.count(), 1200);
    assert.deepEqual(await s.get('k7'), { i: 7, at: '1970-01-01T00:00:00.007Z' });
    assert.deepEqual(await s.getMetadata('k8'), { even: true });
    assert.deepEqual(await s.getMetadata('k7'), {});
    assert.deepEqual(await s.getEntry('x', { namespace: 'other' }).then(({ value, metadata }) => ({ value, metadata })), { value: null, metadata: { m: 1 } });
  },
  'copyFrom() adds to a store that has entries, and overwrites the same keys': async (s) => {
    await s.set('k7', 'mine');
    await s.set('own', 1);
    await s.set('x', 'implicit', { namespace: 'other' });
    await s.copyFrom(await source());
    assert.equal(await s.count(), 1201);
    assert.equal((await s.get('k7')).i, 7);
    assert.equal(await s.get('x', { namespace: 'other' }), null);
    assert.deepEqual(await s.copyFrom(await source()), { namespaces: 3, entries: 1201 });
  },
  'copyFrom() copies only the namespaces asked for': async (s) => {
    assert.deepEqual(await s.copyFrom(await source(), { namespaces: ['other'] }), { namespaces: 1, entries: 1 });
    assert.deepEqual(await s.listNamespaces(), ['default', 'other']);
  },
  'copyFrom() fails when the source fails, cannot be held, or changes meanwhile': async (s) => {
    for (const bad of [null, {}, 5]) await rejects(s.copyFrom(bad), 'HYPHA_INVALID_ARGUMENT');
    const failing = await source();
    failing.getMany = async () => ({ success: false, error: new Error('source is broken') });
    await rejects(s.copyFrom(failing), 'HYPHA_CONFLICT', /source is broken/);
    const growing = await source();
    const { getMetadata } = PlainBackend.prototype;
    growing.getMetadata = async function (key, options) {
      if (key === 'x') this.namespaces.get('other').set('late', { value: 1, metadata: {} });
      return getMetadata.call(this, key, options);
    };
    await rejects(s.copyFrom(growing), 'HYPHA_CONFLICT', /changed while it was copied/);
    const unholdable = new PlainBackend();
    await unholdable.set('k', 1n);
    await rejects(s.copyFrom(unholdable), 'HYPHA_INVALID_VALUE');
  },
};

export const lifecycleCases = {
  'status() and stats() describe the store': async (s, { path }) => {
    await s.set('k', 1, { namespace: 'n' });
    const status = await s.status();
    assert.deepEqual([status.size, status.namespaces, status.path, status.durability], [1, 2, path, 'full']);
    assert.deepEqual((await s.stats()).queue, { operations: 0, bytes: 0 });
    assert.deepEqual((await s.diagnose()).quarantine, []);
    assert.equal((await s.diagnose()).integrity, 'ok');
  },
  'flush() resolves once every write issued before is stored': async (s) => {
    let done = 0;
    for (let i = 0; i < 200; i++) s.set(`k${i}`, i).then(() => done++);
    await s.flush();
    assert.equal(await s.count(), 200);
    assert.equal(done, 200);
    await s.checkpoint();
  },
  'after close() everything is HYPHA_CLOSED, and close() gives the same promise': async (s) => {
    const tx = await s.beginTransaction();
    const users = s.namespace('users');
    const closing = s.close();
    assert.equal(s.close(), closing);
    const calls = [
      () => s.get('k'), () => s.getEntry('k'), () => s.set('k', 1), () => s.delete('k'), () => s.has('k'), () => s.getMany(['k']), () => s.setMany([{ key: 'k', value: 1 }]), () => s.setMany([]),
      () => s.deleteMany(['k']), () => s.list(), () => s.query(), () => s.count(), () => s.createNamespace('n'), () => s.deleteNamespace('n'), () => s.listNamespaces(),
      () => s.getNamespace('n'), () => s.getMetadata('k'), () => s.setMetadata('k', {}), () => s.clear(), () => s.transaction(() => {}), () => s.beginTransaction(), () => s.flush(),
      () => s.checkpoint(), () => s.status(), () => s.diagnose(), () => s.stats(), () => tx.get('k'), () => tx.set('k', 1), () => tx.commit(), () => users.get('k'),
    ];
    for (const call of calls) await rejects(call, 'HYPHA_CLOSED');
    await closing;
    for (const call of calls) await rejects(call, 'HYPHA_CLOSED');
    await s[Symbol.asyncDispose]();
  },
};
