// npm run reliability -- --gate test|pr|nightly|release|mutants [--seed S] [--only NAME] [--replay CASE] [--allow-no-mount]
// The programme of docs/reliability.md: what was acknowledged survives kills, failing disks, lost power, missing memory
// and damaged files. Each part prints its seed; --replay with --only runs one case of a deterministic part again.
// --allow-no-mount: a user who may not mount a file system goes without `full-disk`, which else fails; `test` always may.

import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { ALLOW_NO_MOUNT, GATES } from './reliability/gates.js';
import { huntMutants } from './reliability/mutants.js';
import { runPart } from './reliability/run-part.js';
import { setUp } from './setup.js';
import { heading, isMain, main, seconds, StepError } from './support/run.js';

/**
 * @param {string} gate of GATES
 * @param {{ seed?: number, only?: string, replay?: string, allowNoMount?: boolean }} [options]
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>} parts
 */
export async function reliability(gate, { seed = randomInt(1, 2 ** 31), only, replay, allowNoMount = false } = {}) {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, args] of Object.entries(GATES[gate])) {
    if (only !== undefined && only !== name) continue;
    const startedAt = performance.now();
    const extra = replay === undefined ? [] : ['--replay', replay];
    if (allowNoMount && name === 'full-disk') extra.push(ALLOW_NO_MOUNT);
    const { ok, skipped, reason, text } = await runPart(name, [...args, '--seed', String(seed), ...extra]);
    const outcome = skipped ? 'skipped' : ok ? 'passed' : 'failed';
    console.log(`${{ passed: 'ok     ', failed: 'FAILED ', skipped: 'skipped' }[outcome]} ${name} (${seconds(startedAt)})${ok ? '' : `: ${reason}`}`);
    console.log(text.trimEnd().split('\n').slice(-40).map((line) => `    ${line}`).join('\n'));
    total[outcome]++;
  }
  console.log(`reliability, gate ${gate}: ${total.passed} parts passed, ${total.failed} failed, ${total.skipped} skipped (seed ${seed})`);
  return total;
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const options = /** @type {const} */ ({ gate: { type: 'string', default: 'pr' }, seed: { type: 'string' }, only: { type: 'string' }, replay: { type: 'string' }, 'allow-no-mount': { type: 'boolean' } });
    const { gate, seed, only, replay, 'allow-no-mount': allowNoMount } = parseArgs({ options }).values;
    if (gate === 'mutants') {
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
    const { failed } = await reliability(gate, { seed: seed === undefined ? undefined : Number(seed), only, replay, allowNoMount });
    if (failed > 0) process.exitCode = 1;
  });
}
