// Builds and runs libFuzzer targets: node scripts/fuzz.js [target...] [--seconds 60] [--seed S]; without a target all of them.
// The corpus stays in build/fuzz/corpus-*, and an input with a finding in build/fuzz/finding-*.

import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, buildDirectory } from './build.js';
import { setUp } from './setup.js';
import { SEEDS } from './support/fuzz-seeds.js';
import { heading, isMain, logPath, main, StepError, tryRun } from './support/run.js';

/** Bytes of the longest input: room for what a target reads, and no more, since short inputs run faster. */
const MAX_LENGTH = { filter: 600, json: 2000, open: 400, bundle: 8000 };
const TARGETS = Object.keys(MAX_LENGTH);

/** @param {string} target @returns {string} the folder of its corpus, which has the seeds in it */
function corpusOf(target) {
  const corpus = join(buildDirectory('fuzz'), `corpus-${target}`);
  mkdirSync(corpus, { recursive: true });
  (SEEDS[target] ?? []).forEach((text, i) => {
    const path = join(corpus, `seed-${i}`);
    if (!existsSync(path)) writeFileSync(path, text);
  });
  return corpus;
}

/** @param {string} target @param {number} seconds @param {number} seed */
export async function fuzz(target, seconds, seed) {
  await build('fuzz', [`${target}_fuzz`]);
  const directory = buildDirectory('fuzz');
  const corpus = corpusOf(target);
  const findings = () => readdirSync(directory).filter((name) => name.startsWith(`finding-${target}-`));
  const before = new Set(findings());
  const log = `fuzz-${target}.log`;
  const limits = [`-max_total_time=${seconds}`, `-max_len=${MAX_LENGTH[target]}`, '-len_control=0', '-timeout=30', '-rss_limit_mb=1024'];
  const args = [...limits, `-seed=${seed}`, '-print_final_stats=1', `-artifact_prefix=${directory}/finding-${target}-`, corpus];
  const run = await tryRun(join(directory, `${target}_fuzz`), args, { log, timeoutMs: (seconds + 120) * 1000 });
  const text = readFileSync(logPath(log), 'utf8');
  const executions = /number_of_executed_units: (\d+)/.exec(text)?.[1] ?? /^Done (\d+) runs/m.exec(text)?.[1] ?? '0';
  const edges = [...text.matchAll(/ cov: (\d+)/g)].at(-1)?.[1] ?? '0';
  const found = findings().filter((name) => !before.has(name));
  console.log(`${target}: ${executions} executions in ${seconds} s (${Math.round(Number(executions) / seconds)}/s), ${edges} edges, ${found.length} findings (seed ${seed})`);
  if (run.ok && found.length === 0) return;
  console.error(text.split('\n').filter((line) => /FINDING|ERROR|SUMMARY|expected|answered/.test(line)).slice(0, 20).join('\n'));
  throw new StepError(`${target}_fuzz: ${run.reason || 'findings'}: ${found.map((name) => join(directory, name)).join(', ')}`);
}

/** @param {string} name @param {string} text */
function positive(name, text) {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) throw new StepError(`--${name} takes a positive integer`);
  return number;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const options = /** @type {const} */ ({ seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: String(randomInt(1, 2 ** 31)) } });
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((target) => !TARGETS.includes(target));
    if (unknown !== undefined) throw new StepError(`no target "${unknown}"; there are ${TARGETS.join(', ')}`);
    const seconds = positive('seconds', values.seconds);
    const seed = positive('seed', values.seed);
    await setUp('tsan');
    for (const target of positionals.length > 0 ? positionals : TARGETS) {
      heading(`Fuzz (${target})`);
      await fuzz(target, seconds, seed);
    }
  });
}
