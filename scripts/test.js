// npm test: everything that must hold, in one go. node scripts/test.js cpp|js runs one kind of test alone.
// The last line is `N passed, N failed`, summed over all test runs; a step that fails without a failing test to show
// (lint, a crash, no tests found) counts as one failure, so that line and the exit code never disagree.

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build, buildDirectory } from './build.js';
import { lint } from './lint.js';
import { reliability } from './reliability.js';
import { setUp } from './setup.js';
import { stress } from './stress.js';
import { JEST, jestEnvironment } from './support/jest.js';
import { heading, logPath, main, root, StepError, tryRun } from './support/run.js';
import { makeTypes } from './types.js';

const CPP_TIMEOUT_MS = 10 * 60_000;
/** Spread over all mixes of clients; `npm run stress -- --minutes 20` is the longer run. */
const STRESS_SECONDS = 30;
const JEST_TIMEOUT_MS = 15 * 60_000;
const NODE_24 = join(root, 'node_modules', 'node24', 'bin', 'node');

/** @typedef {{ title: string, ok: boolean, passed: number, failed: number, tests: boolean, time: number }} Step */

/** @type {Step[]} */
const steps = [];

/**
 * @param {string} title
 * @param {() => Promise<{ passed: number, failed: number } | void>} work returns counts when it ran tests
 */
async function step(title, work) {
  heading(title);
  const startedAt = performance.now();
  const result = { title, ok: true, passed: 0, failed: 0, tests: false, time: 0 };
  try {
    const counts = await work();
    if (counts) Object.assign(result, counts, { tests: true, ok: counts.failed === 0 });
  } catch (error) {
    console.error(error instanceof StepError ? `Failed: ${error.message}` : error);
    Object.assign(result, { ok: false, failed: 1 });
  }
  result.time = (performance.now() - startedAt) / 1000;
  steps.push(result);
  return result.ok;
}

function readReport(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}

// A run that ended badly although its report shows no failing test still failed.
function counted(passed, failed, run) {
  if (passed + failed === 0) console.error('Failed: no tests were run');
  const silent = failed === 0 && (!run.ok || passed === 0);
  if (silent && !run.ok) console.error(`Failed: ${run.reason}`);
  return { passed, failed: silent ? 1 : failed };
}

// Without the tests that went well; a test that started and never ended (a crash) stays.
function troubleOnly(log) {
  const ended = new Set([...log.matchAll(/^\[ +OK \] (\S+)/gm)].map((match) => match[1]));
  const isFine = (line) => /^\[ +OK \]|^\[-+\]|^$/.test(line) || ended.has(/^\[ RUN +\] (\S+)/.exec(line)?.[1] ?? '');
  return log.split('\n').filter((line) => !isFine(line)).join('\n');
}

async function engineTests() {
  const program = join(buildDirectory('release'), 'hypha_tests');
  if (!existsSync(program)) throw new StepError('there are no engine tests (addon/tests is empty)');
  const report = logPath('gtest.json');
  rmSync(report, { force: true });
  const options = { log: 'gtest.log', timeoutMs: CPP_TIMEOUT_MS };
  const run = await tryRun(program, [`--gtest_output=json:${report}`], options);
  const found = readReport(report);
  if (!run.ok) console.log(troubleOnly(readFileSync(logPath('gtest.log'), 'utf8')));
  if (!found) throw new StepError(`hypha_tests: ${run.reason}; log: ${relative(root, logPath('gtest.log'))}`);
  const results = found.testsuites.flatMap((suite) => suite.testsuite);
  const failed = results.filter((each) => each.failures?.length > 0).length;
  const passed = results.filter((each) => each.result === 'COMPLETED').length - failed;
  console.log(`${passed} passed, ${failed} failed`);
  return counted(passed, failed, run);
}

async function jest(node, name, args) {
  const report = logPath(`jest-${name}.json`);
  rmSync(report, { force: true });
  const run = await tryRun(node, [JEST, '--json', `--outputFile=${report}`, ...args], {
    env: jestEnvironment(),
    timeoutMs: JEST_TIMEOUT_MS,
    quietStdout: true,
  });
  const found = readReport(report);
  if (!found) throw new StepError(`Jest on ${name}: ${run.reason || 'no report was written'}`);
  // A file that cannot even be loaded has no failing test of its own.
  return counted(found.numPassedTests, found.numFailedTests + found.numRuntimeErrorTestSuites, run);
}

function printTable() {
  heading('Summary');
  const width = Math.max(...steps.map(({ title }) => title.length));
  for (const { title, ok, passed, failed, tests, time } of steps) {
    const counts = tests ? `  ${passed} passed, ${failed} failed` : '';
    console.log(`${ok ? 'ok    ' : 'FAILED'}  ${title.padEnd(width)}  ${time.toFixed(1).padStart(6)} s${counts}`);
  }
  const total = (key) => steps.reduce((sum, each) => sum + each[key], 0);
  if (steps.some(({ ok }) => !ok)) process.exitCode = 1;
  console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
}

await main(async () => {
  const [only, ...jestArgs] = ['cpp', 'js'].includes(process.argv[2]) ? process.argv.slice(2) : [null];
  const wants = (kind) => only === null || only === kind;
  const ready = await step('Set-up', () => setUp(only === null ? 'test' : 'build'));
  const built = ready && (await step('Build (release)', () => build('release')));
  if (ready && only === null) await step('Lint', () => lint());
  if (built && wants('cpp')) await step('Engine tests', engineTests);
  if (ready && only === null) await step('Types', makeTypes);
  if (built && wants('js')) {
    const current = `Node ${process.versions.node}`;
    await step(`Jest on ${current}`, () => jest(process.execPath, 'current', jestArgs));
    if (only === null) await step('Jest on Node 24, same binary', () => jest(NODE_24, 'node24', []));
  }
  if (built && only === null) await step('Reliability', () => reliability('test'));
  if (built && only === null) await step('Stress', () => stress({ seconds: STRESS_SECONDS }));
  printTable();
});
