// Builds one preset: node scripts/build.js [release|debug|asan|tsan|fuzz]

import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { heading, isMain, main, root, run, seconds, StepError } from './support/run.js';
import { setUp } from './setup.js';

export const PRESETS = ['release', 'debug', 'asan', 'tsan', 'mutants', 'fuzz'];

// Lets checkouts at different paths share one cache.
const CCACHE = { CCACHE_BASEDIR: root, CCACHE_NOHASHDIR: '1' };

/** @param {string} preset */
export function buildDirectory(preset) {
  return join(root, 'build', preset);
}

// CMake refuses a build folder that was made for another place, which is what a copied checkout has.
function dropForeignCache(directory) {
  const cache = join(directory, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'));
  if (home && home[1] !== root) rmSync(directory, { recursive: true });
}

/**
 * Ninja repeats the configuration itself when a CMake file changes; the presets are not among what it watches.
 * @param {string} preset
 */
export async function configure(preset) {
  const directory = buildDirectory(preset);
  dropForeignCache(directory);
  const ninja = join(directory, 'build.ninja');
  if (existsSync(ninja) && statSync(ninja).mtimeMs > statSync(join(root, 'CMakePresets.json')).mtimeMs) return false;
  await run('cmake', ['--preset', preset], { log: `configure-${preset}.log`, env: CCACHE });
  return true;
}

/**
 * @param {string} preset
 * @param {string[]} [targets] all when left out
 */
export async function build(preset, targets = []) {
  const startedAt = performance.now();
  const fresh = await configure(preset);
  if (fresh) console.log('first build of this preset: SQLite alone takes a minute or two');
  const args = ['--build', '--preset', preset, '-j', String(availableParallelism())];
  if (targets.length > 0) args.push('--target', ...targets);
  await run('cmake', args, { log: `build-${preset}.log`, env: CCACHE });
  console.log(`built in ${seconds(startedAt)}: build/${preset}`);
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const preset = process.argv[2] ?? 'release';
    if (!PRESETS.includes(preset)) throw new StepError(`no preset "${preset}"; there are ${PRESETS.join(', ')}`);
    await setUp(['tsan', 'fuzz'].includes(preset) ? 'tsan' : 'build');
    heading(`Build (${preset})`);
    await build(preset);
  });
}
