// The Mycelia storage contract as tests over any backend that a factory opens.

import { groups, runCase } from './cases/index.js';

/**
 * @param {string} name
 * @param {import('./cases/index.js').Factory | ((group: string, title: string) => Promise<void>)} where a factory, or
 *   what runs a case somewhere else
 */
export function contractSuite(name, where) {
  const run = typeof where === 'function' ? where : (group, title) => runCase(where, group, title);
  describe(name, () => {
    for (const [group, cases] of Object.entries(groups)) {
      describe(group, () => {
        for (const title of Object.keys(cases)) test(title, () => run(group, title));
      });
    }
  });
}
