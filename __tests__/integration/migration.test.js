import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { migrate, open } from '../../lib/index.js';
import { runChild, tempFolder } from '../helpers/child-run.js';
import { AWKWARD_ROWS, dumpKernelFile, goodRows, makeKernelFile, sqlite } from '../helpers/sqlite-file.js';

const hash = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
const opener = new URL('./children/open-and-count.js', import.meta.url);

describe("a file of the kernel's own backend", () => {
  let folder;
  let original;
  let path;
  beforeAll(() => {
    folder = tempFolder();
    original = folder.file('original.db');
    makeKernelFile(original);
  });
  afterAll(() => folder.remove());
  let files = 0;
  beforeEach(() => copyFileSync(original, (path = folder.file(`kernel-${files++}.db`))));

  it('opens with every entry as it was', async () => {
    const store = await open({ path });
    const rows = goodRows();
    for (const [namespace, key, value, metadata, createdAt, updatedAt] of rows) {
      const { version, ...entry } = await store.getEntry(key, { namespace });
      expect(version).toBeGreaterThan(0);
      expect(JSON.stringify(entry)).toBe(JSON.stringify({ key, value: JSON.parse(value), metadata: JSON.parse(metadata ?? '{}'), createdAt, updatedAt }));
    }
    expect(await store.status()).toMatchObject({ size: rows.length, schemaVersion: 2 });
    expect(await store.listNamespaces()).toEqual(['auth', 'awkward', 'awkward keys', 'default', 'empty', 'sessions']);
    expect(await store.getNamespace('auth')).toEqual({ name: 'auth', explicit: true, metadata: { purpose: 'logins' }, createdAt: 5 });
    expect((await store.getNamespace('sessions')).explicit).toBe(false);
    await store.close();
  });

  it('answers filters over the migrated values as JavaScript does', async () => {
    const store = await open({ path });
    const found = await store.query([{ field: 'n', operator: 'gte', value: 950 }], { namespace: 'default' });
    expect(found.map(({ value }) => value.n)).toEqual([951, 954, 957]);
    const twice = await store.query([{ field: 'a', operator: 'eq', value: 2 }], { namespace: 'awkward' });
    expect(twice.map(({ value }) => value)).toEqual([{ a: 2 }]);
    const infinite = await store.query([{ field: 'value', operator: 'gt', value: Number.MAX_VALUE }], { namespace: 'awkward' });
    expect(infinite.map(({ value }) => value)).toEqual([Infinity]);
    await store.close();
  });

  it('has each row that no entry can represent listed by diagnose()', async () => {
    const store = await open({ path });
    const { quarantine, integrity, schema } = await store.diagnose();
    await store.close();
    expect(integrity).toBe('ok');
    expect(schema).toMatchObject({ version: 2, verified: true });
    const entries = quarantine.filter(({ source }) => source === 'storage_entries');
    expect(entries.map(({ id }) => id).sort((a, b) => a - b)).toEqual(Array.from({ length: AWKWARD_ROWS }, (_, i) => 9001 + i));
    expect(quarantine.filter(({ source }) => source === 'storage_namespaces')).toHaveLength(1);
    for (const { reason } of quarantine) expect(reason).toMatch(/\w{3}/);
  });

  it("is kept as it was in '<path>.v1'", async () => {
    await (await open({ path })).close();
    expect(dumpKernelFile(`${path}.v1`)).toEqual(dumpKernelFile(original));
    expect(readdirSync(folder.path).filter((name) => path.endsWith(name.replace(/-(wal|shm)$/, '')) && /-(wal|shm)$/.test(name))).toEqual([]);
  });

  it('is not kept with keepOld: false', async () => {
    await (await open({ path, keepOld: false })).close();
    expect(existsSync(`${path}.v1`)).toBe(false);
  });

  it('is given back, quarantined rows included, by migrate(path, { to: 1 })', async () => {
    await (await open({ path })).close();
    await migrate(path, { to: 1 });
    expect(dumpKernelFile(path)).toEqual(dumpKernelFile(original));
    const [[[applicationId]], [[userVersion]], [[integrity]]] = sqlite(path, { all: ['PRAGMA application_id', 'PRAGMA user_version', 'PRAGMA integrity_check'] });
    expect({ applicationId, userVersion, integrity }).toEqual({ applicationId: 0, userVersion: 0, integrity: 'ok' });
  });

  it('is given back with the changes made meanwhile, and opens again', async () => {
    const store = await open({ path });
    await store.set('new', { n: 1 }, { metadata: { m: 1 } });
    await store.delete('key-0');
    await store.close();
    await migrate(path, { to: 1 });
    const [rows] = sqlite(path, { all: [`SELECT value, metadata FROM storage_entries WHERE namespace = 'default' AND key IN ('new', 'key-0')`] });
    expect(rows).toEqual([['{"n":1}', '{"m":1}']]);
    const again = await open({ path });
    expect(await again.get('new')).toEqual({ n: 1 });
    expect((await again.diagnose()).quarantine).toHaveLength(AWKWARD_ROWS + 1);
    await again.close();
  });

  it('is refused with HYPHA_SCHEMA_OUTDATED and not touched with migrate: false', async () => {
    const before = hash(path);
    await expect(open({ path, migrate: false })).rejects.toMatchObject({ name: 'StorageError', code: 'HYPHA_SCHEMA_OUTDATED' });
    expect(hash(path)).toBe(before);
    expect([`${path}.v1`, `${path}-wal`, `${path}-shm`].filter(existsSync)).toEqual([]);
  });

  it('is refused with HYPHA_SCHEMA_OUTDATED and not touched by a read-only store', async () => {
    const before = hash(path);
    await expect(open({ path, readOnly: true })).rejects.toMatchObject({ code: 'HYPHA_SCHEMA_OUTDATED' });
    expect(hash(path)).toBe(before);
  });

  it('is migrated once when several processes open it at once', async () => {
    const children = await Promise.all([1, 2, 3].map((name) => runChild(opener, { path, key: `from-${name}` })));
    for (const child of children) expect(child).toMatchObject({ code: 0, stderr: '', data: [{ schemaVersion: 2 }] });
    const store = await open({ path });
    expect((await store.status()).size).toBe(goodRows().length + 3);
    expect((await store.diagnose()).quarantine).toHaveLength(AWKWARD_ROWS + 1);
    await store.close();
    expect(sqlite(path, { all: ['SELECT version FROM schema_version ORDER BY version'] })).toEqual([[[1], [2]]]);
    expect(dumpKernelFile(`${path}.v1`)).toEqual(dumpKernelFile(original));
  });

  it('cannot be migrated while a store has it open', async () => {
    const store = await open({ path });
    await expect(migrate(path, { to: 1 })).rejects.toMatchObject({ name: 'StorageError', code: 'HYPHA_BUSY' });
    expect(await store.count()).toBe(320);
    await store.close();
  });
});

describe('a file of a newer schema', () => {
  it('is refused with HYPHA_SCHEMA_TOO_NEW and not touched', async () => {
    const folder = tempFolder();
    const path = folder.file('newer.db');
    await (await open({ path })).close();
    sqlite(path, { run: [`INSERT INTO schema_version(version, applied_at) VALUES (99, 1)`] });
    const before = hash(path);
    await expect(open({ path })).rejects.toMatchObject({ code: 'HYPHA_SCHEMA_TOO_NEW' });
    expect(hash(path)).toBe(before);
    folder.remove();
  });
});
