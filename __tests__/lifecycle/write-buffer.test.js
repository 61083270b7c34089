import { open } from '../../lib/index.js';
import { runChild, tempFolder } from '../helpers/child-run.js';

const program = new URL('./children/buffer.js', import.meta.url);

describe('a process with a write buffer', () => {
  let folder;
  let path;
  beforeEach(() => {
    folder = tempFolder();
    path = folder.file('buffer.db');
  });
  afterEach(() => folder.remove());

  const run = (scene, options, more = {}) => runChild(program, { path, scene, options }, { cwd: folder.path, ...more });
  async function stored() {
    const store = await open({ path });
    const keys = await store.list();
    await store.close();
    return keys;
  }

  it('loses only writes whose promise was not resolved when it is killed', async () => {
    for (let round = 0; round < 5; round++) {
      const kill = (phase, child) => phase === 'acknowledged' && setTimeout(() => child.kill('SIGKILL'), round * 67);
      const child = await run('adds without end', { flushInterval: 20, maxItems: 50 }, { onPhase: kill });
      expect(child.signal).toBe('SIGKILL');
      expect(child.acks.length).toBeGreaterThan(0);
      const keys = new Set(await stored());
      expect(child.acks.filter((key) => !keys.has(key))).toEqual([]);
      // Each batch is whole, in order: what is there is a beginning of what was added.
      expect([...keys].every((key) => Number(key.slice(4)) < keys.size)).toBe(true);
      folder.remove();
      folder = tempFolder();
      path = folder.file('buffer.db');
    }
  });

  it('ends by itself once the buffer is idle', async () => {
    const child = await run('idle', { flushInterval: 10 });
    expect(child).toMatchObject({ code: 0, signal: null, acks: ['key-0'], stderr: '' });
  });

  it('that has nothing else to do sends what is left at once, and ends', async () => {
    const child = await run('ends with items', { flushInterval: 3_600_000 });
    expect(child).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(child.acks).toHaveLength(30);
    expect(await stored()).toEqual(child.acks.sort());
  });

  it('keeps what was added right before close()', async () => {
    const child = await run('process.exit right after close', { flushInterval: 3_600_000 });
    expect(child).toMatchObject({ code: 3, acks: ['key-0'], stderr: '' });
    expect(await stored()).toEqual(['key-0']);
  });
});
