// Running other programs quietly: their output goes to build/logs and is shown only when they fail.

import { spawn } from 'node:child_process';
import { accessSync, constants, createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const MAX_SHOWN_LINES = 80;

// An expected failure: the message is for the reader, a stack trace would only hide it.
export class StepError extends Error {}

/** @param {string} name */
export function logPath(name) {
  const directory = join(root, 'build', 'logs');
  mkdirSync(directory, { recursive: true });
  return join(directory, name);
}

/** @param {string} command @returns {string | null} the program's path, without starting it */
export function which(command) {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, command);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not in this directory
    }
  }
  return null;
}

// The part of a log that tells why: from the first error on, else the end.
function excerpt(path) {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  const first = lines.findIndex((line) => /^FAILED:|\berror\b|^CMake Error|^E: |^npm error/i.test(line));
  const from = first >= 0 ? first : Math.max(0, lines.length - MAX_SHOWN_LINES);
  const shown = lines.slice(from, from + MAX_SHOWN_LINES).map((line) => `    ${line}`);
  return shown.join('\n');
}

/**
 * Runs a program to its end. With `log` the output is kept there; without it, it goes to the terminal.
 * @param {string} command
 * @param {string[]} args
 * @param {{ log?: string, append?: boolean, cwd?: string, env?: Record<string, string>, timeoutMs?: number,
 *   quietStdout?: boolean }} [options]
 * @returns {Promise<{ ok: boolean, reason: string }>}
 */
export function tryRun(command, args, options = {}) {
  return new Promise((resolve) => {
    const log = options.log ? createWriteStream(logPath(options.log), { flags: options.append ? 'a' : 'w' }) : null;
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: log ? ['ignore', 'pipe', 'pipe'] : ['inherit', options.quietStdout ? 'ignore' : 'inherit', 'inherit'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    const end = (reason) => {
      const result = { ok: reason === '', reason };
      if (log) log.end(() => resolve(result));
      else resolve(result);
    };
    if (log) {
      child.stdout?.pipe(log, { end: false });
      child.stderr?.pipe(log, { end: false });
    }
    child.once('error', (error) => end(error.message));
    child.once('close', (code, signal) => end(code === 0 ? '' : signal ? `ended by ${signal}` : `exit code ${code}`));
  });
}

/** As tryRun, but a failure is thrown with the telling part of the log. */
export async function run(command, args, options = {}) {
  const { ok, reason } = await tryRun(command, args, options);
  if (ok) return;
  const what = `${command} ${args[0] ?? ''}`.trim();
  if (!options.log) throw new StepError(`${what}: ${reason}`);
  const path = logPath(options.log);
  throw new StepError(`${what}: ${reason}\n${excerpt(path)}\n  whole log: ${relative(root, path)}`);
}

/** @param {number} startedAt of performance.now() */
export function seconds(startedAt) {
  return `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
}

/** @param {string} title */
export function heading(title) {
  console.log(`\n== ${title}`);
}

/** Runs a script's main function; an expected failure becomes one message and exit code 1. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof StepError ? `\nFailed: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** @param {string} url import.meta.url of the asking module */
export function isMain(url) {
  return process.argv[1] === fileURLToPath(url);
}
