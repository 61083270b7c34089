// The examples of these documents are executed as they stand.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const blocksOf = (name) => [...readFileSync(`${ROOT}docs/${name}`, 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map((match, i) => [i + 1, name, match[1]]);
const blocks = ['queries.md', 'bundles.md'].flatMap(blocksOf);

test('there are examples to run', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(3);
});

test.each(blocks)('example %d of docs/%s runs and its assertions hold', (_number, _name, block) => {
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', block], { cwd: ROOT, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
