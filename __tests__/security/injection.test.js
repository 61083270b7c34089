import { Buffer } from 'node:buffer';
import { open } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { PAYLOADS } from '../helpers/payloads.js';

/** What must stay as it is, whatever strings come in. */
const BYSTANDERS = [{ key: 'a', value: { secret: 1 } }, { key: 'b', value: 'text', metadata: { m: 'x' } }, { key: 'value', value: null }];

describe('strings that would break out of SQL, JSON or patterns', () => {
  let store;
  beforeEach(async () => {
    store = await open({ mode: 'memory' });
    await store.setMany(BYSTANDERS, { namespace: 'bystander' });
    await store.setMany(BYSTANDERS);
  });
  afterEach(async () => {
    const names = ['a', 'b', 'value'];
    for (const namespace of ['bystander', 'default']) {
      const entries = await store.query([{ field: 'key', operator: 'in', value: names }], { namespace });
      expect(entries.map(({ key, value, metadata }) => ({ key, value, metadata }))).toEqual(BYSTANDERS.map((entry) => ({ metadata: {}, ...entry })));
    }
    expect((await store.diagnose()).integrity).toBe('ok');
    await store.close();
  });

  test('there are more than 500 of them', () => {
    expect(new Set(PAYLOADS).size).toBeGreaterThan(500);
  });

  test('are keys and values like any other', async () => {
    for (const text of PAYLOADS) {
      await store.set(text, { text, [text]: text }, { metadata: { [text]: text } });
      expect(await store.get(text)).toEqual({ text, [text]: text });
      expect(await store.getMetadata(text)).toEqual({ [text]: text });
      await store.setMetadata(text, { [`${text}2`]: text });
      expect(Object.keys(await store.getMetadata(text)).sort()).toEqual([text, `${text}2`].sort());
    }
    expect((await store.getMany(PAYLOADS)).size).toBe(PAYLOADS.length);
    expect(await store.count()).toBe(PAYLOADS.length + 3);
    expect((await store.deleteMany(PAYLOADS)).outcomes.every(({ deleted }) => deleted)).toBe(true);
  });

  test('are namespaces like any other', async () => {
    for (const text of PAYLOADS) {
      await store.set('k', text, { namespace: text });
      expect(await store.get('k', { namespace: text })).toBe(text);
      expect(await store.list({ namespace: text })).toEqual(['k']);
      await store.createNamespace(text, { metadata: { text } });
      expect((await store.getNamespace(text)).metadata).toEqual({ text });
    }
    expect(new Set(await store.listNamespaces())).toEqual(new Set(['default', 'bystander', ...PAYLOADS]));
    for (const text of PAYLOADS) {
      await store.clear({ namespace: text });
      await store.deleteNamespace(text);
    }
  });

  test('are patterns, prefixes and places in a list that mean themselves', async () => {
    await store.setMany(PAYLOADS.map((key) => ({ key, value: 1 })), { namespace: 'n' });
    for (const text of PAYLOADS) {
      if (!text.includes('*')) expect(await store.list({ namespace: 'n', pattern: text })).toEqual([text]);
      expect(await store.list({ namespace: 'n', prefix: text })).toEqual(PAYLOADS.filter((key) => key.startsWith(text)).sort());
      expect(await store.list({ namespace: 'n', after: text, limit: 1 })).not.toContain(text);
    }
  });

  test('are fields, paths and operands that name only themselves', async () => {
    await store.setMany(PAYLOADS.map((text, i) => ({ key: `k${i}`, value: { [text]: i, inner: { [text]: text } }, metadata: { [`m${text}`]: i } })), { namespace: 'n' });
    for (const [i, text] of PAYLOADS.entries()) {
      const found = async (filter) => (await store.query(filter, { namespace: 'n' })).map(({ key }) => key);
      expect(await found([{ field: text, operator: 'gte', value: 0 }])).toEqual([`k${i}`]);
      expect(await found({ path: ['inner', text], operator: 'eq', value: text })).toEqual([`k${i}`]);
      expect(await found({ metadata: `m${text}`, operator: 'eq', value: i })).toEqual([`k${i}`]);
      expect(await found({ field: 'key', operator: 'in', value: [text] })).toEqual([]);
      expect(await store.count({ namespace: 'n', filter: { field: 'value', operator: 'eq', value: text } })).toBe(0);
    }
  });

  test('are operands of every operator, with an index and without', async () => {
    await store.setMany(PAYLOADS.map((text, i) => ({ key: `k${String(i).padStart(3, '0')}`, value: { text, list: [i, text] } })), { namespace: 'n' });
    const found = async (filter) => (await store.query(filter, { namespace: 'n' })).map(({ value }) => value.text);
    const those = (test) => PAYLOADS.filter(test);
    for (const indexed of [false, true]) {
      if (indexed) await store.createIndex('n', 'text');
      for (const text of PAYLOADS) {
        const about = (operator, value, field = 'text') => found({ field, operator, value });
        expect(await about('eq', text)).toEqual([text]);
        expect(await about('in', [text, 'nothing'])).toEqual([text]);
        expect(await about('between', [text, text])).toEqual([text]);
        expect(await about('startsWith', text)).toEqual(those((each) => each.startsWith(text)));
        expect(await about('endsWith', text)).toEqual(those((each) => each.endsWith(text)));
        expect(await about('contains', text)).toEqual(those((each) => each.includes(text)));
        expect(await about('has', text, 'list')).toEqual([text]);
        if (Buffer.byteLength(text) <= 256) expect(await about('like', text)).toContain(text);
        expect(await store.count({ namespace: 'n', filter: { not: { field: 'text', operator: 'nin', value: [text] } } })).toBe(1);
      }
    }
  });

  test('are names in an index, which is used, listed and dropped by them', async () => {
    for (const text of PAYLOADS) {
      await store.setMany([1, 2, 3].map((i) => ({ key: `k${i}`, value: { [text]: i, inner: { [text]: i } }, metadata: { [`m${text}`]: i } })), { namespace: text });
      const places = [{ field: text }, { path: ['inner', text] }, { metadata: `m${text}` }];
      for (const place of places) await store.createIndex(text, place);
      await store.createIndex(text, places);
      expect(await store.listIndexes(text)).toEqual([...places.map((place) => [place]), places].map((fields) => ({ fields, unique: false })));
      for (const place of places) {
        const filter = { ...place, operator: 'eq', value: 2 };
        expect((await store.query(filter, { namespace: text })).map(({ key }) => key)).toEqual(['k2']);
        expect((await store.explain(filter, { namespace: text, limit: 5 })).index.fields).toContainEqual(place);
      }
      for (const fields of [...places, places]) expect(await store.dropIndex(text, fields)).toBe(true);
      await store.deleteNamespace(text, { recursive: true });
    }
  });

  test('are selected names, cursors, prefixes and paths of edits', async () => {
    await store.setMany(PAYLOADS.map((text, i) => ({ key: `k${i}`, value: { [text]: i, other: 1 } })), { namespace: 'n' });
    for (const [i, text] of PAYLOADS.entries()) {
      const [entry] = await store.query({ field: text, operator: 'exists', value: true }, { namespace: 'n', select: [text] });
      expect(entry.value).toEqual({ [text]: i });
      // A few read as the cursor of some key, which is a place like any other.
      const place = await store.page([], { namespace: 'n', after: text }).then(({ entries }) => entries.every(({ key }) => /^k\d+$/.test(key)), ({ code }) => code);
      expect([true, 'HYPHA_INVALID_ARGUMENT']).toContain(place);
      const under = [];
      for await (const { key } of store.entries({ namespace: 'n', prefix: text })) under.push(key);
      expect(under).toEqual(PAYLOADS.map((_, at) => `k${at}`).filter((key) => key.startsWith(text)).sort());
      expect((await store.atomic().set(text, { [text]: 1 }, { namespace: 'n' }).sum(text, [text], 2, { namespace: 'n' }).commit()).ok).toBe(true);
      expect(await store.get(text, { namespace: 'n' })).toEqual({ [text]: 3 });
      await store.update(text, (value) => ({ ...value, updated: text }), { namespace: 'n' });
      expect(await store.get(text, { namespace: 'n' })).toEqual({ [text]: 3, updated: text });
      expect(await store.delete(text, { namespace: 'n' })).toBe(true);
    }
  });

  test('are sort fields that order nothing but by themselves', async () => {
    await store.setMany([{ key: 'x', value: 1 }, { key: 'y', value: 2 }], { namespace: 'n' });
    for (const text of PAYLOADS) {
      expect((await store.query([], { namespace: 'n', sort: { field: text, order: 'desc' } })).map(({ key }) => key)).toEqual(['x', 'y']);
    }
  });

  test('are no operators, orders, durabilities, ids or options', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:' });
    for (const text of PAYLOADS) {
      await expect(store.query({ field: 'a', operator: text, value: 1 })).rejects.toMatchObject({ code: 'HYPHA_INVALID_FILTER' });
      await expect(store.set('a', 0, { durability: text })).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
      await expect(store.set('a', 0, { [text]: text })).rejects.toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION' });
      expect(await backend.set('a', 0, { transactionId: text })).toMatchObject({ success: false, error: { code: 'HYPHA_TRANSACTION_INVALID' } });
      expect(await backend.commit(text)).toMatchObject({ success: false, error: { code: 'HYPHA_TRANSACTION_INVALID' } });
      expect((await backend.beginTransaction({ isolation: text })).error.code).toBe('HYPHA_INVALID_ARGUMENT');
    }
    await backend.close();
  });
});
