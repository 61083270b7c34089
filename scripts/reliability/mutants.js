// npm run reliability -- --gate mutants: builds the engine with its seeded bugs (addon/engine/base/mutant.h) and shows
// for each which part of the programme notices it. The parts must pass on the same build with no bug switched on.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, buildDirectory } from '../build.js';
import { heading, root, seconds, StepError } from '../support/run.js';
import { runPart } from './run-part.js';

const SEED = '20261125';

/** Ways to look for a bug: a part of the programme, and how much of it. */
const HUNTS = {
  'kill, at random': ['kill', ['--runs', '40', '--points', '0']],
  'kill before COMMIT': ['kill', ['--point', 'before-commit', '--points', '6']],
  'kill inside a request': ['kill', ['--point', 'inside-request', '--points', '6']],
  'kill in a migration': ['kill', ['--point', 'migration-step-done', '--points', '4']],
  'kill while a copy is made': ['kill', ['--point', 'copy-written', '--points', '2']],
  'kill in a backup': ['kill', ['--point', 'backup-written', '--points', '4']],
  'kill while a copy gets its name': ['kill', ['--point', 'before-renaming', '--points', '6']],
  'kill while a copy is begun': ['kill', ['--point', 'copy-created', '--points', '2']],
  'failing disk': ['faults', ['--runs', '1500']],
  'lost power': ['power', ['--runs', '12000']],
  'no memory': ['memory', ['--runs', '1500']],
  'malformed files': ['malformed', ['--runs', '300']],
  'restarts of the log': ['log-reset', ['--runs', '50']],
};

/** For each bug where to look, in this order. A bug that is not here is hunted with everything. */
const KILLERS = {
  AckBeforeCommit: ['kill before COMMIT'],
  SkipLogSync: ['lost power'],
  SkipDatabaseSync: ['lost power'],
  NoSavepoint: ['failing disk'],
  IgnoreAutocommit: ['failing disk', 'no memory'],
  FailedSyncIsDefinite: ['failing disk'],
  FailedCommitIsOk: ['failing disk'],
  CheckpointAtWeakLevel: ['lost power'],
  KeepNamespaceCache: ['failing disk', 'kill, at random'],
  KeepVersionBlock: ['kill, at random', 'failing disk'],
  IgnoreOtherProcesses: ['failing disk'],
  CommitInsideRequest: ['kill inside a request'],
  CommitBetweenMigrationSteps: ['kill in a migration'],
  CopyUnderFinalName: ['kill while a copy is begun', 'kill while a copy is made'],
  KeepSnapshotAfterCommit: ['failing disk'],
  StaleValueCache: ['failing disk'],
  DelayEveryHeader: ['lost power', 'kill, at random', 'failing disk'],
  SyncWithoutHeader: ['kill, at random', 'lost power'],
  GroupFailureToFirstOnly: ['failing disk'],
  RunGroupTwice: ['failing disk'],
  NoMemoryIsOk: ['no memory'],
  ClearEverything: ['kill, at random'],
  SchemaNotVerified: ['malformed files'],
  NoDefensiveFlags: ['malformed files'],
  AcceptHardLinks: ['malformed files'],
  WriteAfterStop: ['failing disk'],
  DropQueueAtClose: ['failing disk'],
  RollbackToKeepsCache: ['failing disk'],
  RetryFailedSync: ['failing disk'],
  TransactionEndUnheeded: ['failing disk'],
  IgnoreConflicts: ['lost power', 'kill, at random'],
  OffIsOff: ['lost power'],
  SkipChecksum: ['malformed files'],
  NormalForFull: ['lost power'],
  ForgetLogReset: ['restarts of the log'],
  SkipPeriodicSync: ['lost power'],
  KeepAbandoned: ['kill in a backup'],
  RemoveBeforeRename: ['kill while a copy gets its name'],
};

/** @returns {{ name: string, number: number }[]} */
function mutants() {
  const text = readFileSync(join(root, 'addon', 'engine', 'base', 'mutant.h'), 'utf8');
  const names = [...text.matchAll(/^ {2}k(\w+),$/gm)].map((match) => match[1]); // but for the last, the count
  return names.slice(1).map((name, i) => ({ name, number: i + 1 }));
}

/**
 * @param {string} hunt of HUNTS
 * @param {number} number 0: no bug
 * @returns {Promise<string | undefined>} what was noticed; undefined: nothing
 */
async function look(hunt, number) {
  const [part, args] = HUNTS[hunt];
  const { ok, reason, text } = await runPart(part, [...args, '--seed', SEED, '--stop-at-first'], {
    directory: buildDirectory('mutants'),
    env: { HYPHA_MUTANT: String(number) },
    log: `mutant-${number}.log`,
    timeoutMs: 15 * 60_000,
  });
  if (ok) return undefined;
  const noticed = text.split('\n').find((line) => /: (?:problem|hangs|crashed)\b/.test(line)) ?? reason;
  if (noticed.includes('nothing was tested')) throw new StepError(`"${hunt}" tested nothing: build/logs/mutant-${number}.log`);
  return noticed.slice(0, 200);
}

/** @param {{ only?: string }} [options] one bug by its name */
export async function huntMutants({ only } = {}) {
  heading('Build (mutants)');
  await build('mutants', ['hypha_reliability', 'hypha_out_of_memory']);
  heading(`Seeded bugs (seed ${SEED})`);
  const wanted = mutants().filter(({ name }) => only === undefined || name === only);
  if (wanted.length === 0) throw new StepError(`no seeded bug "${only}"`);
  const used = new Set(wanted.flatMap(({ name }) => KILLERS[name] ?? Object.keys(HUNTS)));
  for (const hunt of used) {
    const startedAt = performance.now();
    const noticed = await look(hunt, 0);
    if (noticed !== undefined) throw new StepError(`"${hunt}" fails without any seeded bug: ${noticed} (build/logs/mutant-0.log)`);
    console.log(`   no bug: ${hunt} passes (${seconds(startedAt)})`);
  }
  const startedAt = performance.now();
  let survivors = 0;
  for (const each of wanted) {
    if (!(await hunt(each))) survivors++;
  }
  console.log(`${wanted.length - survivors} of ${wanted.length} seeded bugs were noticed (${seconds(startedAt)})`);
  if (survivors > 0) process.exitCode = 1;
}

/** @param {{ name: string, number: number }} mutant @returns {Promise<boolean>} whether it was noticed */
async function hunt({ name, number }) {
  const startedAt = performance.now();
  const title = `${String(number).padStart(2)} ${name.padEnd(28)}`;
  for (const where of KILLERS[name] ?? Object.keys(HUNTS)) {
    const noticed = await look(where, number);
    if (noticed === undefined) continue;
    console.log(`${title} killed by: ${where} (${seconds(startedAt)})\n     ${noticed}`);
    return true;
  }
  console.log(`${title} SURVIVED (${seconds(startedAt)})`);
  return false;
}
