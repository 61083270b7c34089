// A part of the programme that is a test of Jest, run as often as asked.

import { readFileSync } from 'node:fs';
import { JEST, jestEnvironment } from '../support/jest.js';
import { logPath, StepError, tryRun } from '../support/run.js';

const HOURS = 3_600_000;

/** @param {string} name of the option @param {string} value @returns {string} the same; fails unless it is a positive integer */
export function positive(name, value) {
  if (!/^[1-9]\d*$/.test(value)) throw new StepError(`--${name} takes a positive integer`);
  return value;
}

/**
 * @param {string} name of the part
 * @param {string[]} tests the suite, and what else Jest is told
 * @param {Record<string, string>} env how much the test does
 * @param {RegExp} told what the test prints of that, in a group; without it nothing was tested
 * @returns {Promise<string>} what it printed
 */
export async function runJestPart(name, tests, env, told) {
  const log = `${name}.log`;
  const run = await tryRun(process.execPath, [JEST, ...tests], { log, env: { ...jestEnvironment(), ...env }, timeoutMs: 12 * HOURS });
  const text = readFileSync(logPath(log), 'utf8');
  const said = told.exec(text)?.[1];
  if (!run.ok || said === undefined) throw new StepError(`${name}: ${run.reason || 'nothing was tested'}\n${text}`);
  return said;
}
