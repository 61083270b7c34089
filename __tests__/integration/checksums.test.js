// Damage in a database file, as seen through the public methods.
import { closeSync, copyFileSync, openSync, readFileSync, writeSync } from 'node:fs';
import { open } from '../../lib/index.js';
import { useFolder } from '../helpers/folders.js';
import { runSql } from '../helpers/foreign-sqlite.js';

const folder = useFolder();
const NAMED = { name: 'StorageError', code: 'HYPHA_CORRUPT', message: expect.stringContaining('Key "k" in namespace "n"') };

/** Every read of the store, or of a transaction, that gives the value or decides on it. */
const readers = {
  get: (s) => s.get('k', { namespace: 'n' }),
  getEntry: (s) => s.getEntry('k', { namespace: 'n' }),
  getMany: (s) => s.getMany(['other', 'k'], { namespace: 'n' }),
  query: (s) => s.query([], { namespace: 'n' }),
  'query by a filter that the true value matches': (s) => s.query([{ field: 'a', operator: 'eq', value: 1 }], { namespace: 'n' }),
  'query by a filter that the damaged value matches': (s) => s.query([{ field: 'a', operator: 'eq', value: 3 }], { namespace: 'n' }),
  'count by a filter': (s) => s.count({ filter: [{ field: 'a', operator: 'eq', value: 1 }], namespace: 'n' }),
  entries: async (s) => {
    for await (const entry of s.entries({ namespace: 'n' })) expect(entry.key).toBe('other');
  },
  page: (s) => s.page([], { namespace: 'n', limit: 10 }),
  'a sum inside it': (s) => s.atomic().sum('k', ['a'], 1, { namespace: 'n' }).commit(),
};

async function storeOf(path) {
  const store = await open({ path, durability: 'normal' });
  await store.set('k', { a: 1, text: 'the true value' }, { namespace: 'n', metadata: { tag: 'x' } });
  await store.set('other', { a: 2 }, { namespace: 'n' });
  return store;
}

describe('a value that changed behind the back of HyphaDB', () => {
  let store;
  beforeAll(async () => {
    const path = folder.next();
    store = await storeOf(path);
    // Read before: what is kept in memory must not hide what has become of the file.
    for (let i = 0; i < 3; i++) expect(await store.get('k', { namespace: 'n' })).toEqual({ a: 1, text: 'the true value' });
    runSql(path, `UPDATE hypha_entries SET value = '{"a":3,"text":"the true value"}' WHERE key = 'k'`);
  });
  afterAll(() => store.close());

  test.each(Object.keys(readers))('%s says HYPHA_CORRUPT and names the entry', async (name) => {
    await expect(readers[name](store)).rejects.toMatchObject(NAMED);
  });

  test.each(Object.keys(readers).filter((name) => !name.startsWith('a sum')))('%s in a transaction as well', async (name) => {
    await expect(store.transaction((tx) => readers[name](tx))).rejects.toMatchObject(NAMED);
  });

  test('its neighbours, its key and its metadata are readable, and a set or a delete heals it', async () => {
    expect(await store.get('other', { namespace: 'n' })).toEqual({ a: 2 });
    expect(await store.has('k', { namespace: 'n' })).toBe(true);
    expect(await store.list({ namespace: 'n' })).toEqual(['k', 'other']);
    expect(await store.getMetadata('k', { namespace: 'n' })).toEqual({ tag: 'x' });
    await store.set('k', 'new', { namespace: 'n' });
    expect(await store.getEntry('k', { namespace: 'n' })).toMatchObject({ value: 'new', metadata: { tag: 'x' } });
  });
});

test('with checksums: false entries are stored without one', async () => {
  const path = folder.next();
  const store = await open({ path, checksums: false });
  await store.set('k', 1);
  runSql(path, "UPDATE hypha_entries SET value = '2' WHERE key = 'k'");
  expect(await store.get('k')).toBe(2);
  await store.close();
});

test('a store that is open with other checksums is another option', async () => {
  const path = folder.next();
  const store = await open({ path });
  await expect(open({ path, checksums: false })).rejects.toMatchObject({ code: 'HYPHA_OPTIONS_CONFLICT' });
  await store.close();
});

test('no flipped bit of the stored text gives another value', async () => {
  const path = folder.next();
  await (await storeOf(path)).close();
  const image = readFileSync(path); // closed: nobody has it open
  const at = image.indexOf('{"a":1,"text":"the true value"}');
  expect(at).toBeGreaterThan(0);
  for (let bit = 0; bit < 31 * 8; bit += 3) {
    const damaged = folder.next();
    copyFileSync(path, damaged);
    const file = openSync(damaged, 'r+');
    writeSync(file, Buffer.from([image[at + (bit >> 3)] ^ (1 << (bit & 7))]), 0, 1, at + (bit >> 3));
    closeSync(file);
    const store = await open({ path: damaged, durability: 'off' });
    await expect(store.get('k', { namespace: 'n' })).rejects.toMatchObject(NAMED);
    await store.close();
  }
});
