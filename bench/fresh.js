// What is measured in fresh processes of their own, one for each run of each peer.

import { inFreshProcesses, summary } from './harness.js';
import { BASELINE } from './peers/index.js';

const LOAD_ROUNDS = 3;
const SCAN_MIB = 4; // a scan keeps ten rows and a few buffers
const IN_FLIGHT_SECONDS = { full: 10, quick: 2 };
const CHECKSUM_ROUNDS = { full: { rounds: 15, size: 20_000 }, quick: { rounds: 5, size: 5_000 } };
const CHECKSUM_COST = 1.05;
const COMMIT_ROUNDS = 3;
const REOPEN_ROUNDS = 9;
const STORE = 'hyphadb-store';

/** What loading the cities takes: time, and memory. */
async function loading({ peers }, directory, show) {
  const all = ['hyphadb-contract', 'hyphadb-store', BASELINE, 'nothing'];
  const names = all.filter((name) => !peers || peers.includes(name) || name === 'nothing');
  const loads = await inFreshProcesses('load-process.js', names, directory, LOAD_ROUNDS);
  const column = (field) => Object.fromEntries(names.map((name) => [name, summary(loads[name].map((one) => one[field]))]));
  const per = 'load of 135,233 cities, highest resident set minus that before the peer was loaded';
  show({ title: 'memory added', per, unit: 'MiB', below: 64, results: column('peakMiB') });
  const after = 'load of 135,233 cities, resident set after it and a garbage collection';
  show({ title: 'memory kept', per: after, unit: 'MiB', results: column('afterMiB') });
  show({ title: 'load, setMany(1000)', per: 'city of 135,233', unit: 'µs', results: column('microseconds') });
}

/** What reading everything adds to the memory of the process, for two numbers of documents. */
async function scanMemory({ peers, quick }, directory, show) {
  const names = ['hyphadb-contract', 'hyphadb-store'].filter((name) => !peers || peers.includes(name));
  const scans = await inFreshProcesses('scan-process.js', names, directory, quick ? 1 : LOAD_ROUNDS);
  const column = (field) => Object.fromEntries(names.map((name) => [name, summary(scans[name].map((one) => one[field]))]));
  const row = { unit: 'MiB', below: SCAN_MIB };
  show({ ...row, title: 'memory of a scan, 135,233', per: 'top ten and count over 135,233 cities, over the resident set before', results: column('once') });
  show({ ...row, title: 'memory of a scan, 405,699', per: 'the same over three times as many', results: column('thrice') });
}

/** 500 operations in flight for some seconds. */
async function inFlight({ peers, quick }, directory, show) {
  const names = ['hyphadb-contract', 'hyphadb-store', BASELINE].filter((name) => !peers || peers.includes(name));
  const seconds = IN_FLIGHT_SECONDS[quick ? 'quick' : 'full'];
  const runs = await inFreshProcesses('in-flight-process.js', names, directory, 1, { seconds });
  const column = (field) => Object.fromEntries(names.map((name) => [name, summary(runs[name].map((one) => one[field]))]));
  const per = `60 % get, 40 % set, for ${seconds} s`;
  for (const percentile of ['p50', 'p95', 'p99']) show({ title: `500 in flight, ${percentile}`, per, unit: 'ms', results: column(percentile) });
  show({ title: '500 in flight, throughput', per, unit: 'operations/s', results: column('perSecond') });
  show({ title: "500 in flight, by Little's law", per: 'throughput times mean latency: 500 if the numbers agree', unit: 'operations', results: column('inFlight') });
  show({ title: '500 in flight, event-loop p99', per, unit: 'ms', below: 5, results: column('loopP99') });
}

/** What a script says of the Store alone. */
async function ofStore(script, { peers, directory, rounds }, setting = {}) {
  if (peers && !peers.includes(STORE)) return undefined;
  const runs = await inFreshProcesses(script, [STORE], directory, rounds, setting);
  return (field) => ({ [STORE]: summary(runs[STORE].map((one) => one[field])) });
}

/** The same store with checksums and without. */
async function checksum({ peers, quick }, directory, show) {
  const column = await ofStore('checksum-process.js', { peers, directory, rounds: quick ? 1 : LOAD_ROUNDS }, CHECKSUM_ROUNDS[quick ? 'quick' : 'full']);
  if (!column) return;
  const row = (title, field) => ({ title, unit: 'times', per: 'time of the same without checksums', of: STORE, results: column(field) });
  show({ ...row('get with checksums', 'get'), below: CHECKSUM_COST });
  show({ ...row('set, 500 at once, with checksums', 'set500'), below: CHECKSUM_COST });
  show(row('count by a scan, with checksums', 'scan'));
}

/** What checkpoints do to commits, beside what the disk itself does. */
async function commits({ peers }, directory, show) {
  const column = await ofStore('commit-process.js', { peers, directory, rounds: COMMIT_ROUNDS });
  if (!column) return;
  const row = (title, per, field) => ({ title, per, unit: 'ms', of: STORE, results: column(field) });
  const set = 'set awaited alone at durability full, while checkpoints run';
  const sync = 'write and fdatasync of 12 KiB in the same folder';
  show(row('synced commit, p50', set, 'p50'));
  show(row('synced commit, p99', set, 'p99'));
  show(row('the disk alone, p50', sync, 'syncP50'));
  show(row('the disk alone, p99', sync, 'syncP99'));
  show({ ...row('synced commit, p99 by p50', 'median of the same commits', 'ratio'), unit: 'times', below: 5 });
}

/** What opening costs after a kill. */
async function reopening({ peers }, directory, show) {
  const column = await ofStore('reopen-process.js', { peers, directory, rounds: REOPEN_ROUNDS });
  if (!column) return;
  const row = (title, per, field) => ({ title, per, unit: 'ms', of: STORE, results: column(field) });
  show(row('open after a kill', 'log of 64 MiB that must be recovered, not in the memory of the system', 'openMs'));
  show(row('reading that log', 'the same bytes, not in the memory of the system', 'readMs'));
  show({ ...row('open after a kill by reading', 'time to read the log', 'ratio'), unit: 'times', below: 3 });
}

/** In this order; `names` are those of the option --only. */
export const FRESH = [
  { names: ['memory', 'load'], run: loading },
  { names: ['scanMemory'], run: scanMemory },
  { names: ['inFlight'], run: inFlight },
  { names: ['checksum'], run: checksum },
  { names: ['commits'], run: commits },
  { names: ['reopen'], run: reopening },
];
