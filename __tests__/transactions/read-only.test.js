// transaction({ readOnly: true }): a snapshot with the methods of a transaction.

import { codeOf, inBothModes } from '../helpers/stores.js';
import { setTimeout } from 'node:timers/promises';

inBothModes('a read-only transaction', (newStore) => {
  it("waits for nobody's transaction, and for this store's own earlier writes", async () => {
    const store = await newStore();
    const write = store.set('a', 1);
    expect(await store.transaction((tx) => tx.get('a'), { readOnly: true })).toBe(1);
    await write;
    const writing = await store.beginTransaction();
    await writing.set('a', 2);
    expect(await store.transaction((tx) => tx.get('a'), { readOnly: true })).toBe(1);
    await writing.commit();
    expect(await store.transaction((tx) => tx.get('a'), { readOnly: true })).toBe(2);
  });

  it('sees one state, and holds up no write', async () => {
    const store = await newStore();
    await store.set('a', 1);
    await store.transaction(async (tx) => {
      await store.set('a', 2); // not nested: it does not wait for this transaction
      await store.transaction((other) => other.set('b', 1));
      expect([await tx.get('a'), await tx.count(), tx.getSync('a'), tx.hasSync('b')]).toEqual([1, 1, 1, false]);
      expect((await tx.query([])).map(({ value }) => value)).toEqual([1]);
    }, { readOnly: true });
    expect(await store.get('a')).toBe(2);
  });

  it('every write in it is HYPHA_READ_ONLY', async () => {
    const store = await newStore();
    await store.set('a', 1);
    const tx = await store.beginTransaction({ readOnly: true });
    const writes = [tx.set('a', 2), tx.delete('a'), tx.setMany([{ key: 'a', value: 2 }]), tx.deleteMany(['a']), tx.setMetadata('a', {}), tx.clear(),
      tx.createNamespace('n'), tx.deleteNamespace('n'), tx.createIndex('n', 'f'), tx.dropIndex('n', 'f'), tx.update('a', () => 2), tx.atomic().sum('a', 1).commit()];
    expect(new Set(await Promise.all(writes.map(codeOf)))).toEqual(new Set(['HYPHA_READ_ONLY']));
    expect(await tx.transaction((inner) => inner.get('a'))).toBe(1);
    await tx.commit();
    expect(await codeOf(tx.get('a'))).toBe('HYPHA_TRANSACTION_INVALID');
    expect(await codeOf(tx.rollback())).toBe('HYPHA_TRANSACTION_INVALID');
  });

  it('past its timeout it is HYPHA_TRANSACTION_TIMEOUT, past the age of snapshots HYPHA_SNAPSHOT_EXPIRED', async () => {
    const store = await newStore({ limits: { snapshotAge: 60_000 } });
    const tx = await store.beginTransaction({ readOnly: true, timeout: 20 });
    await setTimeout(40);
    for (const use of [() => tx.get('a'), () => tx.list(), () => tx.commit()]) expect(await codeOf(use())).toBe('HYPHA_TRANSACTION_TIMEOUT');
    const strict = await newStore({ limits: { snapshotAge: 20 } });
    const old = await strict.beginTransaction({ readOnly: true });
    await setTimeout(40);
    for (const use of [() => old.get('a'), () => old.list(), () => old.commit()]) expect(await codeOf(use())).toBe('HYPHA_SNAPSHOT_EXPIRED');
  });

  it.each([undefined, 20_000, 100_000])('ended because the log has to be emptied it is HYPHA_SNAPSHOT_EXPIRED, whatever its timeout: %s', async (timeout) => {
    const page = 4096;
    const store = await newStore({ limits: { snapshotAge: 60_000 }, wal: { idleBytes: page, busyBytes: 4 * page, restartBytes: 8 * page, expireBytes: 16 * page, readerGap: 5 } });
    await store.set('a', 1);
    const tx = await store.beginTransaction({ readOnly: true, timeout });
    expect(await tx.get('a')).toBe(1);
    const giveUp = Date.now() + 30_000;
    while ((await store.stats()).readers.expired === 0 && Date.now() < giveUp) await store.set('b', 'x'.repeat(2 * page));
    for (const use of [() => tx.get('a'), () => tx.list(), () => tx.commit(), () => tx.rollback()]) expect(await codeOf(use())).toBe('HYPHA_SNAPSHOT_EXPIRED');
    expect(await codeOf(store.transaction((late) => late.count(), { readOnly: true, timeout }))).toEqual({ value: 2 });
  }, 40_000);

  it('counts among the snapshots', async () => {
    const store = await newStore({ limits: { maxSnapshots: 1 } });
    const tx = await store.beginTransaction({ readOnly: true });
    expect(await codeOf(store.beginTransaction({ readOnly: true }))).toBe('HYPHA_BUSY');
    await tx.rollback();
    await (await store.beginTransaction({ readOnly: true })).commit();
  });
});
