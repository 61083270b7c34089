// Folders that tests write in, and file names that no other test has.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const makeFolder = () => mkdtempSync(join(tmpdir(), 'hyphadb-test-'));

/** @param {string} folder */
export const removeFolder = (folder) => rmSync(folder, { recursive: true, force: true });

/**
 * A folder for the tests of one file or one describe(); it is gone after them.
 * @returns {{ path(name: string): string, next(): string }} next() is a new file name each time
 */
export function useFolder() {
  let folder = '';
  let count = 0;
  beforeAll(() => {
    folder = makeFolder();
  });
  afterAll(() => removeFolder(folder));
  return { path: (name) => join(folder, name), next: () => join(folder, `${++count}.db`) };
}
