// What the operating system must provide, how its presence is seen, and what Debian and Ubuntu call it.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, StepError, which } from './run.js';

const MINIMUM_CMAKE = [3, 25];
const EXTRA_INCLUDES = (process.env.CPATH ?? '').split(':').filter(Boolean);
const INCLUDE_DIRECTORIES = ['/usr/include', '/usr/local/include', ...EXTRA_INCLUDES];

const hasHeader = (name) => INCLUDE_DIRECTORIES.some((directory) => existsSync(join(directory, name)));

function hasNewEnoughCmake() {
  if (!which('cmake')) return false;
  const found = /version (\d+)\.(\d+)/.exec(execFileSync('cmake', ['--version'], { encoding: 'utf8' }));
  if (!found) return false;
  const [major, minor] = [Number(found[1]), Number(found[2])];
  return major > MINIMUM_CMAKE[0] || (major === MINIMUM_CMAKE[0] && minor >= MINIMUM_CMAKE[1]);
}

// A package from the registry comes without the engine's tests.
const hasEngineTests = existsSync(join(root, 'addon', 'tests'));

// `need` is the smallest piece of work that cannot do without the package. ccache only saves time, and without strace one
// test is skipped, so they are optional.
const PACKAGES = [
  { name: 'cmake', need: 'build', present: hasNewEnoughCmake },
  { name: 'ninja-build', need: 'build', present: () => which('ninja') !== null },
  { name: 'g++', need: 'build', present: () => which('g++') !== null },
  { name: 'nlohmann-json3-dev', need: 'build', present: () => !hasEngineTests || hasHeader('nlohmann/json.hpp') },
  { name: 'libgtest-dev', need: 'build', present: () => !hasEngineTests || hasHeader('gtest/gtest.h') },
  { name: 'ccache', need: 'build', optional: true, present: () => which('ccache') !== null },
  { name: 'clang-format', need: 'test', present: () => which('clang-format') !== null },
  { name: 'clang-tidy', need: 'test', present: () => which('clang-tidy') !== null },
  { name: 'strace', need: 'test', optional: true, present: () => process.platform !== 'linux' || which('strace') !== null },
  { name: 'clang', need: 'tsan', present: () => which('clang++') !== null },
];

const NEEDS = { build: ['build'], test: ['build', 'test'], tsan: ['build', 'tsan'], all: ['build', 'test', 'tsan'] };

/** @param {keyof typeof NEEDS} work */
function missingFor(work) {
  return PACKAGES.filter((each) => NEEDS[work].includes(each.need) && !each.present());
}

// The words before `apt-get` that make it work here, or null when it cannot.
function aptPrefix() {
  if (!which('apt-get')) return null;
  if (process.getuid?.() === 0) return [];
  if (!which('sudo')) return null;
  try {
    execFileSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
    return ['sudo', '-n'];
  } catch {
    return null;
  }
}

/** @param {keyof typeof NEEDS} work what is about to be done */
export async function ensureSystemPackages(work) {
  const missing = missingFor(work);
  const required = missing.filter((each) => !each.optional);
  if (missing.length === 0) return;
  const names = missing.map((each) => each.name);
  const byHand = `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}`;
  const prefix = aptPrefix();
  if (prefix === null) {
    if (required.length === 0) return;
    const needed = required.map((each) => each.name).join(', ');
    throw new StepError(
      `missing on this system: ${needed} (cmake must be ${MINIMUM_CMAKE.join('.')} or newer).\n` +
        `  Nothing can be installed without root. On Debian or Ubuntu run:\n    ${byHand}`,
    );
  }
  console.log(`Set-up: installing system packages: ${names.join(' ')}`);
  const [command, ...args] = [...prefix, 'apt-get'];
  const options = { log: 'setup-apt.log', env: { DEBIAN_FRONTEND: 'noninteractive' } };
  try {
    await run(command, [...args, 'update'], options);
    await run(command, [...args, 'install', '-y', '--no-install-recommends', ...names], { ...options, append: true });
  } catch (error) {
    // Nothing fails without the optional ones.
    if (required.length > 0) throw error;
    console.log(`Set-up: going on without ${names.join(', ')}`);
    return;
  }
  const still = missingFor(work).filter((each) => !each.optional);
  if (still.length > 0) {
    throw new StepError(
      `installed, yet still missing or too old: ${still.map((each) => each.name).join(', ')} ` +
        `(cmake must be ${MINIMUM_CMAKE.join('.')} or newer).`,
    );
  }
}
