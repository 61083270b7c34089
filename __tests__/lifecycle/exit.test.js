import { existsSync } from 'node:fs';
import process from 'node:process';
import { open } from '../../lib/index.js';
import { runChild, tempFolder } from '../helpers/child-run.js';

const program = new URL('./children/exit-way.js', import.meta.url);

/** @type {[way: string, code: number | null, signal: string | null, orderly: boolean][]} */
const ways = [
  ['return', 0, null, true],
  ['close', 0, null, true],
  ['process.exitCode', 5, null, true],
  ['process.exit', 7, null, true],
  ['process.exit in an exit handler', 11, null, true],
  ['process.exit with an open transaction', 12, null, true],
  ['process.exit right after close', 13, null, true],
  ['process.exit while workers write', 14, null, true],
  ['uncaught throw', 1, null, true],
  ['unhandled rejection', 1, null, true],
  ['SIGTERM', null, 'SIGTERM', false],
  ['SIGKILL', null, 'SIGKILL', false],
  ['process.reallyExit', 9, null, false],
  ['process.abort', null, 'SIGABRT', false],
  ['process.abort while workers write', null, 'SIGABRT', false],
];

/** How often each way is tried. */
const ROUNDS = Number(process.env.HYPHA_EXIT_ROUNDS ?? 1);

describe('a process that ends in the middle of writes', () => {
  let folder;
  const renew = () => (folder = tempFolder());
  const remove = () => folder.remove();
  beforeEach(renew);
  afterEach(remove);

  /** With a new folder for each round. */
  async function repeat(work) {
    for (let round = 1; round < ROUNDS; round++) {
      await work();
      remove();
      renew();
    }
    await work();
  }

  async function endAndReopen(way, durability) {
    const path = folder.file('exit.db');
    const child = await runChild(program, { path, way, durability, afterAcks: 120 }, { cwd: folder.path });
    const leftovers = [`${path}-wal`, `${path}-shm`].filter(existsSync);
    const store = await open({ path });
    const stored = await store.getMany(child.acks);
    const present = child.acks.filter((key) => stored.get(key)?.key === key);
    const { integrity } = await store.diagnose();
    const uncommitted = await store.has('uncommitted');
    await store.close();
    return { child, leftovers, present, integrity, uncommitted };
  }

  for (const [way, code, signal, orderly] of ways) {
    const tidy = orderly ? ' and leaves no -wal or -shm' : '';
    it(`by ${way} keeps its exit code and every acknowledged write${tidy}`, () => repeat(async () => {
      const { child, leftovers, present, integrity, uncommitted } = await endAndReopen(way, 'normal');
      expect({ code: child.code, signal: child.signal }).toEqual({ code, signal });
      if (code !== 1 && code !== null) expect(child.stderr).toBe('');
      expect(child.acks.length).toBeGreaterThanOrEqual(120);
      expect(present).toEqual(child.acks);
      expect({ integrity, uncommitted }).toEqual({ integrity: 'ok', uncommitted: false });
      if (orderly) expect(leftovers).toEqual([]);
    }), 30_000 * ROUNDS);
  }

  it('by SIGKILL keeps every acknowledged write in each durability', async () => {
    for (const durability of ['off', 'full']) {
      const { child, present, integrity } = await endAndReopen('SIGKILL', durability);
      expect(child.signal).toBe('SIGKILL');
      expect(present).toEqual(child.acks);
      expect(integrity).toBe('ok');
      folder.remove();
      folder = tempFolder();
    }
  });
});
