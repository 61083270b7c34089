// Links that are swapped in while copies are published and files opened: the Jest test of that, for as many rounds as asked.
// A round is five calls: a backup, a restore, an export to a file and one to a directory, and an open().

import { parseArgs } from 'node:util';
import { isMain, main } from '../support/run.js';
import { positive, runJestPart } from './jest-part.js';

const SUITE = '__tests__/security/copy-targets.test.js';

if (isMain(import.meta.url)) {
  await main(async () => {
    // The order of the swaps is the scheduler's: there is nothing to seed, and a gate gives every part its seed.
    const options = /** @type {const} */ ({ runs: { type: 'string', default: '2000' }, seed: { type: 'string' } });
    const { runs } = parseArgs({ options }).values;
    const told = await runJestPart('links', [SUITE, '-t', 'swapped in'], { HYPHA_SWAP_ROUNDS: positive('runs', runs) }, /^ *(\d+ swaps: .*)$/m);
    console.log(`links: ${runs} rounds of five calls, ${told}`);
  });
}
