// clang-tidy over the engine and the binding. A file is skipped when it was clean before and neither it, nor a header
// of ours that it reaches, nor the settings have changed.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { includesOf } from './check-includes.js';
import { filesBelow } from './support/files.js';
import { root } from './support/run.js';

const CACHE = join(root, 'build', 'tidy-cache');
const INCLUDE_ROOTS = ['addon/engine', 'addon/include', 'addon/binding'];
const DATABASE = join(root, 'build', 'release');
// The compile commands are g++'s; what clang thinks of the warnings is not the question here.
const EXTRA = ['--extra-arg=-w', '--quiet'];

// All files of ours that a source reaches, itself included.
function closure(file) {
  const seen = new Set([file]);
  for (const current of seen) {
    for (const { path } of includesOf(readFileSync(join(root, current), 'utf8'))) {
      const candidates = [...INCLUDE_ROOTS, dirname(current)].map((folder) => join(folder, path));
      const found = candidates.find((candidate) => existsSync(join(root, candidate)));
      if (found) seen.add(found);
    }
  }
  return [...seen].sort();
}

function keyOf(file, settings) {
  const hash = createHash('sha256').update(settings);
  for (const part of closure(file)) hash.update(part).update('\0').update(readFileSync(join(root, part))).update('\0');
  return hash.digest('hex');
}

function tidyOne(file) {
  return new Promise((resolve) => {
    const args = ['-p', DATABASE, ...EXTRA, file];
    const child = spawn('clang-tidy', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let noise = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (noise += data));
    child.once('error', (error) => resolve({ ok: false, output: error.message }));
    child.once('close', (code) => resolve({ ok: code === 0, output: output.trim() || noise.trim() }));
  });
}

/** @returns {Promise<{ output: string, checked: number, skipped: number }>} output is empty when all is well */
export async function tidy() {
  mkdirSync(CACHE, { recursive: true });
  const version = spawnSync('clang-tidy', ['--version'], { encoding: 'utf8' }).stdout ?? '';
  const settings = version + EXTRA.join(' ') + readFileSync(join(root, '.clang-tidy'), 'utf8');
  const commands = JSON.parse(readFileSync(join(DATABASE, 'compile_commands.json'), 'utf8'));
  const compiled = new Set(commands.map((each) => each.file));
  const all = ['addon/engine', 'addon/binding'].flatMap((folder) => filesBelow(folder, ['.cc']));
  const todo = all
    .filter((file) => compiled.has(join(root, file)))
    .map((file) => ({ file, mark: join(CACHE, keyOf(file, settings)) }))
    .filter(({ mark }) => !existsSync(mark));
  const checked = todo.length;
  const complaints = [];
  async function worker() {
    for (let next = todo.shift(); next; next = todo.shift()) {
      const { ok, output } = await tidyOne(next.file);
      if (ok) writeFileSync(next.mark, '');
      else complaints.push(output || `${next.file}: clang-tidy failed without a word`);
    }
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, worker));
  return { output: complaints.join('\n'), checked, skipped: all.length - checked };
}
