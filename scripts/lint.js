// npm run lint, or some of it: node scripts/lint.js [includes] [tree] [format] [eslint] [types] [tidy]

import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { configure } from './build.js';
import { findBadIncludes } from './check-includes.js';
import { findTreeFaults } from './check-tree.js';
import { setUp } from './setup.js';
import { filesBelow } from './support/files.js';
import { heading, isMain, logPath, main, root, seconds, StepError } from './support/run.js';
import { tidy } from './tidy.js';

const MAX_SHOWN_LINES = 100;

const tool = (...parts) => join(root, 'node_modules', ...parts);

// The output of a failed run; empty when all is well.
function outputOf(command, args) {
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (done.status === 0) return '';
  return `${done.stdout ?? ''}${done.stderr ?? ''}`.trim() || done.error?.message || `exit code ${done.status}`;
}

const PARTS = {
  includes: { title: 'include arrows', check: () => findBadIncludes().join('\n') },
  tree: { title: 'file length, registry names', check: () => findTreeFaults().join('\n') },
  format: {
    title: 'clang-format',
    check() {
      const files = filesBelow('addon', ['.cc', '.h']);
      return files.length === 0 ? '' : outputOf('clang-format', ['--dry-run', '-Werror', ...files]);
    },
  },
  eslint: {
    title: 'ESLint',
    check() {
      const folders = ['lib', '__tests__', 'scripts', 'examples', 'bench', 'eslint.config.js', 'jest.config.js'];
      const present = folders.filter((name) => existsSync(join(root, name)));
      const options = ['--no-warn-ignored', '--no-error-on-unmatched-pattern', '--max-warnings', '0'];
      return outputOf(process.execPath, [tool('eslint', 'bin', 'eslint.js'), ...options, ...present]);
    },
  },
  types: {
    title: 'JSDoc types',
    check: () => outputOf(process.execPath, [tool('typescript', 'bin', 'tsc'), '-p', 'tsconfig.json']),
  },
  tidy: {
    title: 'clang-tidy',
    async check() {
      await configure('release');
      return (await tidy()).output;
    },
  },
};

function show(output, log) {
  const path = logPath(log);
  writeFileSync(path, `${output}\n`);
  const lines = output.split('\n');
  console.log(lines.slice(0, MAX_SHOWN_LINES).map((line) => `    ${line}`).join('\n'));
  const hidden = lines.length - MAX_SHOWN_LINES;
  if (hidden > 0) console.log(`    ... ${hidden} more lines in ${relative(root, path)}`);
}

/** @param {string[]} [names] of PARTS; all when empty */
export async function lint(names = []) {
  const wanted = names.length > 0 ? names : Object.keys(PARTS);
  const failed = [];
  for (const name of wanted) {
    if (!Object.hasOwn(PARTS, name)) {
      throw new StepError(`no lint part "${name}"; there are ${Object.keys(PARTS).join(', ')}`);
    }
    const { title, check } = PARTS[name];
    const startedAt = performance.now();
    const output = await check();
    console.log(`${output === '' ? 'ok    ' : 'FAILED'} ${title} (${seconds(startedAt)})`);
    if (output === '') continue;
    failed.push(title);
    show(output, `lint-${name}.log`);
  }
  if (failed.length > 0) throw new StepError(`lint: ${failed.join(', ')}`);
}

if (isMain(import.meta.url)) {
  await main(async () => {
    await setUp('test');
    heading('Lint');
    await lint(process.argv.slice(2));
  });
}
