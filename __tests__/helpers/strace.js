// What strace writes about calls that name files.

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

/** @returns {string} why processes cannot be traced here; empty when they can */
export function straceMissing() {
  const { error, status, stderr } = spawnSync('strace', ['-f', '--seccomp-bpf', '-qq', '-e', 'trace=openat', 'true'], { encoding: 'utf8' });
  if (error !== undefined) return 'there is no strace';
  return status === 0 ? '' : `strace may not trace: ${stderr.trim().split('\n').at(-1)}`;
}

/** Calls that make, change or remove names or files, whatever their flags. */
const CHANGES = /^(creat|mkdir|mknod|link|symlink|rename|unlink|rmdir|truncate|chmod|fchmodat|chown|lchown|fchownat|memfd_create)/;
const OPENS = /^open/;
const OPENED_TO_CHANGE = /O_(WRONLY|RDWR|CREAT|TRUNC|TMPFILE)/;

/** Whole lines: a call that another thread interrupted is written in two pieces. @param {string} log */
function* wholeLines(log) {
  const begun = new Map();
  for (const line of log.split('\n')) {
    const [, thread, rest] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (thread === undefined) continue;
    if (rest.endsWith(' <unfinished ...>')) {
      begun.set(thread, rest.slice(0, -' <unfinished ...>'.length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    yield resumed === null ? rest : begun.get(thread) + resumed[1];
    begun.delete(thread);
  }
}

/**
 * @typedef {object} FileCall
 * @property {string} name of the system call
 * @property {string[]} paths absolute: as they were given, and as the kernel resolved an opened one
 * @property {boolean} changes whether something could be made, changed or removed
 * @property {string} line
 */

/**
 * The calls that open, make, change or remove, and the looks at a name by access().
 * @param {string} log of `strace -f -y`
 * @param {string} directory of the process
 * @returns {FileCall[]}
 */
export function readCalls(log, directory) {
  const calls = [];
  for (const line of wholeLines(log)) {
    const [, name, rest] = /^(\w+)\((.*)$/.exec(line) ?? [];
    if (name === undefined || !(OPENS.test(name) || CHANGES.test(name) || /^f?access/.test(name))) continue;
    // A folder that is there already is not made, what is not there is not removed. An attempt to open is one, though.
    if (CHANGES.test(name) && / = -1 E(EXIST|NOENT) /.test(line)) continue;
    const paths = [...rest.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)].map(([, base, path]) => resolve(base ?? directory, path));
    const opened = / = \d+<([^>]*)>/.exec(rest);
    if (OPENS.test(name) && opened !== null) paths.push(opened[1]);
    const changes = OPENS.test(name) ? OPENED_TO_CHANGE.test(rest) : CHANGES.test(name);
    calls.push({ name, paths: name === 'memfd_create' ? ['memfd'] : [...new Set(paths)], changes, line });
  }
  return calls;
}
