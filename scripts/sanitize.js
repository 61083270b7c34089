// npm run test:asan, npm run test:tsan: the tests under the sanitizers of the compilers. What follows -- goes to Jest.
//   asan  address and undefined behaviour: the engine's tests, leaks included, then the Jest suite
//   tsan  data races: the engine's tests and a stress run of eight threads; Node itself is not instrumented

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, buildDirectory } from './build.js';
import { setUp } from './setup.js';
import { JEST, jestEnvironment } from './support/jest.js';
import { heading, main, run, seconds, StepError } from './support/run.js';

const ENGINE_TIMEOUT_MS = 45 * 60_000;
const JEST_TIMEOUT_MS = 90 * 60_000;
/** The sanitizers make everything several times slower. */
const JEST_TEST_TIMEOUT_MS = 300_000;

const UBSAN = 'halt_on_error=1:print_stacktrace=1';
/** V8 never frees what it has at the end, so leaks are judged in the engine's tests. */
const ASAN_IN_NODE = 'detect_leaks=0:abort_on_error=1:detect_stack_use_after_return=1:use_sigaltstack=0';
/** Tests fork themselves, to be killed. */
const TSAN = 'halt_on_error=1:second_deadlock_stack=1:die_after_fork=0';

async function timed(title, work) {
  heading(title);
  const startedAt = performance.now();
  await work();
  console.log(`no report (${seconds(startedAt)})`);
}

function engineTests(preset, env) {
  const log = `gtest-${preset}.log`;
  return run(join(buildDirectory(preset), 'hypha_tests'), ['--gtest_brief=1'], { log, env, timeoutMs: ENGINE_TIMEOUT_MS });
}

/** The compiler's own runtime libraries: they must come before everything else in a program that was built without them. */
function runtimes() {
  const pathOf = (name) => execFileSync('gcc', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  return ['libasan.so', 'libstdc++.so'].map(pathOf).join(' ');
}

async function jestUnderAsan(args) {
  const env = {
    LD_PRELOAD: runtimes(),
    ASAN_OPTIONS: ASAN_IN_NODE,
    UBSAN_OPTIONS: UBSAN,
    HYPHADB_ADDON: join(buildDirectory('asan'), 'hypha.node'),
    ...jestEnvironment(),
  };
  const options = [`--testTimeout=${JEST_TEST_TIMEOUT_MS}`, '--runInBand', ...args];
  await run(process.execPath, [JEST, ...options], { env, log: 'jest-asan.log', timeoutMs: JEST_TIMEOUT_MS });
}

async function stressThreads(preset, env) {
  const { MIXES } = await import('./stress/mixes.js');
  const { runRound } = await import('./stress/round.js');
  const folder = mkdtempSync(join(tmpdir(), 'hyphadb-stress-'));
  Object.assign(process.env, env);
  try {
    const round = { path: join(folder, 'stress.db'), ns: 'r', seed: 1, seconds: 20, programs: buildDirectory(preset) };
    const { checks, transactions } = await runRound(MIXES.engine, round);
    const faults = Object.values(checks).flat();
    if (faults.length > 0) throw new StepError(faults.join('\n'));
    console.log(`${transactions} transactions`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const RUNS = {
  async asan(args) {
    await build('asan', ['hypha_addon', 'hypha_tests']);
    await build('release', ['hypha_lock_probe']); // asked by Jest, holds no code of the engine
    const env = { ASAN_OPTIONS: 'detect_leaks=1:abort_on_error=1', UBSAN_OPTIONS: UBSAN };
    await timed('Engine tests (address and undefined behaviour, leaks)', () => engineTests('asan', env));
    await timed('Jest (address and undefined behaviour)', () => jestUnderAsan(args));
  },
  async tsan() {
    await build('tsan', ['hypha_tests', 'hypha_stress']);
    await build('release', ['hypha_addon']);
    await timed('Engine tests (data races)', () => engineTests('tsan', { TSAN_OPTIONS: TSAN }));
    await timed('Stress, eight threads (data races)', () => stressThreads('tsan', { TSAN_OPTIONS: TSAN }));
  },
};

await main(async () => {
  const [name, ...args] = process.argv.slice(2);
  if (!Object.hasOwn(RUNS, name)) throw new StepError(`no sanitizer "${name}"; there are ${Object.keys(RUNS).join(', ')}`);
  await setUp(name === 'tsan' ? 'tsan' : 'build');
  heading(`Build (${name})`);
  await RUNS[name](args);
});
