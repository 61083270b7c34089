import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild, tempFolder } from '../helpers/child-run.js';

const program = new URL('./children/two-images.js', import.meta.url);
const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

describe('a second copy of the addon in one process', () => {
  let folder;
  let copy;
  beforeAll(() => {
    folder = tempFolder();
    copy = folder.file('copy');
    mkdirSync(copy);
    for (const part of ['lib', 'package.json', 'build/release/hypha.node']) cpSync(join(root, part), join(copy, part), { recursive: true });
  });
  afterAll(() => folder.remove());

  const addonOf = (place) => join(place, 'build', 'release', 'hypha.node');

  /** Loads them in order; the last is to be refused, the others to work. */
  async function expectLastRefused(...steps) {
    const child = await runChild(program, steps, { env: { HYPHADB_ADDON: '' } });
    expect(child).toMatchObject({ code: 0, stderr: '' });
    const refused = child.data.pop();
    expect(child.data).toEqual(child.data.map(() => ({ value: 1 })));
    expect(refused.code).toBe('HYPHA_DUPLICATE_LIBRARY');
    expect(refused.message).toContain(addonOf(root));
    expect(refused.message).toContain(addonOf(copy));
  }

  it('is refused with both paths named when the copy comes second', () => expectLastRefused({ root }, { root: copy }));

  it('is refused with both paths named when the copy comes first', () => expectLastRefused({ root: copy }, { root }));

  it('is refused in a worker when the main thread has the other', () => expectLastRefused({ root }, { root: copy, worker: true }));

  it('is refused in the main thread when a worker that has ended had the other', () => expectLastRefused({ root: copy, worker: true }, { root }));

  it('is refused in a worker when another worker had the other', () =>
    expectLastRefused({ root, worker: true }, { root: copy, worker: true }));

  it('is not taken for one when the same addon is loaded by workers and the main thread', async () => {
    const child = await runChild(program, [{ root, worker: true }, { root }, { root, worker: true }]);
    expect(child).toMatchObject({ code: 0, stderr: '', data: [{ value: 1 }, { value: 1 }, { value: 1 }] });
  });
});
