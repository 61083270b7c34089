import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';
import { open } from '../../lib/index.js';
import { tempFolder, within } from '../helpers/child-run.js';
import { RemoteStore } from '../helpers/child-store.js';

let folder;
let path;
beforeEach(() => {
  folder = tempFolder();
  path = folder.file('shared.db');
});
afterEach(() => folder.remove());

describe('two stores of one process on one file', () => {
  it('see what the other has written', async () => {
    const one = await open({ path });
    const two = await open({ path });
    for (let i = 0; i < 50; i++) {
      await one.set('key', i);
      expect(await two.get('key')).toBe(i);
      await two.set(`key-${i}`, i);
      expect(await one.has(`key-${i}`)).toBe(true);
      expect(await one.count()).toBe(i + 2);
    }
    await one.close();
    await two.set('after', 1);
    expect(await two.get('after')).toBe(1);
    await two.close();
    expect(readdirSync(folder.path)).toEqual(['shared.db']);
  });

  it('are recognised through relative paths and symbolic links of folders', async () => {
    mkdirSync(folder.file('real'));
    symlinkSync(folder.file('real'), folder.file('link'));
    const one = await open({ path: folder.file('real/x.db') });
    const two = await open({ path: folder.file('link/x.db') });
    const three = await open({ path: relative(process.cwd(), folder.file('real/x.db')) });
    await Promise.all([one.set('a', 1), two.set('b', 2), three.set('c', 3)]);
    expect(await one.list()).toEqual(['a', 'b', 'c']);
    await Promise.all([one.close(), two.close(), three.close()]);
  });

  it('with other engine options are refused with HYPHA_OPTIONS_CONFLICT', async () => {
    const one = await open({ path, readers: 2 });
    await expect(open({ path, readers: 3 })).rejects.toMatchObject({ name: 'StorageError', code: 'HYPHA_OPTIONS_CONFLICT' });
    await one.set('still', 'open');
    await one.close();
    const other = await open({ path, readers: 3 });
    expect(await other.get('still')).toBe('open');
    await other.close();
  });

  it("wait for each other's transactions and see them only when committed", async () => {
    const one = await open({ path });
    const two = await open({ path });
    const tx = await one.beginTransaction();
    await tx.set('key', 'inside');
    const waiting = two.set('other', 1);
    expect(await two.get('key')).toBeUndefined();
    expect(await one.get('key')).toBeUndefined();
    await tx.commit();
    expect(await two.get('key')).toBe('inside');
    await within('the write that waited', waiting);
    await Promise.all([one.close(), two.close()]);
  });
});

describe('two processes on one file', () => {
  let local;
  let remote;
  async function openBoth(options = {}) {
    local = await open({ path, durability: 'normal', ...options });
    remote = await RemoteStore.open({ path, durability: 'normal', ...options });
  }
  afterEach(async () => {
    await local.close();
    await remote.end();
  });

  it('see each change of the other at the next read', async () => {
    await openBoth();
    for (let i = 0; i < 40; i++) {
      await remote.call('set', 'remote', { i });
      expect(await local.get('remote')).toEqual({ i });
      expect((await local.query([{ field: 'i', operator: 'eq', value: i }])).map(({ key }) => key)).toContain('remote');
      await local.set('local', { i });
      expect(await remote.call('get', 'local')).toEqual({ i });
      expect(await remote.call('count')).toBe(2);
    }
  });

  it('see a namespace that the other deleted and made again', async () => {
    await openBoth();
    for (let i = 0; i < 5; i++) {
      await remote.call('set', 'key', i, { namespace: 'again' });
      expect(await local.get('key', { namespace: 'again' })).toBe(i);
      await local.set(`local-${i}`, i, { namespace: 'again' });
      await remote.call('deleteNamespace', 'again', { recursive: true });
      expect(await local.get('key', { namespace: 'again' })).toBeUndefined();
      expect(await local.list({ namespace: 'again' })).toEqual([]);
    }
  });

  it('write at the same time without losing anything, each version once', async () => {
    await openBoth();
    const keys = Array.from({ length: 300 }, (_, i) => `key-${i}`);
    const mine = Promise.all(keys.map((key) => local.set(`local-${key}`, 1)));
    const theirs = Promise.all(keys.map((key) => remote.call('set', `remote-${key}`, 1)));
    const versions = (await Promise.all([mine, theirs])).flat().map(({ version }) => version);
    expect(new Set(versions).size).toBe(600);
    expect(await local.count()).toBe(600);
    expect(await remote.call('count')).toBe(600);
  });

  it('answer HYPHA_BUSY, to be tried again, when the other holds the lock past busyTimeout; reads go on', async () => {
    await openBoth({ busyTimeout: 200 });
    await local.set('key', 'before');
    await remote.call('begin');
    await remote.call('tx.set', 'key', 'theirs');
    const failure = await within('a write against the lock', local.set('key', 'mine').catch((error) => error));
    expect(failure).toMatchObject({ name: 'StorageError', code: 'HYPHA_BUSY', retryable: true });
    expect(await local.get('key')).toBe('before');
    expect(await local.query([])).toHaveLength(1);
    await remote.call('tx.commit');
    expect(await local.get('key')).toBe('theirs');
    await local.set('key', 'mine');
    expect(await remote.call('get', 'key')).toBe('mine');
  });

  it('let a write wait for the lock within busyTimeout', async () => {
    await openBoth({ busyTimeout: 10_000 });
    await remote.call('begin');
    await remote.call('tx.set', 'key', 'theirs');
    const write = local.set('key', 'mine');
    await remote.call('tx.commit');
    await within('the write that waited', write);
    expect(await remote.call('get', 'key')).toBe('mine');
  });

  it('close without an error while the other is in a transaction, and lose nothing', async () => {
    await openBoth();
    for (let i = 0; i < 5; i++) {
      await local.set(`local-${i}`, i);
      await remote.call('begin');
      await remote.call('tx.set', 'remote', i);
      await within('close', local.close());
      await remote.call('tx.commit');
      local = await open({ path, durability: 'normal' });
      expect(await local.get('remote')).toBe(i);
    }
    expect(await local.count()).toBe(6);
  });

  it('go on when the other is killed in the middle of a transaction', async () => {
    await openBoth();
    await remote.call('set', 'key', 'acknowledged');
    await remote.call('begin');
    await remote.call('tx.set', 'key', 'not committed');
    await remote.kill();
    await local.set('mine', 1);
    expect(await local.get('key')).toBe('acknowledged');
    expect((await local.diagnose()).integrity).toBe('ok');
    remote = await RemoteStore.open({ path });
    expect(await remote.call('list')).toEqual(['key', 'mine']);
  });
});

describe('a read-only store', () => {
  it('reads, sees what another process writes, and refuses every write with HYPHA_READ_ONLY', async () => {
    const writer = await RemoteStore.open({ path });
    await writer.call('set', 'key', 1);
    const store = await open({ path, readOnly: true });
    expect(await store.get('key')).toBe(1);
    await writer.call('set', 'key', 2);
    expect(await store.get('key')).toBe(2);
    expect(await store.query([])).toHaveLength(1);
    expect(await store.status()).toMatchObject({ size: 1, schemaVersion: 2 });
    const refused = { name: 'StorageError', code: 'HYPHA_READ_ONLY' };
    const writes = {
      set: () => store.set('key', 3), delete: () => store.delete('key'), clear: () => store.clear(), createNamespace: () => store.createNamespace('n'),
      deleteNamespace: () => store.deleteNamespace('n'), setMetadata: () => store.setMetadata('key', {}), transaction: () => store.transaction(() => 1),
      beginTransaction: () => store.beginTransaction(), setMany: () => store.setMany([{ key: 'k', value: 1 }], { atomic: true }),
    };
    for (const [name, write] of Object.entries(writes)) await expect([name, await write().catch((error) => error)]).toMatchObject([name, refused]);
    expect(await writer.call('get', 'key')).toBe(2);
    await store.close();
    await writer.end();
  });

  it('opens a file that nobody else has open, and leaves its bytes as they were', async () => {
    const writer = await open({ path });
    await writer.set('key', 1);
    await writer.close();
    const before = readFileSync(path);
    const store = await open({ path, readOnly: true });
    expect(await store.get('key')).toBe(1);
    await store.close();
    expect(readFileSync(path).equals(before)).toBe(true);
    // SQLite does not remove the log of a file that it may not write; it is empty, and goes with the next writer.
    expect(existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0).toBe(0);
    await (await open({ path })).close();
    expect(readdirSync(folder.path)).toEqual(['shared.db']);
  });

  it('makes no file: a missing one is HYPHA_CANT_OPEN', async () => {
    await expect(open({ path, readOnly: true })).rejects.toMatchObject({ name: 'StorageError', code: 'HYPHA_CANT_OPEN' });
    expect(existsSync(path)).toBe(false);
  });
});
