// The names of a database's logs and their index are no names of databases, copies or bundles: whoever wrote there would
// replace the log of an open store, and whoever only looked would take its locks away.

import { copyFileSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { migrate, open, openOrLoad, restore } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { useFolder } from '../helpers/folders.js';
import { LockProbe } from '../helpers/lock-probe.js';

const folder = useFolder();
const SUFFIXES = ['-wal', '-shm', '-journal'];

let store;
let path;
let good;
let bundle;
let probe;

beforeEach(async () => {
  path = folder.next();
  [good, bundle] = [`${path}.good`, `${path}.jsonl`];
  store = await open({ path });
  await store.set('before', 'kept');
  await store.backup(good);
  await store.exportBundle(bundle);
  probe = new LockProbe();
});

afterEach(async () => {
  await probe.end();
  await store.close();
});

const attempts = {
  'open()': (name) => open({ path: name }),
  'open() read-only': (name) => open({ path: name, readOnly: true }),
  'openOrLoad()': (name) => openOrLoad(name, bundle),
  'migrate()': (name) => migrate(name, { to: 2 }),
  'backup()': (name) => store.backup(name),
  'backup() over it': (name) => store.backup(name, { overwrite: true }),
  'restore() to it': (name) => restore(good, name),
  'restore() from it': (name) => restore(name, `${path}.fresh`),
  'exportBundle()': (name) => store.exportBundle(name, { overwrite: true }),
  'exportBundle() to a directory': (name) => store.exportBundle(`${name}/`, { overwrite: true }),
};

describe.each(SUFFIXES)('a name that ends with %s', (suffix) => {
  test.each(Object.keys(attempts))('is refused by %s, and the store beside it keeps its locks and its log', async (call) => {
    const files = readdirSync(folder.path('.')).sort();
    const locks = await probe.look(path);
    await expect(attempts[call](path + suffix)).rejects.toMatchObject({ code: 'HYPHA_CANT_OPEN' });
    expect(await probe.look(path)).toEqual(locks);
    expect(locks).toEqual({ database: process.pid, log: process.pid });
    expect(readdirSync(folder.path('.')).sort()).toEqual(files);
    await store.set('after', 'kept');
    await store.close();
    store = await open({ path });
    expect(await store.getMany(['before', 'after'])).toEqual(new Map([['before', 'kept'], ['after', 'kept']]));
  });

  test('is refused by the backend of the kernel', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: path + suffix });
    expect(await backend.get('k')).toMatchObject({ success: false, error: { code: 'HYPHA_CANT_OPEN' } });
    expect(await backend.close()).toEqual({ success: true });
  });

  test('is not taken from another database by a backup to the name before it', async () => {
    const target = `${path}.copy`;
    writeFileSync(target + suffix, 'precious');
    await expect(store.backup(target)).rejects.toMatchObject({ code: 'HYPHA_EXISTS' });
    expect(readFileSync(target + suffix, 'utf8')).toBe('precious');
    expect(existsSync(target)).toBe(false);
    // Who may replace the target may replace what belongs to it: a log must never meet another database.
    copyFileSync(good, target);
    await store.backup(target, { overwrite: true });
    expect(existsSync(target + suffix)).toBe(false);
  });
});
