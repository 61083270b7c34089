// Stores for the tests of one file, closed after each test.

import { open } from '../../lib/index.js';
import { useFolder } from './folders.js';

/**
 * Runs `define` once over a file and once in memory.
 * @param {string} title
 * @param {(newStore: (options?: object) => Promise<any>, again: (options?: object) => Promise<any>) => void} define
 *   `again` opens the same file once more; in memory, where nothing can be opened twice, it is undefined
 */
export function inBothModes(title, define) {
  describe.each(['file', 'memory'])(`${title}, %s`, (mode) => {
    const folder = useFolder();
    const opened = [];
    let path;
    const keep = async (options) => {
      const store = await open(options);
      opened.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
    });
    const newStore = (options) => {
      path = folder.next();
      return keep(mode === 'file' ? { path, durability: 'normal', ...options } : { mode, ...options });
    };
    define(newStore, mode === 'file' ? (options) => keep({ path, durability: 'normal', ...options }) : undefined);
  });
}

/** A promise and how to settle it. */
export function deferred() {
  let resolve;
  let reject;
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** The code that a promise rejects with, or its value. @param {Promise<any>} promise */
export const codeOf = (promise) => promise.then((value) => ({ value }), (error) => error.code ?? error);
