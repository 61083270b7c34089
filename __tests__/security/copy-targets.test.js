// Where backups, restores and bundles are written: modes, places that may not be written, links, and who swaps them.

import { chmodSync, chownSync, copyFileSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { open, restore } from '../../lib/index.js';
import { runChild } from '../helpers/child-run.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();
const program = (name) => new URL(`../helpers/${name}.js`, import.meta.url);

async function makeStore(path, value) {
  const store = await open({ path });
  await store.set('k', value);
  return store;
}

// Every right that a umask may take from the owner, with the usual ones for the others; with HYPHA_UMASKS=all each of the 512.
const UMASKS = Array.from({ length: 0o1000 }, (_, umask) => umask).filter((umask) => process.env.HYPHA_UMASKS === 'all' || [0o00, 0o22, 0o77].includes(umask & 0o77));

test(`copies are 0600 and folders 0700 under ${UMASKS.length} umasks, unfinished ones too`, async () => {
  const directory = folder.path('umasks');
  mkdirSync(directory);
  const { data: [{ seen, wrong }], code } = await runChild(program('copies-under-umask'), { folder: directory, umasks: UMASKS }, { deadline: 120_000, fromLastSign: true });
  expect(wrong).toEqual([]);
  expect(seen).toBeGreaterThan(UMASKS.length * 10);
  expect(code).toBe(0);
}, 150_000);

test('a directory that may only be read gets nothing, and what is there stays', async () => {
  const [own, closed] = [folder.path('own'), folder.path('closed')];
  for (const directory of [own, closed]) mkdirSync(directory);
  writeFileSync(join(closed, 'there.db'), 'precious', { mode: 0o666 });
  chmodSync(join(closed, 'there.db'), 0o666);
  if (process.getuid() === 0) chownSync(own, 65534, 65534);
  chmodSync(folder.path('.'), 0o711);
  chmodSync(closed, 0o555);
  const { data: [{ codes, value }], code } = await runChild(program('copies-as-nobody'), { own, closed });
  chmodSync(closed, 0o755);
  for (const [name, told] of Object.entries(codes)) expect([name, told]).toEqual([name, 'HYPHA_CANT_OPEN']);
  expect(value).toBe('v');
  expect(readdirSync(closed)).toEqual(['there.db']);
  expect(readFileSync(join(closed, 'there.db'), 'utf8')).toBe('precious');
  expect(code).toBe(0);
});

describe('a restore to or from another name of a file', () => {
  const path = (name) => folder.path(`links/${name}`);
  let before;
  beforeAll(async () => {
    mkdirSync(folder.path('links'));
    const store = await makeStore(path('store.db'), 'new');
    await store.backup(path('backup.db'));
    await store.close();
    await (await makeStore(path('victim.db'), 'victim')).close();
    copyFileSync(path('victim.db'), path('first.db'));
    linkSync(path('first.db'), path('second.db'));
    symlinkSync(path('victim.db'), path('soft.db'));
    symlinkSync(path('nowhere.db'), path('dangling.db'));
    before = readFileSync(path('victim.db'));
  });

  test.each(['soft.db', 'dangling.db', 'second.db', 'first.db'])('%s is refused as a target, and as a source', async (name) => {
    const names = readdirSync(folder.path('links'));
    await expect(restore(path('backup.db'), path(name))).rejects.toMatchObject({ code: 'HYPHA_CANT_OPEN' });
    await expect(restore(path(name), path('fresh.db'))).rejects.toMatchObject({ code: 'HYPHA_CANT_OPEN' });
    expect(readdirSync(folder.path('links'))).toEqual(names);
    for (const each of ['victim.db', 'first.db', 'second.db']) expect(readFileSync(path(each)).equals(before)).toBe(true);
    expect(lstatSync(path('soft.db')).isSymbolicLink()).toBe(true);
    expect(existsSync(path('nowhere.db'))).toBe(false);
  });
});

/** Names and contents of all that is in a directory. */
const contentsOf = (directory) => readdirSync(directory, { recursive: true }).sort().map((name) => [name, lstatSync(join(directory, name)).isFile() ? readFileSync(join(directory, name)).toString('base64') : '']);

// With HYPHA_SWAP_ROUNDS=10000 each of the five is tried so often.
const ROUNDS = Number(process.env.HYPHA_SWAP_ROUNDS ?? 40);

test(`a link that is swapped in while copies are published and files opened is never followed, in ${ROUNDS} rounds`, async () => {
  const [inside, outside] = [folder.path('inside'), folder.path('outside')];
  for (const directory of [inside, outside]) mkdirSync(directory);
  const [mine, theirs] = [inside, outside].map((directory) => (name) => join(directory, name));
  const victim = await makeStore(theirs('victim.db'), 'victim');
  await victim.exportBundle(theirs('victim.jsonl'));
  await victim.exportBundle(theirs('victim'));
  await victim.close();
  const before = contentsOf(outside);
  const store = await makeStore(mine('store.db'), 'mine');
  await store.backup(mine('good.db'));
  await store.exportBundle(mine('good.jsonl'));
  copyFileSync(mine('good.db'), mine('target.db'));
  copyFileSync(mine('good.jsonl'), mine('target.jsonl'));
  await store.exportBundle(mine('target'));

  const outcomes = {};
  const note = (what) => (outcomes[what] = (outcomes[what] ?? 0) + 1);
  const attempts = {
    backup: () => store.backup(mine('target.db'), { overwrite: true }),
    restore: () => restore(mine('good.db'), mine('target.db')),
    'export of a file': () => store.exportBundle(mine('target.jsonl'), { overwrite: true }),
    'export of a directory': () => store.exportBundle(mine('target'), { overwrite: true }),
    open: async () => {
      const opened = await open({ path: mine('target.db'), create: false, readOnly: true });
      const value = await opened.get('k');
      await opened.close();
      if (value !== 'mine') throw new Error(`read ${value}`);
    },
  };
  const swaps = [
    { target: mine('target.db'), victim: theirs('victim.db'), good: mine('good.db') },
    { target: mine('target.jsonl'), victim: theirs('victim.jsonl'), good: mine('good.jsonl') },
    { target: mine('target'), victim: theirs('victim') },
  ];
  let attacker;
  const ready = new Promise((resolve) => {
    attacker = runChild(program('swap-links'), { swaps }, { deadline: 60_000 + ROUNDS * 1000, onPhase: (_, child) => resolve(child) });
  });
  const child = await ready;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, attempt] of Object.entries(attempts)) await attempt().then(() => note(`${name}: done`), ({ code, message }) => note(`${name}: ${code ?? message}`));
  }
  child.kill('SIGTERM');
  const { data: [swapped], stderr } = await attacker;
  await store.close();
  expect(stderr).toBe('');
  if (process.env.HYPHA_SWAP_ROUNDS) console.log(`${swapped} swaps: ${JSON.stringify(outcomes)}`);

  // The attack took place: links were met, and files.
  expect(swapped).toBeGreaterThan(ROUNDS);
  for (const name of Object.keys(attempts)) expect([name, outcomes[`${name}: done`] ?? 0]).not.toEqual([name, 0]);
  const told = (pattern) => Object.entries(outcomes).filter(([what]) => pattern.test(what)).reduce((sum, [, times]) => sum + times, 0);
  expect(told(/: done$/)).toBeGreaterThan(ROUNDS / 10);
  expect(told(/^(backup|restore|open): HYPHA_CANT_OPEN$/)).toBeGreaterThan(0);
  expect(told(/^export.*: HYPHA_EXISTS$/)).toBeGreaterThan(0);
  expect(Object.keys(outcomes).filter((each) => !/: (done|HYPHA_(CANT_OPEN|EXISTS|BUSY|WAL_MOVED))$/.test(each))).toEqual([]);
  expect(contentsOf(outside)).toEqual(before);
  expect(readdirSync(inside).filter((name) => name.includes('.tmp-'))).toEqual([]);
}, 60_000 + ROUNDS * 1000);
