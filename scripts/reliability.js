// npm run reliability -- --gate test|pr|nightly|release|mutants [--seed S] [--only NAME] [--replay CASE]
// The programme of docs/reliability.md: what was acknowledged survives kills, failing disks, lost power, missing memory
// and damaged files. Each part prints its seed; --replay with --only runs one case of a deterministic part again.

import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, buildDirectory } from './build.js';
import { GATES, PARTS } from './reliability/gates.js';
import { setUp } from './setup.js';
import { heading, isMain, logPath, main, root, seconds, StepError, tryRun } from './support/run.js';

const HOURS = 3_600_000;

/** @param {string} directory of the build @param {string} name @param {string[]} args */
function commandOf(directory, name, args) {
  const part = PARTS[name];
  if (part.script) return { command: process.execPath, args: [join(root, part.script), ...args] };
  return { command: join(directory, part.program), args: [...(part.role ? [part.role] : []), ...args] };
}

/**
 * Runs one part to its end.
 * @param {string} name of PARTS
 * @param {string[]} args
 * @param {{ directory?: string, env?: Record<string, string>, log?: string, timeoutMs?: number }} [options]
 * @returns {Promise<{ ok: boolean, reason: string, text: string }>}
 */
export async function runPart(name, args, { directory = buildDirectory('release'), env, log = `reliability-${name}.log`, timeoutMs = 24 * HOURS } = {}) {
  const { command, args: all } = commandOf(directory, name, args);
  const { ok, reason } = await tryRun(command, all, { log, env, timeoutMs });
  return { ok, reason, text: readFileSync(logPath(log), 'utf8') };
}

/**
 * @param {string} gate of GATES
 * @param {{ seed?: number, only?: string, replay?: string }} [options]
 * @returns {Promise<{ passed: number, failed: number }>} parts
 */
export async function reliability(gate, { seed = randomInt(1, 2 ** 31), only, replay } = {}) {
  const total = { passed: 0, failed: 0 };
  for (const [name, args] of Object.entries(GATES[gate])) {
    if (only !== undefined && only !== name) continue;
    const startedAt = performance.now();
    const extra = replay === undefined ? [] : ['--replay', replay];
    const { ok, reason, text } = await runPart(name, [...args, '--seed', String(seed), ...extra]);
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${seconds(startedAt)})${ok ? '' : `: ${reason}`}`);
    console.log(text.trimEnd().split('\n').slice(-40).map((line) => `    ${line}`).join('\n'));
    total[ok ? 'passed' : 'failed']++;
  }
  console.log(`reliability, gate ${gate}: ${total.passed} parts passed, ${total.failed} failed (seed ${seed})`);
  return total;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const options = /** @type {const} */ ({ gate: { type: 'string', default: 'pr' }, seed: { type: 'string' }, only: { type: 'string' }, replay: { type: 'string' } });
    const { gate, seed, only, replay } = parseArgs({ options }).values;
    if (gate === 'mutants') {
      const { huntMutants } = await import('./reliability/mutants.js');
      await setUp('build');
      return huntMutants({ only });
    }
    if (!Object.hasOwn(GATES, gate)) throw new StepError(`no gate "${gate}"; there are ${Object.keys(GATES).join(', ')}, mutants`);
    if (only !== undefined && !Object.hasOwn(GATES[gate], only)) throw new StepError(`no part "${only}"; there are ${Object.keys(GATES[gate]).join(', ')}`);
    if (seed !== undefined && !/^\d+$/.test(seed)) throw new StepError('--seed takes a number');
    await setUp('build');
    heading('Build (release)');
    await build('release', ['hypha_addon', 'hypha_reliability', 'hypha_out_of_memory']);
    heading(`Reliability, gate ${gate}`);
    const { failed } = await reliability(gate, { seed: seed === undefined ? undefined : Number(seed), only, replay });
    if (failed > 0) process.exitCode = 1;
  });
}
