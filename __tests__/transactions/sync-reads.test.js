// getSync() and hasSync().

import { open } from '../../lib/index.js';
import { useFolder } from '../helpers/folders.js';
import { inBothModes } from '../helpers/stores.js';

inBothModes('getSync() and hasSync()', (newStore, again) => {
  it('answer what get() and has() do', async () => {
    const store = await newStore();
    await store.set('a', { n: [1, 'x', null] });
    await store.set('a', 'other', { namespace: 'n' });
    expect([store.getSync('a'), store.getSync('none'), store.hasSync('a'), store.hasSync('none')]).toEqual([{ n: [1, 'x', null] }, undefined, true, false]);
    expect([store.getSync('a', { namespace: 'n' }), store.namespace('n').getSync('a'), store.hasSync('a', { namespace: 'm' })]).toEqual(['other', 'other', false]);
    expect(store.getSync('a')).not.toBe(store.getSync('a'));
  });

  it('see every write that was acknowledged, and any number of them fits in one turn', async () => {
    const store = await newStore();
    for (let i = 0; i < 50; i++) {
      await store.set('k', i);
      expect(store.getSync('k')).toBe(i);
    }
    const until = performance.now() + 20;
    while (performance.now() < until) expect(store.getSync('k')).toBe(49);
  });

  it('never answer an older value than what was written before: HYPHA_BUSY while that is on its way', async () => {
    const store = await newStore();
    await store.set('k', 'old');
    const tx = await store.beginTransaction();
    const write = store.set('k', 'new');
    expect(() => store.getSync('k')).toThrow(expect.objectContaining({ code: 'HYPHA_BUSY', retryable: true }));
    expect(() => store.hasSync('k')).toThrow(expect.objectContaining({ code: 'HYPHA_BUSY' }));
    expect(store.getSync('unrelated')).toBeUndefined();
    await tx.commit();
    await write;
    expect(store.getSync('k')).toBe('new');
  });

  it('in a transaction see its writes, awaited or not', async () => {
    const store = await newStore();
    await store.set('k', 'old');
    await store.transaction(async (tx) => {
      tx.set('k', 'new');
      expect([tx.getSync('k'), store.getSync('k'), tx.hasSync('none')]).toEqual(['new', 'old', false]);
      tx.setMany(Array.from({ length: 300 }, (_, i) => ({ key: `m${i}`, value: i })));
      expect([tx.getSync('m299'), tx.namespace('n').hasSync('k')]).toEqual([299, false]);
    });
    expect(store.getSync('k')).toBe('new');
  });

  it('refuse what get() refuses, and a closed store', async () => {
    const store = await newStore();
    for (const key of ['', 5, undefined, ' ']) expect(() => store.getSync(key)).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_KEY' }));
    expect(() => store.hasSync('k', { namespace: 5 })).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_ARGUMENT' }));
    expect(() => store.getSync('k', { timeout: 5 })).toThrow(expect.objectContaining({ code: 'HYPHA_UNKNOWN_OPTION' }));
    await store.close();
    expect(() => store.getSync('k')).toThrow(expect.objectContaining({ code: 'HYPHA_CLOSED' }));
  });

  if (again === undefined) return;

  it('see what another store of the file has written', async () => {
    const store = await newStore();
    const other = await again();
    for (let i = 0; i < 20; i++) {
      await other.set('k', i);
      await Promise.resolve();
      expect(await store.get('k')).toBe(i);
      expect(store.getSync('k')).toBe(i);
    }
  });
});

describe('a read-only store, which has no reader of its own on this thread', () => {
  const folder = useFolder();

  it('answers them through a reader thread', async () => {
    const path = folder.next();
    const writer = await open({ path });
    await writer.set('a', 1);
    await writer.close();
    const store = await open({ path, readOnly: true });
    expect([store.getSync('a'), store.hasSync('a'), store.hasSync('b'), store.getSync('b')]).toEqual([1, true, false, undefined]);
    await store.close();
  });
});
