// Builds and runs one libFuzzer target: node scripts/fuzz.js filter [--seconds 60]
// The corpus stays in build/fuzz/corpus-*, and an input with a finding in build/fuzz/finding-*.

import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, buildDirectory } from './build.js';
import { setUp } from './setup.js';
import { heading, isMain, logPath, main, StepError, tryRun } from './support/run.js';

const TARGETS = ['filter', 'json', 'open', 'bundle'];

/** @param {string} target @param {number} seconds */
export async function fuzz(target, seconds) {
  await build('fuzz', [`${target}_fuzz`]);
  const directory = buildDirectory('fuzz');
  const corpus = join(directory, `corpus-${target}`);
  mkdirSync(corpus, { recursive: true });
  const findings = () => readdirSync(directory).filter((name) => name.startsWith(`finding-${target}-`));
  const before = new Set(findings());
  const log = `fuzz-${target}.log`;
  const args = [`-max_total_time=${seconds}`, '-max_len=600', '-len_control=0', '-timeout=30', '-print_final_stats=1', `-artifact_prefix=${directory}/finding-${target}-`, corpus];
  const run = await tryRun(join(directory, `${target}_fuzz`), args, { log, timeoutMs: (seconds + 120) * 1000 });
  const text = readFileSync(logPath(log), 'utf8');
  const executions = /number_of_executed_units: (\d+)/.exec(text)?.[1] ?? /^Done (\d+) runs/m.exec(text)?.[1] ?? '0';
  const found = findings().filter((name) => !before.has(name));
  console.log(`${target}: ${executions} executions in ${seconds} s (${Math.round(Number(executions) / seconds)}/s), ${found.length} findings`);
  if (run.ok && found.length === 0) return;
  console.error(text.split('\n').filter((line) => /FINDING|ERROR|SUMMARY|expected|answered/.test(line)).slice(0, 20).join('\n'));
  throw new StepError(`${target}_fuzz: ${run.reason || 'findings'}: ${found.map((name) => join(directory, name)).join(', ')}`);
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const { values, positionals } = parseArgs({ options: { seconds: { type: 'string', default: '60' } }, allowPositionals: true });
    const [target] = positionals;
    if (!TARGETS.includes(target)) throw new StepError(`no target "${target}"; there are ${TARGETS.join(', ')}`);
    const seconds = Number(values.seconds);
    if (!Number.isSafeInteger(seconds) || seconds < 1) throw new StepError('--seconds takes a positive integer');
    await setUp('tsan');
    heading(`Fuzz (${target})`);
    await fuzz(target, seconds);
  });
}
