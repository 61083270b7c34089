// Links that are swapped in while copies are published and files opened: the Jest test of that, for as many rounds as asked.
// A round is five calls: a backup, a restore, an export to a file and one to a directory, and an open().

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { JEST, jestEnvironment } from '../support/jest.js';
import { isMain, logPath, main, StepError, tryRun } from '../support/run.js';

const HOURS = 3_600_000;
const SUITE = '__tests__/security/copy-targets.test.js';
const LOG = 'links.log';

if (isMain(import.meta.url)) {
  await main(async () => {
    // The order of the swaps is the scheduler's: there is nothing to seed, and a gate gives every part its seed.
    const options = /** @type {const} */ ({ runs: { type: 'string', default: '2000' }, seed: { type: 'string' } });
    const { runs } = parseArgs({ options }).values;
    if (!/^[1-9]\d*$/.test(runs)) throw new StepError('--runs takes a positive integer');
    const env = { ...jestEnvironment(), HYPHA_SWAP_ROUNDS: runs };
    const run = await tryRun(process.execPath, [JEST, SUITE, '-t', 'swapped in'], { log: LOG, env, timeoutMs: 12 * HOURS });
    const text = readFileSync(logPath(LOG), 'utf8');
    const told = /^ *(\d+ swaps: .*)$/m.exec(text)?.[1];
    if (!run.ok || told === undefined) throw new StepError(`links: ${run.reason || 'no swap was seen'}\n${text}`);
    console.log(`links: ${runs} rounds of five calls, ${told}`);
  });
}
