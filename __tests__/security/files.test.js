import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { open } from '../../lib/index.js';
import { modeWarning } from '../../lib/file-mode.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { runChild } from '../helpers/child-run.js';
import { useFolder } from '../helpers/folders.js';
import { writeKernelFile } from '../helpers/kernel-file.js';
import { warningsOf } from '../helpers/warnings.js';

const folder = useFolder();
const UMASK_PROGRAM = new URL('../helpers/open-under-umask.js', import.meta.url);

/** That open() and the backend both refuse the path with this code. */
async function isRefused(path, code, options = {}) {
  const error = await open({ path, ...options }).then(async (store) => store.close(), (failure) => failure);
  expect(error).toMatchObject({ name: 'StorageError', code });
  const backend = new MyceliaStorageBackend({ dbPath: path, ...options });
  expect(await backend.get('k')).toMatchObject({ success: false, error: { code } });
  expect((await backend.getStatus()).status.healthy).toBe(false);
  expect(await backend.close()).toEqual({ success: true });
  return error;
}

async function works(path) {
  const store = await open({ path });
  await store.set('k', 'v');
  await store.close();
  const again = await open({ path, create: false });
  expect(await again.get('k')).toBe('v');
  await again.close();
}

describe('a file that others may write to', () => {
  test.each([[0o600, 0], [0o644, 0], [0o660, 1], [0o602, 1], [0o666, 1]])('of mode %p is warned of', async (mode, count) => {
    const path = folder.path(`mode-${mode}.db`);
    expect(await warningsOf(() => works(path))).toEqual([]);
    chmodSync(path, mode);
    const warnings = await warningsOf(async () => {
      await works(path);
      await works(path);
    });
    expect(warnings).toHaveLength(count);
    for (const warning of warnings) expect(warning).toContain(`${path} has mode 0${mode.toString(8)}`);
  });

  test('is not meant by a link, which everybody may write to and open() refuses', async () => {
    const path = folder.path('link-to-own.db');
    await works(folder.path('own.db'));
    symlinkSync(folder.path('own.db'), path);
    expect(await warningsOf(() => isRefused(path, 'HYPHA_CANT_OPEN'))).toEqual([]);
    // open() succeeds only where the link has gone meanwhile: the look was at the link.
    const warn = await modeWarning(path);
    expect(await warningsOf(async () => warn())).toEqual([]);
  });
});

describe('what open() makes on disk', () => {
  test.each([0o000, 0o022, 0o077])('is 0600 for files and 0700 for folders under umask %p', async (umask) => {
    const path = join(folder.path(`umask-${umask}`), 'inner', 'store.db');
    const { data: [{ files, folders }], code } = await runChild(UMASK_PROGRAM, { path, umask });
    expect(code).toBe(0);
    expect(files['store.db']).toBe('600');
    expect(Object.keys(files)).toContain('store.db-wal');
    for (const mode of Object.values(files)) expect(mode).toBe('600');
    expect(folders).toEqual(['700', '700']);
  });

  test('leaves nothing beside the file after an orderly close', async () => {
    const path = join(folder.path('clean'), 'store.db');
    await works(path);
    expect(readdirSync(dirname(path))).toEqual(['store.db']);
  });

  test('keeps the mode of the kernel file it copies to .v1 no wider than 0600', async () => {
    const path = folder.next();
    writeKernelFile(path, { entries: [{ namespace: 'default', key: 'k', value: '1' }] });
    await (await open({ path })).close();
    expect(statSync(`${path}.v1`).mode & 0o077).toBe(0);
  });
});

describe('a path that is no database', () => {
  test.each(['file', 'parent'])('a directory as %s is refused and left alone', async (where) => {
    const directory = folder.path(`directory-${where}`);
    mkdirSync(directory);
    if (where === 'file') await isRefused(directory, 'HYPHA_CANT_OPEN');
    else {
      writeFileSync(join(directory, 'plain'), 'text');
      await isRefused(join(directory, 'plain', 'store.db'), 'HYPHA_CANT_OPEN');
    }
    expect(readdirSync(directory)).toEqual(where === 'file' ? [] : ['plain']);
  });

  test('a FIFO is refused without waiting for a writer', async () => {
    const path = folder.path('fifo');
    execFileSync('mkfifo', [path]);
    await isRefused(path, 'HYPHA_CANT_OPEN');
  });

  test('a device is refused', async () => {
    await isRefused('/dev/null', 'HYPHA_CANT_OPEN');
    await isRefused('/dev/zero', 'HYPHA_CANT_OPEN');
  });

  test('a place where nothing can be made is refused', async () => {
    await isRefused('/proc/hyphadb/store.db', 'HYPHA_CANT_OPEN');
    await isRefused('/proc/store.db', 'HYPHA_CANT_OPEN');
  });

  test('a missing file is refused with create:false, and nothing is made', async () => {
    const path = folder.path('missing/store.db');
    await expect(open({ path, create: false })).rejects.toMatchObject({ code: 'HYPHA_CANT_OPEN' });
    await isRefused(path, 'HYPHA_CANT_OPEN', { readOnly: true });
    expect(existsSync(dirname(path))).toBe(false);
  });

  const texts = { 'a short text': 'hello', 'a long text': 'not a database\n'.repeat(1000), 'two bytes': 'xy', 'a broken header': `SQLite format 3\0${'\xff'.repeat(4096)}` };
  test.each(Object.entries(texts))('%s is refused and left as it is', async (name, text) => {
    const path = folder.path(name);
    writeFileSync(path, text);
    await isRefused(path, 'HYPHA_NOT_A_DATABASE');
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(readdirSync(dirname(path)).filter((file) => file.startsWith(`${name}-`))).toEqual([]);
  });

  test('a newer schema is refused and left as it is', async () => {
    const path = folder.next();
    writeKernelFile(path, { version: 99, entries: [{ namespace: 'n', key: 'k', value: '1' }] });
    const before = readFileSync(path);
    await isRefused(path, 'HYPHA_SCHEMA_TOO_NEW');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test('an older schema is refused with migrate:false and left as it is', async () => {
    const path = folder.next();
    writeKernelFile(path, { entries: [{ namespace: 'n', key: 'k', value: '1' }] });
    const before = readFileSync(path);
    await isRefused(path, 'HYPHA_SCHEMA_OUTDATED', { migrate: false });
    await isRefused(path, 'HYPHA_SCHEMA_OUTDATED', { readOnly: true });
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

describe('a path that is unusual', () => {
  const names = ['a?b#c%d.db', "quote's \"double\".db", '資料庫-データ.db', 'space and\ttab.db', 'file:x.db', '%20%00.db', '?mode=memory&cache=shared', 'new\nline.db', 'é😀.db', '-dash.db', `${'n'.repeat(200)}.db`, ':memory:.db'];
  test.each(names)('%j works', async (name) => {
    const path = join(folder.path('unusual'), name, name);
    await works(path);
    expect(readdirSync(dirname(path))).toEqual([name]);
  });

  test('a relative path is relative to the folder of the process', async () => {
    await works(folder.path('plain.db').replace(/^\//, `${process.cwd().replace(/[^/]+/g, '..').replace(/^\//, '')}/`));
    expect(existsSync(folder.path('plain.db'))).toBe(true);
  });

  test('a symbolic link is refused, and what it names is left alone', async () => {
    const [target, link, dangling] = [folder.path('target.db'), folder.path('link.db'), folder.path('dangling.db')];
    await works(target);
    const before = readFileSync(target);
    symlinkSync(target, link);
    symlinkSync(folder.path('nowhere.db'), dangling);
    await isRefused(link, 'HYPHA_CANT_OPEN');
    await isRefused(dangling, 'HYPHA_CANT_OPEN');
    expect(readFileSync(target).equals(before)).toBe(true);
    expect(existsSync(folder.path('nowhere.db'))).toBe(false);
  });

  test('a folder behind a symbolic link works, and both ways to a file are one store', async () => {
    const [real, link] = [folder.path('real'), folder.path('linked')];
    mkdirSync(real);
    symlinkSync(real, link);
    const [one, other] = [await open({ path: join(real, 'a.db') }), await open({ path: join(link, 'a.db') })];
    await one.set('k', 'through the folder');
    expect(await other.get('k')).toBe('through the folder');
    await Promise.all([one.close(), other.close()]);
    expect(readdirSync(real)).toEqual(['a.db']);
  });

  test('a loop of links is refused', async () => {
    const [a, b] = [folder.path('loop-a'), folder.path('loop-b')];
    symlinkSync(a, b);
    symlinkSync(b, a);
    await isRefused(a, 'HYPHA_CANT_OPEN');
  });

  test('a file with two names is refused under both, and left alone', async () => {
    const [first, second] = [folder.path('hard-1.db'), folder.path('hard-2.db')];
    await works(first);
    linkSync(first, second);
    const before = readFileSync(first);
    for (const path of [first, second]) await isRefused(path, 'HYPHA_CANT_OPEN');
    expect(readFileSync(first).equals(before)).toBe(true);
    expect(readdirSync(dirname(first)).filter((name) => name.startsWith('hard-')).sort()).toEqual([basename(first), basename(second)]);
  });
});
