import { existsSync, readdirSync } from 'node:fs';
import { open } from '../../lib/index.js';
import { runChild, tempFolder } from '../helpers/child-run.js';

const program = new URL('./children/alive.js', import.meta.url);

describe('a process whose program ends without closing its store', () => {
  let folder;
  let path;
  beforeEach(() => {
    folder = tempFolder();
    path = folder.file('alive.db');
  });
  afterEach(() => folder.remove());

  const run = (scene, flags = []) => runChild(program, { path, scene }, { flags, cwd: folder.path });
  const leftovers = () => readdirSync(folder.path).filter((name) => /-(wal|shm)$/.test(name));

  it('ends at once when the store is idle, and leaves an orderly file', async () => {
    const child = await run('idle');
    expect(child).toMatchObject({ code: 0, acks: ['key-0'], stderr: '' });
    expect(leftovers()).toEqual([]);
  });

  it('lives on until its writes are acknowledged when the store is busy', async () => {
    const child = await run('busy');
    expect(child).toMatchObject({ code: 0, data: [{ entries: 500 }], stderr: '' });
    expect(child.acks).toEqual(Array.from({ length: 500 }, (_, i) => `key-${i}`));
    expect(leftovers()).toEqual([]);
    const store = await open({ path });
    expect(await store.count()).toBe(500);
    await store.close();
  });

  it('ends with a transaction open, which is rolled back', async () => {
    const child = await run('idle with an open transaction');
    expect(child).toMatchObject({ code: 0, acks: ['key-0'], stderr: '' });
    const store = await open({ path });
    expect(await store.list()).toEqual(['key-0']);
    await store.close();
  });

  it('keeps its exit code when it exits while a store is being opened', async () => {
    const child = await run('exit code while opening');
    expect(child).toMatchObject({ code: 4, stderr: '' });
    expect(leftovers()).toEqual([]);
    const store = await open({ path });
    expect(await store.count()).toBe(0);
    await store.close();
  });
});

describe('a store that is garbage-collected without close()', () => {
  let folder;
  beforeEach(() => (folder = tempFolder()));
  afterEach(() => folder.remove());

  it('closes its files', async () => {
    const path = folder.file('gc.db');
    const child = await runChild(program, { path, scene: 'collected' }, { flags: ['--expose-gc'], cwd: folder.path });
    expect(child).toMatchObject({ code: 0, stderr: '' });
    expect(child.data[0].before).toBeGreaterThan(0);
    expect(child.data[0].after).toBe(0);
    expect(existsSync(`${path}-0-wal`)).toBe(false);
  });

  it('leaves its file ready to be opened again in the same process', async () => {
    const input = { path: folder.file('gc.db'), scene: 'collected, then opened again' };
    const child = await runChild(program, input, { flags: ['--expose-gc'], cwd: folder.path });
    expect(child).toMatchObject({ code: 0, stderr: '', data: [{ value: 0 }, { value: 1 }, { value: 2 }] });
  });
});
