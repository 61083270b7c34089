// The name of this platform, which is the folder of its addon in prebuilds/.

import process from 'node:process';

/** @returns {string} such as 'linux-x64-glibc' */
export function platformName() {
  const report = /** @type {any} */ (process.report?.getReport());
  const libc = process.platform !== 'linux' ? '' : report?.header?.glibcVersionRuntime ? '-glibc' : '-musl';
  return `${process.platform}-${process.arch}${libc}`;
}
