// After a change of dependencies: node scripts/complete-lock.js [package-lock.json]
//
// npm 11.16 and later leave out of the lock file any optional package the registry in use does not carry (binaries for
// other platforms), and then refuse that same lock file in `npm ci` (npm/cli issue 9846). This adds the entries that a
// complete registry would have led to, so that `npm ci` finds the tree it expects and skips the foreign platforms.
// Integrity cannot be known here and is left out of these entries.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMain, main, root, StepError } from './support/run.js';

const PLATFORM = /-(aix|android|darwin|freebsd|linux|openharmony|win32|wasm32)-([a-z0-9_]+)(?:-([a-z]+))?$/;

function entryFor(name, version, isDev) {
  const found = PLATFORM.exec(name);
  if (!found) throw new StepError(`${name}: for which platform is it? Its name does not say.`);
  const [, os, cpu, abi] = found;
  const libc = /^(gnu|musl)/.exec(abi ?? '')?.[1];
  const entry = { version, cpu: [os === 'wasm32' ? os : cpu] };
  if (isDev) entry.dev = true;
  if (libc) entry.libc = [libc === 'gnu' ? 'glibc' : libc];
  entry.optional = true;
  if (os !== 'wasm32') entry.os = [os];
  return entry;
}

// Whether Node would find `name` from the package at `from`.
function isListed(packages, from, name) {
  for (let place = from; ; place = place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/')))) {
    if (packages[`${place === '' ? '' : `${place}/`}node_modules/${name}`]) return true;
    if (place === '') return false;
  }
}

/** @returns {number} how many entries were added */
export function completeLock(path) {
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  let added = 0;
  for (const [from, { optionalDependencies, dev }] of Object.entries(lock.packages)) {
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      if (isListed(lock.packages, from, name)) continue;
      if (!/^\d+\.\d+\.\d+/.test(version)) throw new StepError(`${name}@${version}: not an exact version`);
      lock.packages[`node_modules/${name}`] = entryFor(name, version, dev === true);
      added += 1;
    }
  }
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries(sorted);
  if (added > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  return added;
}

if (isMain(import.meta.url)) {
  await main(() => {
    const path = process.argv[2] ?? join(root, 'package-lock.json');
    console.log(`${completeLock(path)} entries added to ${path}`);
  });
}
