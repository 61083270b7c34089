import process from 'node:process';
import { open } from '../../lib/index.js';
import { runChild, tempFolder, within } from '../helpers/child-run.js';

// 300 in all; HYPHA_WORKERS=750 makes them 1,000.
const WORKERS = Number(process.env.HYPHA_WORKERS ?? 225);
/** For one worker on a machine that has much else to do. */
const SLOW_MS = 5_000;
const program = new URL('./children/worker-churn.js', import.meta.url);

describe.each([
  ['in a process whose main thread never loads the addon', { mainWrites: false, workers: WORKERS }],
  ['while the main thread writes to the same file', { mainWrites: true, workers: Math.ceil(WORKERS / 3) }],
])('worker threads that open, write and end in every way, %s,', (_, { mainWrites, workers }) => {
  let folder;
  let child;
  beforeAll(async () => {
    folder = tempFolder();
    const input = { path: folder.file('workers.db'), workers, atOnce: 3, warmUp: 6, mainWrites };
    child = await runChild(program, input, { deadline: 60_000, fromLastSign: true, cwd: folder.path });
  }, 60_000 + SLOW_MS * WORKERS);
  afterAll(() => folder.remove());

  it('never abort the process', () => {
    expect({ code: child.code, signal: child.signal, stderr: child.stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  });

  it('leave no file descriptor behind', () => {
    const [{ before, after, database }] = child.data;
    console.log(`${workers} workers: ${before} descriptors before and ${after} after them, ${child.acks.length} acknowledged writes`);
    expect(database).toEqual([]);
    expect(after).toBeLessThanOrEqual(before);
  });

  it('keep every acknowledged write', async () => {
    const store = await within('open', open({ path: folder.file('workers.db') }));
    const stored = await store.getMany(child.acks);
    const { integrity } = await store.diagnose();
    await store.close();
    expect(child.acks.length).toBeGreaterThan(10 * workers);
    expect(child.acks.filter((key) => stored.get(key)?.key !== key)).toEqual([]);
    expect(integrity).toBe('ok');
  });
});
