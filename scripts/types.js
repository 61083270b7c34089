// npm run types: type declarations out of the JSDoc of lib/, into types/ (what the package ships), then read back by
// the compiler as a user's project would.

import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setUp } from './setup.js';
import { heading, isMain, main, root, run, StepError } from './support/run.js';

const TSC = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const ENTRIES = ['index.d.ts', join('mycelia', 'index.d.ts')];

export async function makeTypes() {
  const made = join(root, 'build', 'types');
  const shipped = join(root, 'types');
  rmSync(made, { recursive: true, force: true });
  await run(process.execPath, [TSC, '-p', 'tsconfig.types.json'], { log: 'types.log' });
  // The compiler does not copy declarations that were written by hand.
  for (const name of readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })) {
    if (name.endsWith('.d.ts')) cpSync(join(root, 'lib', name), join(made, name));
  }
  for (const entry of ENTRIES) {
    if (!existsSync(join(made, entry))) throw new StepError(`types/${entry} was not made: is lib/ complete?`);
  }
  rmSync(shipped, { recursive: true, force: true });
  cpSync(made, shipped, { recursive: true });
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node'];
  options.push('--lib', 'es2023,esnext.disposable', '--skipLibCheck', 'false');
  const entries = ENTRIES.map((entry) => join(shipped, entry));
  await run(process.execPath, [TSC, ...options, ...entries], { log: 'types-check.log' });
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await setUp('build');
    heading('Types');
    await makeTypes();
    console.log('written to types/');
  });
}
