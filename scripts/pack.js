// npm run pack: the tarball to publish, hyphadb-<version>.tgz, with the addon of this platform and with the C and C++
// code that a build elsewhere needs. With --check the tarball is then installed and used as a stranger would.
// It is put together in a folder of its own: a deps/ in the checkout would be what the next build compiles.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { platformName } from '../lib/platform.js';
import { build, buildDirectory } from './build.js';
import { setUp } from './setup.js';
import { filesBelow } from './support/files.js';
import { heading, main, root, run, StepError } from './support/run.js';
import { makeTypes } from './types.js';

const ADDON = 'hypha.node';
const NODE_24 = join(root, 'node_modules', 'node24', 'bin', 'node');
const TSC = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

// Of folders of node_modules what a build reads, and the license that goes with it. In deps each has its last name.
const DEPENDENCIES = {
  'better-sqlite3-multiple-ciphers/deps/sqlite3': ['sqlite3.c', 'sqlite3.h', 'sqlite3ext.h'],
  'node-addon-api': ['napi.h', 'napi-inl.h', 'napi-inl.deprecated.h', 'LICENSE.md'],
  'node-api-headers': ['include', 'LICENSE'],
};

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

async function fill(stage) {
  const made = ['prebuilds', 'deps'];
  const entries = manifest.files.filter((name) => !name.startsWith('!') && !made.includes(name));
  for (const name of ['package.json', ...entries]) cpSync(join(root, name), join(stage, name), { recursive: true });
  for (const [from, names] of Object.entries(DEPENDENCIES)) {
    for (const name of names) {
      const to = join(stage, 'deps', basename(from), name);
      cpSync(join(root, 'node_modules', from, name), to, { recursive: true });
    }
  }
  const addon = join(stage, 'prebuilds', platformName(), ADDON);
  mkdirSync(dirname(addon), { recursive: true });
  cpSync(join(buildDirectory('release'), ADDON), addon);
  await run('strip', ['--strip-unneeded', addon], { log: 'pack-strip.log' });
}

/** @returns {Promise<string>} the tarball's path */
async function pack() {
  const stage = join(root, 'build', 'pack');
  rmSync(stage, { recursive: true, force: true });
  try {
    await fill(stage);
    await run('npm', ['pack', '--ignore-scripts', '--pack-destination', root], { cwd: stage, log: 'pack.log' });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
  const tarball = join(root, `${manifest.name}-${manifest.version}.tgz`);
  console.log(`${tarball}: ${(statSync(tarball).size / 1e6).toFixed(1)} MB`);
  return tarball;
}

// The user's own shell: nothing of this checkout, nor of the npm that started this script.
const OUTSIDE = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => /^HYPHADB_|^npm_(package|lifecycle)_|^npm_config_local_prefix$/.test(name))
    .map((name) => [name, undefined]),
);

async function runExample(directory, node) {
  const options = { cwd: directory, env: OUTSIDE };
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, `app.db${suffix}`), { force: true });
  await run(node, ['example.mjs'], options);
  const use = "const { open } = require('hyphadb'); if (typeof open !== 'function') throw new Error('no open()');";
  await run(node, ['-e', use], options);
}

function checkLinks(installed) {
  const faults = [];
  for (const file of ['README.md', 'CHANGELOG.md', ...filesBelow('docs', ['.md'])]) {
    for (const [, target] of readFileSync(join(installed, file), 'utf8').matchAll(/\]\(([^)#]+)[^)]*\)/g)) {
      if (/^\w+:/.test(target)) continue;
      if (!existsSync(join(installed, dirname(file), target))) faults.push(`${file} links to ${target}`);
    }
  }
  if (faults.length > 0) throw new StepError(`not in the tarball:\n${faults.join('\n')}`);
}

async function checkTypes(directory) {
  const use = [
    "import { open, StorageError, type Store } from 'hyphadb';",
    "const store: Store = await open({ path: ':memory:' });",
    "const made: { version: number } = await store.set('a', { b: 1 });",
    '// @ts-expect-error: a key is a string',
    'await store.get(made.version);',
    'export { StorageError };',
  ];
  writeFileSync(join(directory, 'example.mts'), use.join('\n'));
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
  options.push('--lib', 'es2023,esnext.disposable');
  options.push('--typeRoots', join(root, 'node_modules', '@types'), '--types', 'node');
  await run(process.execPath, [TSC, ...options, 'example.mts'], { cwd: directory, env: OUTSIDE });
}

async function check(tarball) {
  const directory = mkdtempSync(join(tmpdir(), 'hyphadb-pack-'));
  const installed = join(directory, 'node_modules', manifest.name);
  try {
    heading(`Install into ${directory}`);
    writeFileSync(join(directory, 'package.json'), '{ "name": "stranger", "private": true }\n');
    const args = ['install', '--prefix', directory, '--no-audit', '--no-fund', tarball];
    await run('npm', args, { cwd: directory, env: OUTSIDE });
    const readme = readFileSync(join(installed, 'README.md'), 'utf8');
    const example = /^## HyphaDB in 60 seconds\s+```js\n([^]*?)```/m.exec(readme);
    if (!example) throw new StepError('README.md: the 60-second example was not found');
    writeFileSync(join(directory, 'example.mjs'), example[1]);
    heading("The README's links");
    checkLinks(installed);
    heading('Types');
    await checkTypes(directory);
    heading(`Example and require() on Node ${process.versions.node}, prebuilt addon`);
    await runExample(directory, process.execPath);
    heading('Example and require() on Node 24, prebuilt addon');
    await runExample(directory, NODE_24);
    heading('Build from source in the installed package, prebuilt addon removed');
    rmSync(join(installed, 'prebuilds'), { recursive: true });
    await run('npm', ['run', 'build'], { cwd: installed, env: OUTSIDE });
    heading(`Example and require() on Node ${process.versions.node}, addon built there`);
    await runExample(directory, process.execPath);
    heading('Example and require() on Node 24, addon built there');
    await runExample(directory, NODE_24);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  console.log('\nthe tarball works');
}

await main(async () => {
  const [option, ...others] = process.argv.slice(2);
  if ((option !== undefined && option !== '--check') || others.length > 0) {
    throw new StepError('usage: npm run pack [-- --check]');
  }
  await setUp('build');
  heading('Build (release)');
  await build('release', ['hypha_addon']);
  heading('Types');
  await makeTypes();
  heading('Pack');
  const tarball = await pack();
  if (option === '--check') await check(tarball);
});
