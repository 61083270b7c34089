// Interactive transactions.

import { setImmediate, setTimeout } from 'node:timers/promises';
import { Transaction } from '../../lib/index.js';
import { within } from '../helpers/child-run.js';
import { codeOf, deferred, inBothModes } from '../helpers/stores.js';

inBothModes('transaction()', (newStore, again) => {
  it('commits what its body did and gives what it returned', async () => {
    const store = await newStore();
    await store.set('a', 1);
    const result = await store.transaction(async (tx) => {
      expect(tx).toBeInstanceOf(Transaction);
      const before = await tx.get('a');
      await tx.set('a', before + 1);
      await tx.set('b', 'new', { namespace: 'n' });
      expect(await tx.get('a')).toBe(2);
      expect(await tx.list({ namespace: 'n' })).toEqual(['b']);
      expect(await store.get('a')).toBe(1);
      return before;
    });
    expect(result).toBe(1);
    expect([await store.get('a'), await store.get('b', { namespace: 'n' })]).toEqual([2, 'new']);
  });

  it.each([
    ['throws', () => { throw new Error('no'); }],
    ['rejects', async () => { throw new Error('no'); }],
    ['rejects in a later turn', async () => { await setImmediate(); throw new Error('no'); }],
  ])('rolls back when its body %s, which is what the caller hears', async (_, fail) => {
    const store = await newStore();
    await store.set('a', 1);
    await expect(store.transaction((tx) => {
      tx.set('a', 2);
      return fail();
    })).rejects.toThrow('no');
    expect(await store.get('a')).toBe(1);
    await store.set('a', 3); // nothing is left open
  });

  it('writes that nobody awaited belong to it, in order', async () => {
    const store = await newStore();
    await store.transaction((tx) => {
      for (let i = 0; i < 500; i++) tx.set('k', i);
      tx.delete('gone');
    });
    expect(await store.get('k')).toBe(499);
    await expect(store.transaction(async (tx) => {
      const writes = Array.from({ length: 200 }, (__, i) => tx.set(`m${i}`, i));
      expect(await tx.count()).toBe(201);
      await Promise.all(writes);
      expect(await tx.get('m199')).toBe(199);
      throw new Error('back');
    })).rejects.toThrow('back');
    expect(await store.list()).toEqual(['k']);
  });

  it("strangers' writes and transactions wait outside, in order, and are never part of it", async () => {
    const store = await newStore();
    const order = [];
    const go = deferred();
    const inside = deferred();
    const first = store.transaction(async (tx) => {
      await tx.set('a', 'tx');
      inside.resolve();
      await go.promise;
      order.push('first');
      throw new Error('back');
    });
    await inside.promise;
    const stranger = store.set('s', 1).then(() => order.push('set'));
    const second = store.transaction((tx) => tx.set('t', 1)).then(() => order.push('second'));
    await setTimeout(20);
    expect(order).toEqual([]);
    go.resolve();
    await expect(first).rejects.toThrow('back');
    await Promise.all([stranger, second]);
    expect(order).toEqual(['first', 'set', 'second']);
    expect((await store.list()).sort()).toEqual(['s', 't']);
  });

  it('namespaces and indexes made in it are gone after a rollback, and can be made again', async () => {
    const store = await newStore();
    await expect(store.transaction(async (tx) => {
      await tx.set('k', { a: 1 }, { namespace: 'made by a write' });
      await tx.createNamespace('made');
      await tx.createIndex('made by a write', 'a');
      expect((await tx.listNamespaces()).length).toBe(3);
      throw new Error('back');
    })).rejects.toThrow('back');
    expect(await store.listNamespaces()).toEqual(['default']);
    await store.set('k', { a: 2 }, { namespace: 'made by a write' });
    await store.createNamespace('made');
    await store.createIndex('made by a write', 'a');
    expect(await store.query({ field: 'a', operator: 'eq', value: 2 }, { namespace: 'made by a write' })).toHaveLength(1);
  });

  it('versions rise through rollbacks and never repeat', async () => {
    const store = await newStore();
    const seen = [];
    for (let i = 0; i < 20; i++) {
      await store.transaction(async (tx) => {
        seen.push((await tx.set('k', i)).version);
        if (i % 2) throw new Error('back');
      }).catch(() => {});
      seen.push((await store.set('k', i)).version);
      await store.delete('k');
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
  });

  it('every use after its end is HYPHA_TRANSACTION_INVALID', async () => {
    const store = await newStore();
    let kept;
    await store.transaction((tx) => { kept = tx; });
    const view = kept.namespace('n');
    const answers = await Promise.all([kept.get('a'), kept.set('a', 1), kept.list(), kept.commit(), kept.rollback(), kept.update('a', () => 1),
      kept.atomic().set('a', 1).commit(), kept.transaction(() => 1), view.set('a', 1), view.entries().next()].map(codeOf));
    expect(new Set(answers)).toEqual(new Set(['HYPHA_TRANSACTION_INVALID']));
    expect(() => kept.getSync('a')).toThrow(expect.objectContaining({ code: 'HYPHA_TRANSACTION_INVALID' }));
    expect(await store.count()).toBe(0);
  });

  it('past its deadline it is rolled back, every use says so, and others go on', async () => {
    const store = await newStore();
    const tx = await store.beginTransaction({ timeout: 30 });
    await tx.set('a', 1);
    await store.set('b', 1); // comes once the transaction is out of the way
    for (const use of [() => tx.set('a', 1), () => tx.get('a'), () => tx.commit(), () => tx.commit(), () => tx.rollback()]) {
      expect(await codeOf(use())).toBe('HYPHA_TRANSACTION_TIMEOUT');
    }
    expect(await store.list()).toEqual(['b']);
  });

  it('a body that never returns is given up at the deadline', async () => {
    const store = await newStore();
    const endless = store.transaction(async (tx) => {
      await tx.set('a', 1);
      await new Promise(() => {});
    }, { timeout: 50 });
    const next = store.set('b', 1);
    expect(await codeOf(within('the end of the transaction', endless))).toBe('HYPHA_TRANSACTION_TIMEOUT');
    await next;
    expect(await store.list()).toEqual(['b']);
  });

  it('a body that ends too late is told so, whatever it returns', async () => {
    const store = await newStore();
    const late = store.transaction(async (tx) => {
      await tx.set('a', 1);
      await setTimeout(80);
      return 'done';
    }, { timeout: 30 });
    expect(await codeOf(late)).toBe('HYPHA_TRANSACTION_TIMEOUT');
    expect(await store.has('a')).toBe(false);
  });

  it('the store itself is HYPHA_NESTED inside the body where it would wait, and readable where not', async () => {
    const store = await newStore();
    await store.set('a', 1);
    const answers = await store.transaction(async (tx) => {
      await tx.set('a', 2);
      const calls = [store.set('x', 1), store.delete('a'), store.setMany([{ key: 'x', value: 1 }]), store.clear(), store.createNamespace('n'),
        store.transaction(() => 1), store.beginTransaction(), store.update('a', () => 3), store.atomic().sum('a', 1).commit()];
      return Promise.all(calls.map(codeOf));
    });
    expect(new Set(answers)).toEqual(new Set(['HYPHA_NESTED']));
    expect(await store.transaction(() => store.get('a'))).toBe(2);
    expect(await store.list()).toEqual(['a']);
  });

  it('what a body began and left behind is no longer inside once it has ended', async () => {
    const store = await newStore();
    const { promise: go, resolve: leave } = deferred();
    const calls = { set: () => store.set('late', 1), transaction: () => store.transaction((tx) => tx.set('late tx', 1)) };
    let late;
    await store.transaction(() => {
      late = Object.entries(calls).map(([name, call]) => go.then(call).then(() => name, (error) => `${name}: ${error.code}`));
    });
    const { promise: held, resolve: release } = deferred();
    const another = store.transaction(async (tx) => {
      await tx.set('a', 1);
      leave();
      await held;
      expect(await codeOf(store.set('x', 1))).toBe('HYPHA_NESTED'); // as ever
    });
    await go;
    await setImmediate();
    release();
    await within('the one that runs', another);
    expect(await within('what was left behind', Promise.all(late))).toEqual(Object.keys(calls));
    expect(await store.list()).toEqual(['a', 'late', 'late tx']);
  });

  it('a body that goes on after its deadline is no longer inside either', async () => {
    const store = await newStore();
    const { promise: go, resolve: leave } = deferred();
    let late;
    const slow = store.transaction(() => (late = go.then(() => codeOf(store.set('late', 1)))), { timeout: 20 });
    expect(await codeOf(slow)).toBe('HYPHA_TRANSACTION_TIMEOUT');
    await store.transaction(async (tx) => {
      await tx.set('a', 1);
      leave();
      await setImmediate();
    });
    expect(await within('the body', late)).toMatchObject({ value: { version: expect.any(Number) } });
    expect(await store.list()).toEqual(['a', 'late']);
  });

  it('begins no second time with the number of another, and numbers do not repeat', async () => {
    const store = await newStore();
    const ids = [];
    for (let i = 0; i < 50; i++) await store.transaction((tx) => ids.push(tx.id));
    expect(new Set(ids).size).toBe(50);
    expect(ids.every(Number.isSafeInteger)).toBe(true);
  });

  it('refuses options and bodies of the wrong kind, and opens nothing', async () => {
    const store = await newStore();
    for (const body of [undefined, null, 5, 'x', {}]) expect(await codeOf(store.transaction(body))).toBe('HYPHA_INVALID_ARGUMENT');
    for (const timeout of [-1, 0, 1.5, NaN, Infinity, '5', null]) {
      expect([timeout, await codeOf(store.transaction(() => 1, { timeout }))]).toEqual([timeout, 'HYPHA_INVALID_ARGUMENT']);
      expect(await codeOf(store.beginTransaction({ timeout }))).toBe('HYPHA_INVALID_ARGUMENT');
    }
    for (const retries of [-1, 1.5, '1', 1001]) expect(await codeOf(store.transaction(() => 1, { retries }))).toBe('HYPHA_INVALID_ARGUMENT');
    for (const readOnly of ['yes', 1, null]) expect(await codeOf(store.transaction(() => 1, { readOnly }))).toBe('HYPHA_INVALID_ARGUMENT');
    expect(await codeOf(store.transaction(() => 1, { timeuot: 5 }))).toBe('HYPHA_UNKNOWN_OPTION');
    await within('a write', store.set('a', 1));
  });

  if (again === undefined) return;

  it("a second store of the file waits for the first one's transaction", async () => {
    const store = await newStore();
    const other = await again();
    const tx = await store.beginTransaction();
    await tx.set('a', 1);
    const write = other.set('a', 2);
    await setTimeout(20);
    await tx.commit();
    await write;
    expect([await store.get('a'), await other.get('a')]).toEqual([2, 2]);
  });

  it('waits for the writer no longer than busyTimeout', async () => {
    const store = await newStore({ busyTimeout: 50 });
    const tx = await store.beginTransaction();
    expect(await codeOf(store.beginTransaction())).toBe('HYPHA_BUSY');
    await tx.set('a', 1);
    await tx.commit();
    expect(await store.get('a')).toBe(1);
  });
});

inBothModes('nested transactions', (newStore) => {
  it('undo what the inner body did, and the outer one goes on', async () => {
    const store = await newStore();
    await store.transaction(async (tx) => {
      await tx.set('outer', 1);
      await expect(tx.transaction(async (inner) => {
        await inner.set('inner', 1);
        await inner.transaction((deep) => deep.set('deep', 1));
        expect(await inner.list()).toEqual(['deep', 'inner', 'outer']);
        throw new Error('inner');
      })).rejects.toThrow('inner');
      expect(await tx.list()).toEqual(['outer']);
      await tx.transaction((inner) => inner.set('kept', 1));
    });
    expect(await store.list()).toEqual(['kept', 'outer']);
  });

  it('several at once run one after the other', async () => {
    const store = await newStore();
    await store.transaction(async (tx) => {
      const bodies = Array.from({ length: 6 }, (_, i) => tx.transaction(async (inner) => {
        await inner.set(`${i}a`, 1);
        await setImmediate();
        if (i % 2) throw new Error('back');
        await inner.set(`${i}b`, 1);
      }).catch(() => {}));
      await Promise.all(bodies);
    });
    expect(await store.list()).toEqual(['0a', '0b', '2a', '2b', '4a', '4b']);
  });

  it('the outer one, used for another inside the inner body, is HYPHA_NESTED', async () => {
    const store = await newStore();
    await store.transaction((tx) => tx.transaction(async (inner) => {
      expect(await codeOf(tx.transaction(() => 1))).toBe('HYPHA_NESTED');
      await inner.transaction((deep) => deep.set('a', 1));
    }));
    expect(await store.list()).toEqual(['a']);
  });

  it('what an inner body left behind may use the outer one, for another too', async () => {
    const store = await newStore();
    await store.transaction(async (tx) => {
      const { promise: go, resolve: leave } = deferred();
      let late;
      await tx.transaction(() => void (late = go.then(() => codeOf(tx.transaction((inner) => inner.set('late', 1))))));
      await tx.transaction(async (inner) => {
        leave();
        await setImmediate();
        await inner.set('a', 1);
      });
      expect(await within('what was left behind', late)).toMatchObject({ value: { version: expect.any(Number) } });
    });
    expect(await store.list()).toEqual(['a', 'late']);
  });

  it('the inner one ends with its body', async () => {
    const store = await newStore();
    let kept;
    await store.transaction(async (tx) => {
      await tx.transaction(async (inner) => {
        kept = inner;
        expect(await codeOf(inner.commit())).toBe('HYPHA_NESTED');
        expect(await codeOf(inner.rollback())).toBe('HYPHA_NESTED');
      });
      expect(await codeOf(kept.set('late', 1))).toBe('HYPHA_TRANSACTION_INVALID');
      await tx.set('a', 1);
    });
    expect(await codeOf(kept.get('a'))).toBe('HYPHA_TRANSACTION_INVALID');
    expect(await store.list()).toEqual(['a']);
  });

  it('a namespace made in an inner body that failed is gone for the outer one too', async () => {
    const store = await newStore();
    await store.transaction(async (tx) => {
      await tx.transaction(async (inner) => {
        await inner.set('k', 1, { namespace: 'n' });
        throw new Error('back');
      }).catch(() => {});
      expect(await tx.listNamespaces()).toEqual(['default']);
      await tx.set('k', 2, { namespace: 'n' });
    });
    expect(await store.get('k', { namespace: 'n' })).toBe(2);
  });
});
