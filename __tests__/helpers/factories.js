// Backends for the contract's cases. Usable outside Jest as well: worker threads run the cases too.

import { join } from 'node:path';
import { StandalonePluginSystem } from 'mycelia-kernel-plugin';
import { MyceliaStorageBackend, useHyphaStorage } from '../../lib/mycelia/index.js';
import { makeFolder, removeFolder } from './folders.js';

/** @param {MyceliaStorageBackend} backend @param {object} [more] @param {() => Promise<any>} [close] */
async function session(backend, more, close) {
  await backend.open();
  return { backend, owner: backend, ...more, close: close ?? (() => backend.close()) };
}

/** The backend over a file. @param {(path: string) => void} [prepare] makes the file first */
export const fileFactory = (prepare) => ({
  async open() {
    const folder = makeFolder();
    const dbPath = join(folder, 'storage.db');
    prepare?.(dbPath);
    const opened = [];
    const make = async () => {
      const backend = new MyceliaStorageBackend({ dbPath });
      opened.push(backend);
      await backend.open();
      return backend;
    };
    return session(await make(), { reopen: make }, async () => {
      for (const backend of opened) await backend.close();
      removeFolder(folder);
    });
  },
});

/** The backend in memory. */
export const memoryFactory = { open: () => session(new MyceliaStorageBackend({ dbPath: ':memory:' })) };

/** The facet of a plugin system that uses the hook. */
export const hookFactory = {
  async open() {
    const folder = makeFolder();
    const config = { storage: { dbPath: join(folder, 'storage.db') } };
    const systems = [];
    const make = async () => {
      const system = new StandalonePluginSystem('app', { config });
      systems.push(system);
      await system.use(useHyphaStorage).build();
      return system.find('storage');
    };
    const backend = await make();
    const close = async () => {
      for (const system of systems) await system.dispose();
      removeFolder(folder);
    };
    return { backend, owner: backend._storageBackend, reopen: make, close };
  },
};
