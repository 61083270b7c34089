// npm run demo: from a fresh clone to 135,233 queried documents.

import { join } from 'node:path';
import { build } from './build.js';
import { setUp } from './setup.js';
import { heading, main, root, run } from './support/run.js';

await main(async () => {
  await setUp('build');
  heading('Build');
  await build('release', ['hypha_addon']);
  heading('Demo: the cities of the world');
  await run(process.execPath, [join(root, 'examples', 'cities', 'demo.js'), ...process.argv.slice(2)]);
});
