// npm run stress -- [--minutes N | --seconds N] [--seed S] [--mix NAME] [--round SECONDS]
// Clients on engine threads, in worker threads and in processes, on one file at once; every transaction they ran is
// checked for strict serialisability, beside a bank, a counter and a queue. Each mix gets the same share of the time.

import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { setUp } from './setup.js';
import { MIXES } from './stress/mixes.js';
import { heading, isMain, main, StepError } from './support/run.js';

const SHOWN_FAULTS = 5;

function printRound(name, { transactions, operations, conflicts, waits, walBytes, share, checks }, seconds) {
  const rate = (operations / seconds).toFixed(0);
  const wal = (walBytes / 1024 / 1024).toFixed(1);
  const facts = `${transactions} transactions checked, ${rate} operations/s, ${conflicts} conflicts, ${waits} waits over busyTimeout`;
  console.log(`${name.padEnd(9)}  ${facts}, log at most ${wal} MiB, smallest share ${(share * 100).toFixed(0)} %`);
  for (const [check, faults] of Object.entries(checks)) {
    for (const fault of faults.slice(0, SHOWN_FAULTS)) console.log(`  FAILED ${check}: ${fault}`);
    if (faults.length > SHOWN_FAULTS) console.log(`  FAILED ${check}: ${faults.length - SHOWN_FAULTS} more`);
  }
}

/**
 * @param {{ seconds: number, seed?: number, mixes?: string[], round?: number }} options
 * @returns {Promise<{ passed: number, failed: number, transactions: number }>} checks that passed and failed
 */
export async function stress({ seconds, seed = randomInt(1, 1_000_000), mixes = Object.keys(MIXES), round = 10 }) {
  // Here, because it loads the addon, which may only now have been built.
  const { runRound } = await import('./stress/round.js');
  const folder = mkdtempSync(join(tmpdir(), 'hyphadb-stress-'));
  const roundSeconds = Math.min(round, seconds / mixes.length);
  const rounds = Math.max(mixes.length, Math.floor(seconds / roundSeconds));
  const total = { passed: 0, failed: 0, transactions: 0 };
  console.log(`seed ${seed}, ${rounds} rounds of ${roundSeconds.toFixed(1)} s`);
  try {
    for (let i = 0; i < rounds; i++) {
      const mix = mixes[i % mixes.length];
      const result = await runRound(MIXES[mix], { path: join(folder, 'stress.db'), ns: `r${i}`, seed: seed + i, seconds: roundSeconds });
      printRound(mix, result, roundSeconds);
      const faulty = Object.values(result.checks).filter((faults) => faults.length > 0).length;
      total.failed += faulty;
      total.passed += Object.keys(result.checks).length - faulty;
      total.transactions += result.transactions;
    }
  } finally {
    if (total.failed === 0) rmSync(folder, { recursive: true });
    else console.log(`the database is kept: ${folder}`);
  }
  console.log(`${total.transactions} transactions, ${total.passed} checks passed, ${total.failed} failed (seed ${seed})`);
  return total;
}

function readArguments() {
  const options = /** @type {const} */ ({ minutes: { type: 'string' }, seconds: { type: 'string' }, seed: { type: 'string' }, mix: { type: 'string' }, round: { type: 'string' } });
  const { minutes, seconds, seed, mix, round } = parseArgs({ options }).values;
  if (mix !== undefined && !Object.hasOwn(MIXES, mix)) throw new StepError(`no mix "${mix}"; there are ${Object.keys(MIXES).join(', ')}`);
  const given = { seconds: seconds !== undefined ? Number(seconds) : Number(minutes ?? 1) * 60, seed: seed && Number(seed), round: round && Number(round) };
  for (const [name, value] of Object.entries(given)) if (Number.isNaN(value)) throw new StepError(`--${name} must be a number`);
  return { ...given, mixes: mix === undefined ? undefined : [mix] };
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const options = readArguments();
    await setUp('build');
    heading('Build (release)');
    await build('release', ['hypha_addon', 'hypha_stress']);
    heading('Stress');
    const { failed } = await stress(options);
    if (failed > 0) process.exitCode = 1;
  });
}
