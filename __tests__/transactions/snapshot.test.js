// snapshot() and the iterators, which hold one.

import { setTimeout } from 'node:timers/promises';
import { codeOf, deferred, inBothModes } from '../helpers/stores.js';

const entriesOf = (count) => Array.from({ length: count }, (_, i) => ({ key: `k${String(i).padStart(5, '0')}`, value: { i } }));

/** @param {AsyncIterable<any>} iterator @param {(entry: any, count: number) => any} [each] @returns {Promise<string[]>} the keys */
async function keysOf(iterator, each) {
  const keys = [];
  for await (const entry of iterator) {
    keys.push(entry.key);
    await each?.(entry, keys.length);
  }
  return keys;
}

inBothModes('snapshot()', (newStore, again) => {
  it('every read of it sees the same state, whatever is written meanwhile', async () => {
    const store = await newStore();
    await store.setMany(entriesOf(50));
    await store.createNamespace('n');
    const result = await store.snapshot(async (view) => {
      const rounds = [];
      for (let round = 0; round < 5; round++) {
        await store.set('k00000', { i: -1 });
        await store.delete(`k0001${round}`);
        await store.set(`new${round}`, 1, { namespace: 'other' });
        const many = await view.getMany(['k00000', 'k00010']);
        rounds.push(JSON.stringify([await view.get('k00000'), await view.has('k00010'), (await view.getEntry('k00014')).value, await view.getMetadata('k00014'),
          [...many], await view.count(), (await view.list({ prefix: 'k0001' })).length, (await view.query({ field: 'i', operator: 'lt', value: 3 })).length,
          (await view.page(null, { limit: 2 })).entries.length, await view.listNamespaces(), (await view.getNamespace('n')).name, await view.listIndexes('n'),
          await view.namespace('other').count(), view.getSync('k00000'), view.hasSync('new0')]));
      }
      expect(new Set(rounds).size).toBe(1);
      return JSON.parse(rounds[0]);
    });
    expect(result.slice(0, 2)).toEqual([{ i: 0 }, true]);
    expect(result.slice(5, 8)).toEqual([50, 10, 3]);
    expect(result.slice(-3)).toEqual([0, { i: 0 }, false]);
    expect(await store.count()).toBe(45);
  });

  it('contains every write issued before it, awaited or not', async () => {
    const store = await newStore();
    for (let i = 0; i < 30; i++) {
      const write = store.set('k', i);
      expect(await store.snapshot((view) => view.get('k'))).toBe(i);
      await write;
    }
  });

  it('is released when the body ends, however it ends', async () => {
    const store = await newStore({ limits: { maxSnapshots: 1 } });
    for (let i = 0; i < 5; i++) {
      expect(await store.snapshot((view) => view.count())).toBe(0);
      await expect(store.snapshot(() => { throw new Error('no'); })).rejects.toThrow('no');
      await expect(store.snapshot(async () => { throw new Error('no'); })).rejects.toThrow('no');
    }
    let kept;
    await store.snapshot((view) => { kept = view; });
    expect(await codeOf(kept.get('a'))).toBe('HYPHA_TRANSACTION_INVALID');
  });

  it('limits.maxSnapshots holds: as many as it, and one more is HYPHA_BUSY', async () => {
    for (const maxSnapshots of [1, 3]) {
      const store = await newStore({ limits: { maxSnapshots } });
      const go = deferred();
      const views = Array.from({ length: maxSnapshots - 1 }, () => store.snapshot(async (view) => {
        await go.promise;
        return view.count();
      }));
      await store.snapshot(async () => {
        const error = await store.snapshot(() => 1).catch((failure) => failure);
        expect(error).toMatchObject({ code: 'HYPHA_BUSY', retryable: true, message: expect.stringContaining('maxSnapshots') });
      });
      expect(await store.snapshot((view) => view.count())).toBe(0);
      go.resolve();
      expect(await Promise.all(views)).toEqual(views.map(() => 0));
    }
  });

  it('past limits.snapshotAge its reads are HYPHA_SNAPSHOT_EXPIRED, and before it they are not', async () => {
    const store = await newStore({ limits: { snapshotAge: 150 } });
    await store.set('a', 1);
    const started = performance.now();
    await store.snapshot(async (view) => {
      let code;
      while ((code = await codeOf(view.get('a'))).value === 1) if (performance.now() > started + 20_000) break;
      expect(code).toBe('HYPHA_SNAPSHOT_EXPIRED');
      expect(performance.now() - started).toBeGreaterThanOrEqual(149);
      expect(await codeOf(view.list())).toBe('HYPHA_SNAPSHOT_EXPIRED');
    });
    const patient = await newStore({ limits: { snapshotAge: 60_000 } });
    await patient.snapshot(async (view) => {
      await setTimeout(200);
      expect(await view.count()).toBe(0);
    });
  });

  it('does not take a body of another kind', async () => {
    const store = await newStore();
    for (const body of [undefined, null, 5, {}]) expect(await codeOf(store.snapshot(body))).toBe('HYPHA_INVALID_ARGUMENT');
  });

  it('has no method that writes', async () => {
    const store = await newStore();
    await store.snapshot((view) => {
      for (const name of ['set', 'delete', 'setMany', 'clear', 'update', 'atomic', 'transaction', 'createIndex']) expect(view[name]).toBeUndefined();
    });
  });

  it('answers HYPHA_CLOSED when the store closes', async () => {
    const store = await newStore({ limits: { snapshotAge: 300_000 } }); // under a sanitizer the reads take longer than the default
    await store.setMany(entriesOf(5000));
    const inside = deferred();
    const result = store.snapshot(async (view) => {
      const reads = Array.from({ length: 20 }, () => codeOf(view.query({ field: 'i', operator: 'contains', value: 'x' })));
      inside.resolve();
      return Promise.all(reads);
    });
    await inside.promise;
    await store.close();
    for (const answer of await result) expect(['HYPHA_CLOSED', '{"value":[]}']).toContain(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });

  if (again === undefined) return;

  it('never keeps the log from being copied for longer than its age', async () => {
    const store = await newStore({ limits: { snapshotAge: 2000 } });
    await store.set('a', 1);
    await store.snapshot(async () => {
      await store.set('a', 2);
      expect(await codeOf(store.checkpoint())).toBe('HYPHA_BUSY');
      await setTimeout(2100);
      await store.checkpoint();
      expect((await store.status()).walBytes).toBe(0);
    });
  });
});

inBothModes('iterators', (newStore, again) => {
  it('give one state of the store while it is younger than the limit', async () => {
    const store = await newStore();
    await store.setMany(entriesOf(100));
    const keys = await keysOf(store.entries({ batch: 7 }), async (_, count) => {
      await store.delete(`k000${99 - Math.floor(count / 2)}`).catch(() => {});
      await store.set(`k0005${count}x`, 1);
    });
    expect(keys).toEqual(entriesOf(100).map(({ key }) => key));
  });

  it('go on from a newer snapshot when theirs is too old: nothing twice, nothing that stayed is missed', async () => {
    const store = await newStore({ limits: { snapshotAge: 60 } });
    await store.setMany(entriesOf(100));
    const keys = await keysOf(store.queryIterator([], { batch: 10, sort: { field: 'i', order: 'desc' } }), async (entry, count) => {
      if (count === 25) {
        await setTimeout(120);
        await store.delete('k00010');
        await store.set('k00099', { i: 99 }); // already met
        await store.set('later', { i: 5.5 });
      }
    });
    expect(keys).toHaveLength(100);
    expect(new Set(keys).size).toBe(100);
    expect(keys).toContain('later');
    expect(keys).not.toContain('k00010');
  });

  it.each([
    ['is left', async (iterator) => { for await (const _ of iterator) break; }],
    ['throws inside', async (iterator) => { await expect((async () => { for await (const _ of iterator) throw new Error('no'); })()).rejects.toThrow('no'); }],
    ['is returned', async (iterator) => { await iterator.next(); await iterator.return(); }],
    ['is run to its end', async (iterator) => { await keysOf(iterator); }],
  ])('their snapshot is released when the loop %s', async (_, leave) => {
    const store = await newStore({ limits: { maxSnapshots: 1 } });
    await store.setMany(entriesOf(30));
    for (let i = 0; i < 4; i++) await leave(store.entries({ batch: 5 }));
    await store.snapshot((view) => view.count());
  });

  it('hold a snapshot while they run: one more than the limit is HYPHA_BUSY', async () => {
    const store = await newStore({ limits: { maxSnapshots: 2 } });
    await store.setMany(entriesOf(30));
    const running = [store.entries({ batch: 5 }), store.entries({ batch: 5 })];
    for (const iterator of running) await iterator.next();
    expect(await codeOf(store.entries().next())).toBe('HYPHA_BUSY');
    for (const iterator of running) await iterator.return();
    expect(await keysOf(store.entries())).toHaveLength(30);
  });

  it('in a transaction see its writes; in a snapshot its state, and are too old with it', async () => {
    const store = await newStore({ limits: { snapshotAge: 2000 } });
    await store.setMany(entriesOf(20));
    await store.transaction(async (tx) => {
      await tx.delete('k00000');
      expect(await keysOf(tx.entries({ batch: 3 }))).toHaveLength(19);
    });
    await store.snapshot(async (view) => {
      await store.clear();
      expect(await keysOf(view.entries({ batch: 3 }))).toHaveLength(19);
      const iterator = view.entries({ batch: 3 });
      for (let i = 0; i < 3; i++) await iterator.next();
      await setTimeout(2100);
      expect(await codeOf(iterator.next())).toBe('HYPHA_SNAPSHOT_EXPIRED');
    });
  });

  it('end with HYPHA_CLOSED when the store closes', async () => {
    const store = await newStore();
    await store.setMany(entriesOf(30));
    const iterator = store.entries({ batch: 5 });
    await iterator.next();
    await store.close();
    const answers = [];
    for (let i = 0; i < 6; i++) answers.push(await codeOf(iterator.next()));
    expect(answers.at(-1)).toEqual(expect.anything());
    expect(answers).toContain('HYPHA_CLOSED');
  });

  if (again === undefined) return;

  it('a loop that is never finished does not keep the log from being copied', async () => {
    const store = await newStore({ limits: { snapshotAge: 150 } });
    await store.setMany(entriesOf(30));
    const iterator = store.entries({ batch: 5 });
    await iterator.next();
    await store.set('a', 1);
    await setTimeout(200);
    await store.checkpoint();
    expect(await keysOf(iterator)).toHaveLength(29); // all but the one met before
  });
});
