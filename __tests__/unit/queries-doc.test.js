// docs/queries.md is executed as it stands.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const blocks = [...readFileSync(`${ROOT}docs/queries.md`, 'utf8').matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]);

test('there are examples to run', () => {
  expect(blocks.length).toBeGreaterThanOrEqual(2);
});

test.each(blocks.map((block, i) => [i + 1, block]))('example %d of docs/queries.md runs and its assertions hold', (_, block) => {
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', block], { cwd: ROOT, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
