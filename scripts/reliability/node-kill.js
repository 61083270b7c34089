// Ends a writing Node process in every way there is, again and again, and checks after each end what the file holds
// against what its clients were told. node scripts/reliability/node-kill.js --runs N --seed S

import { fork } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { open } from '../../lib/index.js';
import { Copies, CopyJudge } from './node-copies.js';
import { Ledger, TOLD } from './node-ledger.js';
import { CLIENTS, makeUnit, namespacesOf, random } from './units.js';

const WRITER = new URL('./node-writer.js', import.meta.url);
const RUNS_PER_FILE = 10;
const HANG_MS = 60_000;
const SIGNALS = ['SIGKILL', 'SIGKILL', 'SIGKILL', 'SIGTERM', 'group SIGKILL', 'SIGSTOP SIGKILL'];
const OWN_WAYS = ['exit', 'abort', 'throw', 'reallyExit', 'worker.terminate'];

function placeToWrite() {
  return mkdtempSync(join(process.env.HYPHA_RELIABILITY_DIR ?? '/dev/shm', 'hypha-node-kill-'));
}

/** Runs one writer to its end; how it ended. */
async function runWriter(input, way, waitMs) {
  const own = OWN_WAYS.includes(way);
  const child = fork(WRITER, [JSON.stringify({ ...input, way: own ? way : undefined, afterMs: waitMs })], { detached: true, stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const ended = new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal, hung: false })));
  const hang = setTimeout(() => child.kill('SIGKILL'), HANG_MS);
  const startedAt = performance.now();
  await Promise.race([new Promise((resolve) => child.once('message', resolve)), ended]);
  if (!own) {
    await sleep(waitMs);
    if (way === 'SIGSTOP SIGKILL') {
      child.kill('SIGSTOP');
      await sleep(200);
    }
    if (way === 'group SIGKILL') process.kill(-child.pid, 'SIGKILL');
    else child.kill(/** @type {NodeJS.Signals} */ (way.split(' ').at(-1)));
  }
  const end = await ended;
  clearTimeout(hang);
  return { ...end, stderr, hung: performance.now() - startedAt >= HANG_MS };
}

/**
 * The content that some whole number of the units left, or how the found one differs from all of them. A transaction
 * that was open when the process ended is rolled back, and what waited behind it still runs: it alone may be passed over.
 */
function judge(seed, client, start, told, found, from, certain = told.lastIndexOf(TOLD.acked) + 1) {
  let possible = [new Map(start)];
  let difference;
  for (let i = 0; ; i++) {
    for (const expected of i < certain ? [] : possible) {
      const here = differ(expected, found);
      if (!here) return { ok: true, present: i - certain };
      difference ??= here;
    }
    if (i === told.length) {
      const open = told.slice(certain).map((each, at) => `${makeUnit(seed, client, from + certain + at).kind} ${each}`);
      return { ok: false, difference: `client ${client} after ${certain} of ${told.length} (then ${open.join(', ')}): ${difference}` };
    }
    if (told[i] === TOLD.failed) continue;
    const unit = makeUnit(seed, client, from + i);
    const without = unit.kind === 'transaction' && told[i] !== TOLD.acked ? possible.map((each) => new Map(each)) : [];
    for (const expected of possible) unit.apply(expected);
    possible = possible.concat(without);
  }
}

function differ(expected, found) {
  for (const [at, value] of expected) {
    if (found.get(at) !== value) return `${at.replace('\n', '/')} is ${found.get(at)?.slice(0, 60)}, expected ${value.slice(0, 60)}`;
  }
  for (const at of found.keys()) if (!expected.has(at)) return `${at.replace('\n', '/')} should be absent`;
  return undefined;
}

async function contentOf(store, client) {
  const content = new Map();
  for (const namespace of namespacesOf(client)) {
    for (const { key, value } of await store.query(undefined, { namespace })) content.set(`${namespace}\n${key}`, JSON.stringify(value));
  }
  return content;
}

/** Whatever the process was doing when it ended. */
function checkModes(folder, problems) {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!name.startsWith('a.db')) continue;
    const info = statSync(join(folder, name));
    const mode = (info.mode & 0o777).toString(8);
    if (mode !== (info.isDirectory() ? '700' : '600')) problems.push(`${name} has mode ${mode}`);
  }
}

/**
 * @param {{ runs: number, seed?: number }} options
 * @returns {Promise<{ problems: string[] }>}
 */
export async function nodeKill({ runs, seed = randomInt(1, 2 ** 31) }) {
  const totals = { acked: 0, failed: 0, pending: 0, present: 0, ways: {} };
  const problems = [];
  let folder;
  let state;
  let copyJudge;
  const copyTotals = { acked: 0, cutShort: 0, judged: 0 };
  const startedAt = performance.now();
  console.log(`node-kill: seed ${seed}`);
  for (let run = 0; run < runs; run++) {
    if (run % RUNS_PER_FILE === 0) {
      if (folder) rmSync(folder, { recursive: true });
      folder = placeToWrite();
      state = Array.from({ length: CLIENTS }, () => ({ next: 0, content: new Map() }));
      copyJudge = new CopyJudge(join(folder, 'a.db'));
    }
    const r = random(seed, 'run', run);
    const way = r.oneIn(2) ? OWN_WAYS[r.below(OWN_WAYS.length)] : SIGNALS[r.below(SIGNALS.length)];
    const path = join(folder, 'a.db');
    const ledgerPath = join(folder, 'ledger');
    const fileSeed = `${seed}/${Math.floor(run / RUNS_PER_FILE)}`;
    const ledger = new Ledger(ledgerPath, CLIENTS);
    const copies = new Copies(path, join(folder, 'copies'), true);
    const end = await runWriter({ path, ledger: ledgerPath, copies: join(folder, 'copies'), seed: fileSeed, first: state.map(({ next }) => next) }, way, 20 + r.below(300));
    totals.ways[way] = (totals.ways[way] ?? 0) + 1;
    const found = [];
    if (end.hung) found.push(`hung\n${end.stderr}`);
    if (way === 'worker.terminate' && end.code !== 0) found.push(`ended with ${end.code ?? end.signal}\n${end.stderr}`);
    if (/HYPHA_(?!CLOSED)/.test(end.stderr)) found.push(end.stderr);
    const store = await open({ path, busyTimeout: 20_000 });
    const { integrity } = await store.diagnose();
    if (integrity !== 'ok') found.push(`integrity: ${integrity}`);
    checkModes(folder, found);
    found.push(
      ...(await copyJudge.judge(copies.records(), async (copy, since) => {
        const differences = [];
        for (const [client, each] of state.entries()) {
          const verdict = judge(fileSeed, client, each.content, ledger.told(client), await contentOf(copy, client), each.next, since[client]);
          if (!verdict.ok) differences.push(verdict.difference);
        }
        return differences;
      })),
    );
    for (const [client, each] of state.entries()) {
      const told = ledger.told(client);
      const content = await contentOf(store, client);
      const verdict = judge(fileSeed, client, each.content, told, content, each.next);
      if (!verdict.ok) found.push(verdict.difference);
      totals.present += verdict.present ?? 0;
      for (const each of told) totals[each === TOLD.acked ? 'acked' : each === TOLD.failed ? 'failed' : 'pending']++;
      state[client] = { next: each.next + told.length, content };
    }
    if (run % RUNS_PER_FILE === RUNS_PER_FILE - 1 || run === runs - 1) {
      found.push(...(await copyJudge.finish(store, CLIENTS)));
      for (const name of Object.keys(copyTotals)) copyTotals[name] += copyJudge.totals[name];
    }
    await store.close();
    ledger.close();
    problems.push(...found.map((each) => `run ${run}, ${way}: ${each}`));
    for (const each of found) console.error(`node-kill: seed ${seed}, run ${run}, ${way}: ${each}`);
  }
  if (problems.length === 0) rmSync(folder, { recursive: true });
  else console.error(`node-kill: the last file is kept: ${folder}`);
  const ways = Object.entries(totals.ways).map(([way, count]) => `${count} ${way}`);
  console.log(`node-kill: ${runs} ends (${ways.join(', ')}) in ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
  console.log(`node-kill: ${totals.acked} units acknowledged, ${totals.failed} failed, ${totals.pending} without an answer (${totals.present} of them present)`);
  console.log(`node-kill: ${copyTotals.acked} copies acknowledged, ${copyTotals.cutShort} cut short; ${copyTotals.judged} that an ended process left were read back`);
  if (totals.acked === 0) problems.push('nothing was acknowledged: nothing was tested');
  console.log(`node-kill: ${problems.length} problems`);
  return { problems };
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '60' }, seed: { type: 'string' } } });
const { problems } = await nodeKill({ runs: Number(values.runs), seed: values.seed === undefined ? undefined : Number(values.seed) });
if (problems.length > 0) process.exitCode = 1;
