// A disk that gets full: a file system in memory of a given size.

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import process from 'node:process';

/** Mounting is for root alone; without it a test says "skipped". */
export const mayMount = process.getuid?.() === 0;

/**
 * @template T
 * @param {string} path of a new directory
 * @param {string} size as mount has it: '512k'
 * @param {(disk: { path: string, resize(size: string): void }) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function onSmallDisk(path, size, work) {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  try {
    return await work({ path, resize: (other) => execFileSync('mount', ['-o', `remount,size=${other}`, path]) });
  } finally {
    execFileSync('umount', [path]);
  }
}
