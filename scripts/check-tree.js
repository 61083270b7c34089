// Rules for every file of the project: a source file is short enough to be read in one go, none names a package
// registry (the reader's own is used), and the engine opens SQLite's handles in one place.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFiles } from './support/files.js';
import { isMain, main, root, StepError } from './support/run.js';

const MAX_LINES = 500;
const SOURCE = /\.(cc|h|js|mjs|cjs|ts|sql|cmake|sh)$/;
const BINARY = /\.(db|sqlite|png|jpg|gif|node|gz|tgz|bin|zip)$/;
const REGISTRY = /\/\/[\w.-]*registry\.[\w.-]+|\bregistry\.[\w-]+\.(org|com|net|dev|io|cn)\b|"resolved": "https?:/;

// Whoever calls it elsewhere has a handle without the defensive flags, limits and authorizer.
const RAW_OPEN = /\bsqlite3_open(16|_v2)?\s*\(/;
const ONLY_OPENER = 'addon/engine/sqlite/database_handle.cc';

/** @returns {string[]} */
export function findTreeFaults() {
  const faults = [];
  for (const file of projectFiles()) {
    if (BINARY.test(file)) continue;
    const lines = readFileSync(join(root, file), 'utf8').trimEnd().split('\n');
    if (SOURCE.test(file) && lines.length > MAX_LINES) {
      faults.push(`${file}: ${lines.length} lines, the limit is ${MAX_LINES}`);
    }
    const at = lines.findIndex((line) => REGISTRY.test(line));
    if (at >= 0) faults.push(`${file}:${at + 1}: names a package registry`);
    const opens = file.startsWith('addon/engine/') && file.endsWith('.cc') && file !== ONLY_OPENER ? lines.findIndex((line) => RAW_OPEN.test(line)) : -1;
    if (opens >= 0) faults.push(`${file}:${opens + 1}: opens a raw handle; OpenHardened() of ${ONLY_OPENER} is the one door`);
  }
  return faults;
}

if (isMain(import.meta.url)) {
  await main(() => {
    const faults = findTreeFaults();
    if (faults.length > 0) throw new StepError(`\n${faults.join('\n')}`);
  });
}
