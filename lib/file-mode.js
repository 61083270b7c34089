// Whether others than its owner may write to a database file.

import { lstat } from 'node:fs/promises';
import process from 'node:process';

const OTHERS_WRITE = 0o022;

const warned = new Set();

/**
 * What to call once the file is open: a warning, the first time that this thread opens a file that the group or everybody
 * may write to. The look may come before or after open() makes the file: what it makes is 0600 at most.
 * @param {string | undefined} path undefined: a database in memory
 * A link, whose own mode means nothing, is refused by open().
 * @returns {Promise<() => void>} never rejects: why there is no mode, open() says better
 */
export async function modeWarning(path) {
  const mode = path === undefined ? 0 : await lstat(path).then((stat) => (stat.isFile() ? stat.mode : 0), () => 0);
  return () => {
    if ((mode & OTHERS_WRITE) === 0 || warned.has(path)) return;
    warned.add(path);
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    process.emitWarning(`${path} has mode ${octal}: others than its owner may write to it`, { type: 'SecurityWarning' });
  };
}
