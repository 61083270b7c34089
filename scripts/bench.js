// npm run bench: the peers side by side with HyphaDB, on Node 24 because one of them needs more than 20.

import { join } from 'node:path';
import { build } from './build.js';
import { ensureNpmPackages, setUp } from './setup.js';
import { heading, main, root, run } from './support/run.js';

await main(async () => {
  await setUp('build');
  await ensureNpmPackages(join(root, 'bench'), 'the peers that the benches compare with');
  heading('Build');
  await build('release', ['hypha_addon']);
  heading('Bench');
  const node24 = join(root, 'node_modules', 'node24', 'bin', 'node');
  await run(node24, [join(root, 'bench', 'run.js'), ...process.argv.slice(2)]);
});
