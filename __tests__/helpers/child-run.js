// Runs a program of __tests__ in a Node process of its own, with a deadline that tells which phase hung.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} ChildResult
 * @property {number | null} code
 * @property {string | null} signal
 * @property {string[]} acks what the child called acknowledged
 * @property {any[]} data what it reported
 * @property {string[]} phases
 * @property {string} stderr
 */

/** @returns {{ path: string, file: (name: string) => string, remove: () => void }} a new folder */
export function tempFolder() {
  const path = mkdtempSync(join(tmpdir(), 'hypha-test-'));
  return { path, file: (name) => join(path, name), remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** @param {string} text @param {ChildResult} result */
function readLines(text, result) {
  for (const line of text.split('\n')) {
    if (line.startsWith('@ack ')) result.acks.push(line.slice(5));
    if (line.startsWith('@phase ')) result.phases.push(line.slice(7));
    if (line.startsWith('@data ')) result.data.push(JSON.parse(line.slice(6)));
  }
}

/**
 * @param {string | URL} program
 * @param {any} input what child-side input() gives it
 * @param {{ deadline?: number, fromLastSign?: boolean, node?: string, flags?: string[], env?: object, cwd?: string, onPhase?: (phase: string, child: import('node:child_process').ChildProcess) => void }} [options]
 *   fromLastSign: the deadline counts from the last output, not from the start
 * @returns {Promise<ChildResult>}
 */
export function runChild(program, input, { deadline = 20_000, fromLastSign = false, node = process.execPath, flags = [], env = {}, cwd = tmpdir(), onPhase } = {}) {
  const file = program instanceof URL ? fileURLToPath(program) : program;
  // eslint-disable-next-line no-unused-vars -- Jest's own flags are not the child's
  const { NODE_OPTIONS, ...inherited } = process.env;
  const child = spawn(node, [...flags, file, JSON.stringify(input)], { cwd, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const result = { code: null, signal: null, acks: [], data: [], phases: [], stderr: '' };
  let rest = '';
  let timer;
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    const known = result.phases.length;
    const end = (rest + chunk).lastIndexOf('\n') + 1;
    readLines((rest + chunk).slice(0, end), result);
    rest = (rest + chunk).slice(end);
    for (const phase of result.phases.slice(known)) onPhase?.(phase, child);
    if (fromLastSign) timer?.refresh();
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => (result.stderr += chunk));
  return new Promise((resolve, reject) => {
    timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${file} hung in phase "${result.phases.at(-1) ?? 'start'}" for ${deadline} ms\n${result.stderr}`));
    }, deadline);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(Object.assign(result, { code, signal }));
    });
  });
}

/**
 * Waits for a promise, but not for ever.
 * @template T
 * @param {string} phase
 * @param {Promise<T>} promise
 * @param {number} [deadline]
 * @returns {Promise<T>}
 */
export async function within(phase, promise, deadline = 15_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`"${phase}" hung for ${deadline} ms`)), deadline);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
