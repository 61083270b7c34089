// Indexes and the way down to the kernel's layout and up again: they come back, whatever was written meanwhile.

import { migrate, open } from '../../lib/index.js';
import { runChild, tempFolder } from '../helpers/child-run.js';
import { sqlite } from '../helpers/sqlite-file.js';

const opener = new URL('./children/open-and-count.js', import.meta.url);

const AWKWARD_VALUES = [null, true, false, 0, -0, 1, '', '1', '\ud800', '😀', '\uffee', 'a\0b', [1], [], {}, { n: 1 }, 1e308, -5e-324, 2 ** 60, 'x'.repeat(3000)];
const NAMES = ['n', "it's", '"', '\ud800', 'a.b', '$', ''];

/** Documents whose properties are of every kind, with metadata below some of them. */
function documents() {
  const at = (i) => AWKWARD_VALUES[i % AWKWARD_VALUES.length];
  return Array.from({ length: 900 }, (_, i) => ({
    key: `k${i}`,
    value: i % 50 === 0 ? at(i / 50) : Object.fromEntries(NAMES.map((name, salt) => [name, (i + salt) % 4 === 0 ? i : at(i * (salt + 3))])),
    ...(i % 3 === 0 && { metadata: { n: at(i + 1), m: i % 30 } }),
  }));
}

const INDEXES = [
  { fields: 'n' }, { fields: "it's" }, { fields: '"' }, { fields: '\ud800' }, { fields: ['a.b', '$'] }, { fields: { path: ['n', 'n'] } }, { fields: { metadata: 'm' } },
];
const QUESTIONS = [
  [{ field: 'n', operator: 'eq', value: 404 }, {}],
  [{ field: 'n', operator: 'eq', value: '\ud800' }, { limit: 3 }],
  [[], { sort: { field: 'n', order: 'desc' }, limit: 40 }],
  [[], { sort: { field: '\ud800' }, limit: 40 }],
  [{ field: "it's", operator: 'eq', value: 403 }, {}],
  [{ field: '"', operator: 'in', value: [402, 'x'] }, {}],
  [[{ field: 'a.b', operator: 'eq', value: 400 }, { field: '$', operator: 'gte', value: '' }], {}],
  [{ metadata: 'm', operator: 'eq', value: 6 }, { limit: 9 }],
];

describe('indexes', () => {
  const folder = tempFolder();
  afterAll(() => folder.remove());
  let files = 0;
  let path;
  beforeEach(() => (path = folder.file(`indexes-${files++}.db`)));

  const answers = (store) => Promise.all(QUESTIONS.map(async ([filter, options]) => JSON.stringify(await store.query(filter, options), (name, value) => (name === 'version' ? undefined : value))));
  const used = (store) => Promise.all(QUESTIONS.map(async ([filter, options]) => (await store.explain(filter, options)).index?.fields));

  async function made() {
    const store = await open({ path });
    expect((await store.setMany(documents())).ok).toBe(true);
    for (const { fields } of INDEXES) await store.createIndex('default', fields);
    await store.createIndex('of its own', 'unused');
    await store.set('u1', { id: 1 }, { namespace: 'it\'s "unique" 😀' });
    await store.createIndex('it\'s "unique" 😀', 'id', { unique: true });
    const seen = { answers: await answers(store), used: await used(store) };
    for (const fields of seen.used) expect(fields).toBeDefined();
    await store.close();
    return seen;
  }

  it('are remembered by version 1 and made again by version 2, in every namespace', async () => {
    const before = await made();
    await migrate(path, { to: 1 });
    const [tables, kept] = sqlite(path, { all: ["SELECT name FROM sqlite_schema WHERE name LIKE 'hypha%' AND type = 'table'", 'SELECT namespace, is_unique FROM hypha_kept_indexes'] });
    expect(tables).toEqual([['hypha_kept_indexes']]);
    expect(kept).toHaveLength(INDEXES.length + 2);
    const store = await open({ path, keepOld: false });
    expect(await used(store)).toEqual(before.used);
    expect(await answers(store)).toEqual(before.answers);
    expect(await store.listIndexes('of its own')).toEqual([{ fields: [{ field: 'unused' }], unique: false }]);
    await expect(store.set('u2', { id: 1 }, { namespace: 'it\'s "unique" 😀' })).rejects.toMatchObject({ code: 'HYPHA_CONSTRAINT' });
    expect(await store.diagnose()).toMatchObject({ quarantine: [], integrity: 'ok', schema: { verified: true } });
    await store.close();
  });

  it('leave nothing behind in version 1 when there were none', async () => {
    await (await open({ path })).close();
    await migrate(path, { to: 1 });
    expect(sqlite(path, { all: ["SELECT name FROM sqlite_schema WHERE name LIKE 'hypha%'"] })).toEqual([[]]);
  });

  it('find what another program wrote into version 1', async () => {
    await made();
    await migrate(path, { to: 1 });
    sqlite(path, {
      run: [
        `INSERT INTO storage_entries(namespace, key, value, metadata, created_at, updated_at) VALUES ('default', 'new', '{"n":404}', NULL, 1, 1), ('default', 'broken', '{"n":404', NULL, 1, 1)`,
        `UPDATE storage_entries SET value = '{"n":"gone"}' WHERE key = 'k404'`,
      ],
    });
    const store = await open({ path, keepOld: false });
    const filter = { field: 'n', operator: 'eq', value: 404 };
    expect((await store.explain(filter)).index.fields).toEqual([{ field: 'n' }]);
    expect((await store.query(filter)).map(({ key }) => key)).toEqual(['new']);
    await store.close();
  });

  it('are made once when several processes open the file at once', async () => {
    const before = await made();
    await migrate(path, { to: 1 });
    const children = await Promise.all([1, 2, 3].map((name) => runChild(opener, { path, key: `from-${name}` })));
    for (const child of children) expect(child).toMatchObject({ code: 0, stderr: '', data: [{ schemaVersion: 2 }] });
    const store = await open({ path });
    expect(await used(store)).toEqual(before.used);
    expect(await store.listIndexes('default')).toHaveLength(INDEXES.length);
    expect((await store.diagnose()).integrity).toBe('ok');
    await store.close();
  });

  it('that cannot be made again go to quarantine, are told by diagnose(), and get another chance', async () => {
    const store = await open({ path });
    await store.setMany([{ key: 'a', value: { id: 1 } }, { key: 'b', value: { id: 2 } }]);
    await store.createIndex('default', 'id', { unique: true });
    await store.createIndex('default', 'other');
    await store.close();
    await migrate(path, { to: 1 });
    sqlite(path, { run: [`UPDATE storage_entries SET value = '{"id":2}'`, `UPDATE hypha_kept_indexes SET fields = '[{"oops' WHERE fields LIKE '%other%'`] });

    const repeated = await open({ path, keepOld: false });
    expect(await repeated.listIndexes('default')).toEqual([]);
    expect((await repeated.diagnose()).quarantine).toMatchObject([
      { source: 'hypha_indexes', namespace: 'default', key: '[{"field":"id"}]', reason: expect.stringContaining('unique') },
      { source: 'hypha_indexes', namespace: 'default', key: '[{"oops', reason: expect.stringContaining('not readable') },
    ]);
    expect(await repeated.count({ filter: { field: 'id', operator: 'eq', value: 2 } })).toBe(2);
    await repeated.set('a', { id: 1 });
    await repeated.close();

    await migrate(path, { to: 1 });
    const again = await open({ path, keepOld: false });
    expect(await again.listIndexes('default')).toEqual([{ fields: [{ field: 'id' }], unique: true }]);
    await expect(again.set('b', { id: 1 })).rejects.toMatchObject({ code: 'HYPHA_CONSTRAINT' });
    expect((await again.diagnose()).quarantine).toHaveLength(1);
    await again.close();
  });

  it('made by another build of SQLite are made again, or go to quarantine, when the file is opened', async () => {
    const before = await made();
    sqlite(path, { run: [`UPDATE hypha_meta SET value = 'SQLite 3.99' WHERE name = 'index_build'`] });
    const store = await open({ path });
    expect(await used(store)).toEqual(before.used);
    expect(await answers(store)).toEqual(before.answers);
    await store.close();
    const [[[build]]] = sqlite(path, { all: [`SELECT value FROM hypha_meta WHERE name = 'index_build'`] });
    expect(build).toMatch(/x86-64|aarch64|other/);
  });
});
