// One round of a stress run: starts the members of a mix on one file, lets them work, and checks what they saw.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { open } from '../../lib/index.js';
import { buildDirectory } from '../build.js';
import { checkHistory } from './checker/check.js';
import { readLines } from './checker/history.js';
import { ACCOUNTS, BALANCE, now } from './client.js';
import { clientsOf } from './mixes.js';
import { checkBank, checkCodes, checkCounter, checkFairness, checkQueue } from './models.js';

/** The log is copied back at 16 MiB, and starts anew once no reader is left in it. */
export const MAX_WAL_BYTES = 128 * 1024 * 1024;
/** Longer than this after their time was over, and a client hangs. */
const GRACE_MS = 60_000;

const environment = fileURLToPath(new URL('./environment.js', import.meta.url));

async function withStore(path, work) {
  const store = await open({ path, durability: 'normal' });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const accountNames = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`);

/** Makes what the models start with. */
function prepare(path, ns) {
  return withStore(path, async (store) => {
    await store.setMany(accountNames.map((key) => ({ key, value: BALANCE })), { namespace: ns });
    await store.set('counter', 0, { namespace: ns });
  });
}

/** Reads everything at the end, and removes it. */
function collect(path, ns) {
  return withStore(path, async (store) => {
    const start = now();
    const entries = await store.query([{ field: 'key', operator: 'startsWith', value: 'k' }], { namespace: ns });
    const last = { client: 'final', status: 'ok', start, end: now(), ops: entries.map(({ key, value }) => ['r', key, value]) };
    const accounts = [...(await store.getMany(accountNames, { namespace: ns })).values()];
    const counter = await store.get('counter', { namespace: ns });
    const jobs = await store.list({ namespace: `${ns}-jobs` });
    const { integrity } = await store.diagnose();
    for (const name of [ns, `${ns}-jobs`]) if (await store.getNamespace(name)) await store.deleteNamespace(name, { recursive: true });
    return { last, accounts, counter, jobs, integrity };
  });
}

class MemberProcess {
  #child;
  #lines;
  stderr = '';

  constructor(member, place) {
    const { path, out, name, ns, seed, first, clients, programs } = place;
    const { program, count, ...rest } = member;
    this.name = name;
    const [command, args] =
      program === 'engine'
        ? [join(programs, 'hypha_stress'), [path, out, name, ns, seed, first, clients, count].map(String)]
        : [process.execPath, [environment, JSON.stringify({ path, out, name, ns, seed, first, clients, count, ...rest })]];
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.ended = once(this.#child, 'close');
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.stderr += text));
    this.#lines = createInterface({ input: this.#child.stdout });
    this.ready = Promise.race([once(this.#lines, 'line'), this.ended]);
  }

  go(until) {
    this.#child.stdin.on('error', () => {}); // one that has died is told by end()
    this.#child.stdin.end(`go ${until}\n`);
  }

  /** @returns {Promise<string[]>} what was wrong with its end */
  async end(deadline) {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadline);
    const [code, signal] = await this.ended;
    clearTimeout(timer);
    return code === 0 && this.stderr === '' ? [] : [`${this.name} ended with ${signal ?? code}: ${this.stderr.slice(0, 2000)}`];
  }
}

/** @returns {() => number} stops watching, and gives the largest size seen; stat() only, which drops no lock */
function watchLog(path) {
  let largest = 0;
  const timer = setInterval(() => (largest = Math.max(largest, statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)), 20);
  return () => {
    clearInterval(timer);
    return largest;
  };
}

function start(members, place) {
  const clients = members.reduce((sum, member) => sum + clientsOf(member), 0);
  let first = 0;
  return members.map((member, i) => {
    const name = `${member.program}${i}`;
    const child = new MemberProcess(member, { ...place, clients, first, name, out: join(place.folder, name) });
    first += clientsOf(member);
    return child;
  });
}

/**
 * @param {import('./mixes.js').Member[]} members
 * @param {{ path: string, ns: string, seed: number, seconds: number, programs?: string }} options programs: the folder of
 *   the engine's
 * @returns {Promise<{ transactions: number, operations: number, conflicts: number, waits: number, walBytes: number, share: number, checks: Record<string, string[]> }>}
 *   checks: the faults that each found
 */
export async function runRound(members, { path, ns, seed, seconds, programs = buildDirectory('release') }) {
  const folder = mkdtempSync(join(tmpdir(), 'hyphadb-stress-'));
  try {
    await prepare(path, ns);
    const children = start(members, { path, ns, seed, folder, programs });
    await Promise.all(children.map(({ ready }) => ready));
    const stopWatching = watchLog(path);
    for (const child of children) child.go(now() + seconds * 1e9);
    const ends = (await Promise.all(children.map((child) => child.end(seconds * 1000 + GRACE_MS)))).flat();
    const walBytes = stopWatching();
    const lines = readdirSync(folder).flatMap((name) => readLines(join(folder, name)));
    return judge(lines, await collect(path, ns), { ends, walBytes });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function judge(lines, final, { ends, walBytes }) {
  const history = [...lines.filter(({ ops }) => ops !== undefined), final.last];
  const summaries = lines.filter(({ summary }) => summary);
  const { anomalies, transactions } = checkHistory(history);
  const dones = summaries.filter(({ role }) => role === 'clients').map(({ done }) => done);
  const operations = dones.reduce((sum, done) => sum + done, 0);
  const waits = summaries.reduce((sum, { codes }) => sum + (codes['HYPHA_BUSY after busyTimeout'] ?? 0), 0);
  return {
    transactions,
    operations,
    conflicts: summaries.reduce((sum, { conflicts }) => sum + conflicts, 0),
    waits,
    walBytes,
    share: Math.min(...dones) / (operations / dones.length),
    checks: {
      history: anomalies.map(({ type, message }) => `${type}: ${message}`),
      bank: checkBank(lines, final),
      counter: checkCounter(lines, final),
      queue: checkQueue(lines, final),
      fairness: checkFairness(summaries),
      codes: checkCodes(summaries),
      log: walBytes > MAX_WAL_BYTES ? [`the log grew to ${walBytes} bytes`] : [],
      integrity: final.integrity === 'ok' ? [] : [final.integrity],
      ends: [...ends, ...(transactions < 10 ? [`only ${transactions} transactions`] : [])],
    },
  };
}
