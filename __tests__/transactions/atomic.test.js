// atomic(), update(), and versions.

import { setImmediate } from 'node:timers/promises';
import { codeOf, inBothModes } from '../helpers/stores.js';

inBothModes('atomic()', (newStore) => {
  it('does everything together, across namespaces', async () => {
    const store = await newStore();
    const { version } = await store.set('a', 1);
    await store.set('gone', 1, { namespace: 'x' });
    const result = await store.atomic().check('a', version).check('new', null).set('new', { n: 1 }, { metadata: { m: 1 } }).set('b', 2, { namespace: 'y' })
      .delete('gone', { namespace: 'x' }).sum('a', 5).commit();
    expect(result).toEqual({ ok: true, version: expect.any(Number), durability: (await store.status()).durability });
    expect([await store.get('a'), await store.get('new'), await store.get('b', { namespace: 'y' }), await store.has('gone', { namespace: 'x' })]).toEqual([6, { n: 1 }, 2, false]);
    expect((await store.getEntry('a')).version).toBe(result.version);
  });

  it('tells every conflict, and does nothing', async () => {
    const store = await newStore();
    const { version } = await store.set('a', 1);
    const result = await store.atomic().check('a', version + 1).check('b', 7).check('c', null).check('d', version, { namespace: 'n' }).set('c', 1).commit();
    expect(result).toEqual({ ok: false, conflicts: [
      { key: 'a', namespace: 'default', version }, { key: 'b', namespace: 'default', version: null }, { key: 'd', namespace: 'n', version: null }] });
    expect(await store.has('c')).toBe(false);
  });

  it('a change that fails takes all of them back', async () => {
    const store = await newStore();
    await store.set('text', 'abc');
    await store.set('list', [1]);
    const before = (await store.query([])).map(({ version, value }) => [version, value]);
    const calls = {
      'sum on text': (atomic) => atomic.sum('text', 1),
      'min on an array': (atomic) => atomic.min('list', 1),
      'append to text': (atomic) => atomic.append('text', 1),
      'a path through text': (atomic) => atomic.sum('text', ['a', 'b'], 1),
      'a sum past every number': (atomic) => atomic.sum('n', 1.7e308).sum('n', 1.7e308),
    };
    for (const [name, add] of Object.entries(calls)) {
      const atomic = add(store.atomic().set('first', 1, { namespace: 'made here' }));
      expect([name, await codeOf(atomic.set('last', 1).commit())]).toEqual([name, 'HYPHA_INVALID_VALUE']);
    }
    expect((await store.query([])).map(({ version, value }) => [version, value])).toEqual(before);
    expect(await store.listNamespaces()).toEqual(['default']);
    await store.set('first', 1, { namespace: 'made here' }); // nobody remembers the namespace that never was
    expect(await store.get('first', { namespace: 'made here' })).toBe(1);
  });

  it('sum, min, max and append: absent counts as 0 or empty, paths are made', async () => {
    const store = await newStore();
    const run = async (add) => {
      await add(store.atomic()).commit();
      return store.get('k');
    };
    expect(await run((a) => a.sum('k', 2.5))).toBe(2.5);
    expect(await run((a) => a.sum('k', -3))).toBe(-0.5);
    expect(await run((a) => a.max('k', 10).min('k', 7))).toBe(7);
    expect(await run((a) => a.set('k', {}).sum('k', ['n', 'deep'], 4))).toEqual({ n: { deep: 4 } });
    expect(await run((a) => a.append('k', ['list'], { x: 1 }).append('k', ['list'], 'y'))).toEqual({ n: { deep: 4 }, list: [{ x: 1 }, 'y'] });
    expect(await run((a) => a.min('k', ['n', 'deep'], 1).max('k', ['m'], -5))).toEqual({ n: { deep: 1 }, list: [{ x: 1 }, 'y'], m: -5 });
    expect(await run((a) => a.set('k', 5).sum('k', [], 1))).toBe(6);
    await store.atomic().append('fresh', 1).max('top', 3).commit();
    expect([await store.get('fresh'), await store.get('top')]).toEqual([[1], 3]);
  });

  it('refuses arguments of the wrong kind at the call, and a second commit', async () => {
    const store = await newStore();
    for (const call of [(a) => a.check('k', 0), (a) => a.check('k', '1'), (a) => a.check('k', undefined), (a) => a.check('k', 1.5), (a) => a.sum('k', '1'),
      (a) => a.sum('k', NaN), (a) => a.sum('k', [1], 1), (a) => a.sum('k', Infinity)]) {
      expect(() => call(store.atomic())).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_ARGUMENT' }));
    }
    expect(() => store.atomic().set('', 1)).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_KEY' }));
    expect(() => store.atomic().set('k', undefined)).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_VALUE' }));
    const atomic = store.atomic().set('k', 1);
    await atomic.commit();
    expect(await codeOf(atomic.commit())).toBe('HYPHA_INVALID_ARGUMENT');
  });

  it('a check guards against a change, a deletion and a re-creation', async () => {
    const store = await newStore();
    const { version } = await store.set('k', 1);
    const guarded = () => store.atomic().check('k', version).set('out', 1).commit();
    expect((await guarded()).ok).toBe(true);
    await store.set('k', 1);
    expect((await guarded()).ok).toBe(false);
    await store.delete('k');
    expect((await guarded()).conflicts[0].version).toBe(null);
    await store.set('k', 1);
    expect((await guarded()).ok).toBe(false);
  });

  it('in a transaction is part of it', async () => {
    const store = await newStore();
    await store.transaction(async (tx) => {
      await tx.set('k', 1);
      expect(await tx.atomic().sum('k', 1).check('none', 5).commit()).toMatchObject({ ok: false });
      expect(await tx.atomic().sum('k', 1).commit()).toMatchObject({ ok: true });
      throw new Error('back');
    }).catch(() => {});
    expect(await store.has('k')).toBe(false);
  });
});

inBothModes('ifVersion', (newStore) => {
  it('holds for set() and delete(), in a transaction too', async () => {
    const store = await newStore();
    const { version } = await store.set('k', 1, { ifVersion: null });
    for (const begin of [() => store, () => store.beginTransaction()]) {
      const on = await begin();
      expect(await codeOf(on.set('k', 2, { ifVersion: version + 1 }))).toBe('HYPHA_CONFLICT');
      expect(await codeOf(on.set('k', 2, { ifVersion: null }))).toBe('HYPHA_CONFLICT');
      expect(await codeOf(on.delete('k', { ifVersion: version + 1 }))).toBe('HYPHA_CONFLICT');
      expect(await codeOf(on.set('none', 2, { ifVersion: version }))).toBe('HYPHA_CONFLICT');
      if (on !== store) await on.rollback();
    }
    expect(await store.get('k')).toBe(1);
    expect((await store.set('k', 2, { ifVersion: version })).version).toBeGreaterThan(version);
  });

  it('of the wrong type is HYPHA_INVALID_ARGUMENT, and nothing is written', async () => {
    const store = await newStore();
    for (const ifVersion of [0, -1, 1.5, '1', NaN, true, {}, 2 ** 60]) {
      expect([ifVersion, await codeOf(store.set('k', 1, { ifVersion }))]).toEqual([ifVersion, 'HYPHA_INVALID_ARGUMENT']);
      expect(await codeOf(store.delete('k', { ifVersion }))).toBe('HYPHA_INVALID_ARGUMENT');
    }
    expect(await store.count()).toBe(0);
  });
});

inBothModes('update()', (newStore, again) => {
  it('300 of one key at once all succeed, also when they take their time', async () => {
    const store = await newStore();
    await Promise.all(Array.from({ length: 300 }, (_, i) => store.update('n', async (n = 0) => {
      if (i % 10 === 0) await setImmediate();
      return n + 1;
    }, { retries: 0 })));
    expect(await store.get('n')).toBe(300);
  });

  it('of different keys do not wait for each other, and one that fails holds up nobody', async () => {
    const store = await newStore();
    const stuck = store.update('a', () => new Promise(() => {}), { timeout: 2000 });
    stuck.catch(() => {});
    expect(await store.update('b', () => 1)).toEqual({ value: 1, version: expect.any(Number), durability: (await store.status()).durability });
    const failing = store.update('c', () => { throw new Error('no'); });
    const next = store.update('c', (c) => [c]);
    await expect(failing).rejects.toThrow('no');
    expect((await next).value).toEqual([undefined]);
    await store.close();
  });

  it('its waiting and its change end with its timeout or signal, and the next goes on', async () => {
    const store = await newStore();
    const slow = codeOf(store.update('k', () => new Promise(() => {}), { timeout: 40 }));
    const controller = new AbortController();
    const waiting = codeOf(store.update('k', () => 1, { signal: controller.signal }));
    const last = store.update('k', (k) => `${k}`);
    controller.abort();
    expect(await waiting).toBe('HYPHA_ABORTED');
    expect(await slow).toBe('HYPHA_TIMEOUT');
    expect((await last).value).toBe('undefined');
  });

  it('a change that never returns is given up after limits.transactionTimeout', async () => {
    const store = await newStore({ limits: { transactionTimeout: 40 } });
    expect(await codeOf(store.update('k', () => new Promise(() => {})))).toBe('HYPHA_TIMEOUT');
    expect((await store.update('k', () => 1)).value).toBe(1);
  });

  it('starts again when a plain write comes between', async () => {
    const store = await newStore();
    let calls = 0;
    const { value } = await store.update('k', async (k = 0) => {
      if (++calls < 4) await store.set('k', k + 10);
      return k + 1;
    });
    expect([value, calls]).toEqual([31, 4]);
    calls = 0;
    const never = store.update('k', async () => {
      calls++;
      await store.set('k', 0);
      return 1;
    }, { retries: 2 });
    expect([await codeOf(never), calls]).toEqual(['HYPHA_CONFLICT', 3]);
  });

  if (again === undefined) return;

  it('queue across the stores of one file', async () => {
    const stores = [await newStore(), await again(), await again()];
    await Promise.all(Array.from({ length: 300 }, (_, i) => stores[i % 3].update('n', async (n = 0) => {
      if (i % 7 === 0) await setImmediate();
      return n + 1;
    }, { retries: 0 })));
    expect(await stores[0].get('n')).toBe(300);
  });
});
