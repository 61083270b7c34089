// How Jest is started. The tests are ES modules, which Jest runs only where Node is told so.

import { join } from 'node:path';
import { root } from './run.js';

export const JEST = join(root, 'node_modules', 'jest', 'bin', 'jest.js');

/** @returns {Record<string, string>} what the environment needs beside what is there */
export function jestEnvironment() {
  const options = [process.env.NODE_OPTIONS, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  return { NODE_OPTIONS: options.filter(Boolean).join(' ') };
}
