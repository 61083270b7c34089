// The same file as the storage of a Mycelia plugin system.

import { useHyphaStorage } from 'hyphadb/mycelia';
import { StandalonePluginSystem } from 'mycelia-kernel-plugin';
import { ask, say } from './show.js';

/** @param {string} dbPath @param {string} namespace */
export async function askThroughPlugin(dbPath, namespace) {
  const system = new StandalonePluginSystem('cities', { config: { storage: { dbPath } } });
  const { answer, took } = await ask('Cities in the US once more, through the Mycelia plugin system', async () => {
    await system.use(useHyphaStorage).build();
    const storage = system.find('storage');
    return storage.count({ namespace, filter: { field: 'country', operator: 'eq', value: 'US' } });
  });
  await system.dispose();
  say(`${JSON.stringify(answer)}, in ${took}; that includes opening the file`);
}
