// Random sequences of calls on a store and on a model made of Maps: the Jest test of that, with as many and as long ones as
// asked.

import { parseArgs } from 'node:util';
import { isMain, main } from '../support/run.js';
import { positive, runJestPart } from './jest-part.js';

const SUITE = '__tests__/property/store-model.test.js';

if (isMain(import.meta.url)) {
  await main(async () => {
    const options = /** @type {const} */ ({ runs: { type: 'string', default: '500' }, commands: { type: 'string', default: '50' }, seed: { type: 'string' } });
    const { runs, commands, seed } = parseArgs({ options }).values;
    const env = { HYPHA_RUNS: positive('runs', runs), HYPHA_COMMANDS: positive('commands', commands), ...(seed === undefined ? {} : { HYPHA_SEED: seed }) };
    const told = await runJestPart('model', [SUITE], env, /^ *(seed -?\d+: \d+ sequences.*)$/m);
    console.log(`model: ${told}`);
  });
}
