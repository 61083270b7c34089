import { withProgress } from '../../lib/progress.js';
import { warningsOf } from '../helpers/warnings.js';

const TOKEN = 2 ** 40; // no work of the addon has it

describe('withProgress', () => {
  test('tells of the end once more, with the total of the result', async () => {
    const told = [];
    expect(await withProgress(TOKEN, (...progress) => told.push(progress), async () => 'done', () => 7)).toBe('done');
    expect(told).toEqual([[7, 7]]);
  });

  test('what the listener throws then is a warning: the work is done', async () => {
    const listener = () => { throw new Error('late'); };
    const warnings = await warningsOf(async () => {
      expect(await withProgress(TOKEN, listener, async () => 'done', () => 7)).toBe('done');
    });
    expect(warnings).toEqual(['onProgress threw Error: late; what it was told of is done']);
  });

  test('work that fails does so with its own error', async () => {
    const problem = new Error('of the work');
    await expect(withProgress(TOKEN, () => {}, async () => { throw problem; })).rejects.toBe(problem);
  });
});
