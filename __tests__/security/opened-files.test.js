// Which files a process opens, makes and removes, seen by the kernel: nothing of a store is anywhere but in its own folder
// and in those of its copies. Temporary files that are unlinked at once leave no other trace.

import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runChild } from '../helpers/child-run.js';
import { useFolder } from '../helpers/folders.js';
import { writeKernelFile } from '../helpers/kernel-file.js';
import { readCalls, straceMissing } from '../helpers/strace.js';

const folder = useFolder();
const SESSION = new URL('../helpers/whole-session.js', import.meta.url);
const STRACED = new URL('../helpers/straced.cjs', import.meta.url);
const MARKS = '/hyphadb-mark';

/** What Node, libc (the time zone) and SQLite's random numbers read, whoever asks. */
const READ_BY_ALL = /^\/(proc|sys)\/|^\/dev\/(urandom|null)$|^\/etc\/localtime$|^\/usr\/share\/zoneinfo\//;

const missing = straceMissing();
// Said in the test's name: a skipped test must not look like one that passed.
(missing ? test.skip : test)(`a whole session opens nothing outside the folders that it was given${missing ? `: not tested, ${missing}` : ''}`, async () => {
  const [stores, copies, elsewhere, trap] = ['stores', 'copies', 'elsewhere', 'trap'].map((name) => folder.path(name));
  for (const directory of [stores, copies, elsewhere, trap]) mkdirSync(directory);
  const kernelFile = join(stores, 'kernel.db');
  const text = 'x'.repeat(500);
  writeKernelFile(kernelFile, { entries: Array.from({ length: 2500 }, (_, i) => ({ namespace: `n${i % 3}`, key: `k${i}`, value: JSON.stringify({ i, text }) })) });

  const log = folder.path('strace.log');
  // io_uring, where libuv uses it, opens files without a system call for each.
  const env = { TMPDIR: trap, SQLITE_TMPDIR: trap, UV_USE_IO_URING: '0', HYPHA_STRACE_LOG: log };
  const { code, data, stderr } = await runChild(STRACED, { program: fileURLToPath(SESSION), stores, copies, kernelFile, markFolder: MARKS }, { cwd: elsewhere, env, deadline: 120_000, fromLastSign: true });
  expect({ code, data, stderr }).toEqual({ code: 0, data: ['done'], stderr: '' });

  const calls = readCalls(readFileSync(log, 'utf8'), elsewhere);
  const at = (mark) => calls.findIndex(({ paths }) => paths[0] === `${MARKS}/${mark}`);
  const isLook = ({ name }) => name.includes('access');
  const [control, session, end] = [at('control'), at('session'), at('end')];
  expect([control > 0, session > control, end > session]).toEqual([true, true, true]);
  const inside = (path) => [stores, copies].some((directory) => path === directory || path.startsWith(`${directory}/`));
  const isOutside = ({ name, changes, paths }) => !isLook({ name }) && paths.some((path) => !inside(path) && (changes || !READ_BY_ALL.test(path)));

  // The tracer sees a temporary file that is gone at once.
  expect(calls.slice(control, session).filter(isOutside).map(({ name, paths }) => `${name} ${paths}`)).toEqual([`openat ${trap}/etilqs_control`, `unlink ${trap}/etilqs_control`]);
  expect(calls.slice(session, end).filter(isOutside).map(({ line }) => line)).toEqual([]);
  // Before and after it Node itself reads what it likes.
  const around = [...calls.slice(0, control), ...calls.slice(end)];
  expect(around.filter(({ changes }) => changes).filter(isOutside).map(({ line }) => line)).toEqual([]);

  // Inside, only files whose names say whose they are.
  const names = new Set(calls.slice(session, end).flatMap(({ paths }) => paths).filter(inside));
  for (const name of ['store.db', 'store.db-wal', 'kernel.db.v1', 'memory-loaded.db']) expect(names).toContain(join(stores, name));
  expect([...names].filter((name) => /\/store\.backup\.tmp-\d+-\d+$/.test(name))).toHaveLength(2);
  const kinds = /^(kernel|backend|(store|memory)(-(restored|loaded))?)\.db|^(store|memory)(\.(backup|bundle|jsonl)|-[0-9a-f]{8}-\w+\.db)/;
  expect([...names].filter((name) => ![stores, copies].includes(name)).map((name) => name.slice(resolve(stores, '..').length + 1).replace(/^(stores|copies)\//, '')).filter((name) => !kinds.test(name))).toEqual([]);
  expect([...readdirSync(stores), ...readdirSync(copies)].filter((name) => /\.tmp-|-(wal|shm|journal)$/.test(name))).toEqual([]);
  expect([readdirSync(trap), readdirSync(elsewhere)]).toEqual([[], []]);
}, 180_000);
