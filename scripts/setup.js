// Makes a fresh clone ready to build: Node version, npm packages, system packages. Every script of the menu calls it
// first (npm skips pre-scripts where scripts are ignored), so with nothing to do it is silent and quick.
// By hand: node scripts/setup.js [build|test|tsan|all]

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMain, main, root, run, seconds, StepError } from './support/run.js';
import { ensureSystemPackages } from './support/system-packages.js';

const MINIMUM_NODE = [20, 19];

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return;
  throw new StepError(`this is Node ${process.versions.node}; HyphaDB needs ${MINIMUM_NODE.join('.')} or newer.`);
}

/**
 * Installs the packages of a folder's lock file unless that very lock file is installed already.
 * @param {string} directory
 * @param {string} title for the one line that is printed when there is work
 */
export async function ensureNpmPackages(directory, title) {
  const lock = createHash('sha256').update(readFileSync(join(directory, 'package-lock.json'))).digest('hex');
  // npm empties node_modules before it installs, so an interrupted run leaves no stamp.
  const stamp = join(directory, 'node_modules', '.hyphadb-setup');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  const startedAt = performance.now();
  console.log(`Set-up: installing ${title}`);
  // On the command line too: the caller's environment may say otherwise.
  const args = ['ci', '--ignore-scripts', '--legacy-peer-deps', '--no-bin-links', '--no-audit', '--no-fund'];
  await run('npm', args, { cwd: directory, log: 'setup-npm.log' });
  writeFileSync(stamp, lock);
  console.log(`Set-up: installed in ${seconds(startedAt)}`);
}

/** @param {'build' | 'test' | 'tsan' | 'all'} [work] what is about to be done */
export async function setUp(work = 'all') {
  checkNode();
  await ensureSystemPackages(work);
  // A package from the registry has no lock file; it carries what a build needs in deps/.
  if (existsSync(join(root, 'package-lock.json'))) await ensureNpmPackages(root, 'npm packages');
}

if (isMain(import.meta.url)) await main(() => setUp(/** @type {'all'} */ (process.argv[2])));
