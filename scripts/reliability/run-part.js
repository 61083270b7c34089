// Runs one part of the reliability programme.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildDirectory } from '../build.js';
import { logPath, root, tryRun } from '../support/run.js';
import { PARTS } from './gates.js';

const HOURS = 3_600_000;

/** @param {string} directory of the build @param {string} name @param {string[]} args */
function commandOf(directory, name, args) {
  const part = PARTS[name];
  if (part.script) return { command: process.execPath, args: [join(root, part.script), ...args] };
  return { command: join(directory, part.program), args: [...(part.role ? [part.role] : []), ...args] };
}

/**
 * Runs one part to its end.
 * @param {string} name of PARTS
 * @param {string[]} args
 * @param {{ directory?: string, env?: Record<string, string>, log?: string, timeoutMs?: number }} [options]
 * @returns {Promise<{ ok: boolean, skipped: boolean, reason: string, text: string }>} skipped: it could not be run here, and said so
 */
export async function runPart(name, args, { directory = buildDirectory('release'), env, log = `reliability-${name}.log`, timeoutMs = 24 * HOURS } = {}) {
  const { command, args: all } = commandOf(directory, name, args);
  const { ok, reason } = await tryRun(command, all, { log, env, timeoutMs });
  const text = readFileSync(logPath(log), 'utf8');
  return { ok, skipped: ok && text.includes(`\n${name}: skipped: `), reason, text };
}
