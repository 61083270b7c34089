// npm run bench: HyphaDB and its peers side by side in one run.
//   npm run bench -- [--quick] [--markdown] [--only get,set] [--peers a,b] [--rounds 7]

import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureNpmPackages } from '../scripts/setup.js';
import { Contest, inFreshProcesses, summary, temporaryDirectory } from './harness.js';
import { BASELINE, canRun, PEERS } from './peers/index.js';
import { block, circumstances, floorTable, markdown } from './report.js';
import { WORKLOADS } from './workloads/index.js';

const MINIMUM_NODE = 22; // better-sqlite3 13.2 ends the process on an older one
const ROUNDS = { full: 7, quick: 3 };
const LOAD_ROUNDS = 3;
const SCAN_MIB = 4; // a scan keeps ten rows and a few buffers
const LOAD = ['memory', 'load']; // measured together, each time in a fresh process
const SCAN_MEMORY = 'scanMemory'; // in fresh processes as well
const IN_FLIGHT = 'inFlight';
const IN_FLIGHT_SECONDS = { full: 10, quick: 2 };
const CHECKSUM = 'checksum';
const CHECKSUM_ROUNDS = { full: { rounds: 15, size: 20_000 }, quick: { rounds: 5, size: 5_000 } };
const CHECKSUM_COST = 1.05;
const FRESH = [...LOAD, SCAN_MEMORY, IN_FLIGHT, CHECKSUM];
const DATA = ['documents', 'indexed documents', 'cities', 'indexed cities'];
const HELP = `npm run bench -- [options]
  --quick          fewer and shorter rounds, and no cities: about 30 seconds
  --markdown       end with the table for the README
  --only a,b       some workloads: ${[...WORKLOADS.map(({ name }) => name), ...FRESH].join(', ')}
  --peers a,b      some peers: ${PEERS.map(({ name }) => name).join(', ')}
  --rounds n       measured rounds of each workload on the documents (${ROUNDS.full})
`;

function readList(what, text, known) {
  const names = text?.split(',').map((name) => name.trim());
  const stranger = names?.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new RangeError(`no ${what} "${stranger}"; there are ${known.join(', ')}`);
  return names;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      only: { type: 'string' },
      peers: { type: 'string' },
      rounds: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const only = readList('workload', values.only, [...WORKLOADS.map(({ name }) => name), ...FRESH]);
  const peers = readList('peer', values.peers, PEERS.map(({ name }) => name));
  const rounds = Number(values.rounds ?? ROUNDS[values.quick ? 'quick' : 'full']);
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError('--rounds needs a positive integer');
  return { ...values, rounds, only, peers };
}

const dataOf = (workload) => workload.data ?? 'documents';

function isWanted(workload, { only, quick }) {
  return only ? only.includes(workload.name) : !quick || dataOf(workload).endsWith('documents');
}

function peersOf(workload, { peers }) {
  return PEERS.filter((peer) => (!peers || peers.includes(peer.name)) && canRun(peer, workload));
}

function show(rows, row) {
  rows.push(row);
  console.log(block(row));
}

/** All workloads of one set of data. */
async function contest(workloads, options, directory, rows, versions) {
  const peers = PEERS.filter((peer) => workloads.some((workload) => peersOf(workload, options).includes(peer)));
  const run = new Contest(options);
  try {
    await run.start(peers, directory, dataOf(workloads[0]));
    for (const workload of workloads) {
      const rounds = workload.rounds?.[options.quick ? 'quick' : 'full'] ?? options.rounds;
      const results = await run.run(workload, peersOf(workload, options), rounds);
      show(rows, { unit: 'µs', ...workload, results });
    }
    await run.close();
  } finally {
    run.abandon();
  }
  Object.assign(versions, run.versions);
}

/** What loading the cities takes: time, and memory. */
async function loading({ peers }, directory, rows) {
  const all = ['hyphadb-contract', 'hyphadb-store', BASELINE, 'nothing'];
  const names = all.filter((name) => !peers || peers.includes(name) || name === 'nothing');
  const loads = await inFreshProcesses('load-process.js', names, directory, LOAD_ROUNDS);
  const column = (field) => Object.fromEntries(names.map((name) => [name, summary(loads[name].map((one) => one[field]))]));
  const per = 'load of 135,233 cities, highest resident set minus that before the peer was loaded';
  show(rows, { title: 'memory added', per, unit: 'MiB', below: 64, results: column('peakMiB') });
  const after = 'load of 135,233 cities, resident set after it and a garbage collection';
  show(rows, { title: 'memory kept', per: after, unit: 'MiB', results: column('afterMiB') });
  show(rows, { title: 'load, setMany(1000)', per: 'city of 135,233', unit: 'µs', results: column('microseconds') });
}

/** What reading everything adds to the memory of the process, for two numbers of documents. */
async function scanMemory({ peers, quick }, directory, rows) {
  const names = ['hyphadb-contract', 'hyphadb-store'].filter((name) => !peers || peers.includes(name));
  const scans = await inFreshProcesses('scan-process.js', names, directory, quick ? 1 : LOAD_ROUNDS);
  const column = (field) => Object.fromEntries(names.map((name) => [name, summary(scans[name].map((one) => one[field]))]));
  const row = { unit: 'MiB', below: SCAN_MIB };
  show(rows, { ...row, title: 'memory of a scan, 135,233', per: 'top ten and count over 135,233 cities, over the resident set before', results: column('once') });
  show(rows, { ...row, title: 'memory of a scan, 405,699', per: 'the same over three times as many', results: column('thrice') });
}

/** 500 operations in flight for some seconds. */
async function inFlight({ peers, quick }, directory, rows) {
  const names = ['hyphadb-contract', 'hyphadb-store', BASELINE].filter((name) => !peers || peers.includes(name));
  const seconds = IN_FLIGHT_SECONDS[quick ? 'quick' : 'full'];
  const runs = await inFreshProcesses('in-flight-process.js', names, directory, 1, { seconds });
  const column = (field) => Object.fromEntries(names.map((name) => [name, summary(runs[name].map((one) => one[field]))]));
  const per = `60 % get, 40 % set, for ${seconds} s`;
  for (const percentile of ['p50', 'p95', 'p99']) show(rows, { title: `500 in flight, ${percentile}`, per, unit: 'ms', results: column(percentile) });
  show(rows, { title: '500 in flight, throughput', per, unit: 'operations/s', results: column('perSecond') });
  show(rows, { title: "500 in flight, by Little's law", per: 'throughput times mean latency: 500 if the numbers agree', unit: 'operations', results: column('inFlight') });
  show(rows, { title: '500 in flight, event-loop p99', per, unit: 'ms', below: 5, results: column('loopP99') });
}

/** The same store with checksums and without. */
async function checksum({ peers, quick }, directory, rows) {
  const name = 'hyphadb-store';
  if (peers && !peers.includes(name)) return;
  const runs = await inFreshProcesses('checksum-process.js', [name], directory, quick ? 1 : LOAD_ROUNDS, CHECKSUM_ROUNDS[quick ? 'quick' : 'full']);
  const row = (field) => ({ unit: 'times', per: 'time of the same without checksums', below: CHECKSUM_COST, of: name, results: { [name]: summary(runs[name].map((one) => one[field])) } });
  show(rows, { ...row('get'), title: 'get with checksums' });
  show(rows, { ...row('set500'), title: 'set, 500 at once, with checksums' });
  show(rows, { ...row('scan'), title: 'count by a scan, with checksums' });
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  if (Number(process.versions.node.split('.')[0]) < MINIMUM_NODE) {
    throw new RangeError(`the peers need Node ${MINIMUM_NODE} or newer; "npm run bench" brings its own`);
  }
  await ensureNpmPackages(fileURLToPath(new URL('.', import.meta.url)), 'the peers that the benches compare with');
  const directory = temporaryDirectory();
  const rows = [];
  const setting = { versions: {}, rounds: options.rounds, directory };
  console.log(`load of the machine before the start: ${loadavg()[0].toFixed(1)}`);
  for (const data of DATA) {
    const workloads = WORKLOADS.filter((each) => dataOf(each) === data && isWanted(each, options));
    if (workloads.length > 0) await contest(workloads, options, directory, rows, setting.versions);
  }
  const wantsLoad = options.only ? options.only.some((name) => LOAD.includes(name)) : !options.quick;
  if (wantsLoad) await loading(options, directory, rows);
  const wantsScanMemory = options.only ? options.only.includes(SCAN_MEMORY) : !options.quick;
  if (wantsScanMemory) await scanMemory(options, directory, rows);
  const wantsInFlight = options.only ? options.only.includes(IN_FLIGHT) : !options.quick;
  if (wantsInFlight) await inFlight(options, directory, rows);
  const wantsChecksum = options.only ? options.only.includes(CHECKSUM) : !options.quick;
  if (wantsChecksum) await checksum(options, directory, rows);
  console.log(floorTable(rows));
  console.log(`\n${circumstances(setting).join('\n')}`);
  if (options.markdown) console.log(`\n${markdown(rows, setting)}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof RangeError || error.code?.startsWith('ERR_PARSE_ARGS') ? error.message : error);
  process.exitCode = 1;
}
