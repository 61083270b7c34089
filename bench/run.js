// npm run bench: HyphaDB and its peers side by side in one run.
//   npm run bench -- [--quick] [--markdown] [--only get,set] [--peers a,b] [--rounds 7]

import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureNpmPackages } from '../scripts/setup.js';
import { FRESH } from './fresh.js';
import { Contest, temporaryDirectory } from './harness.js';
import { canRun, PEERS } from './peers/index.js';
import { block, circumstances, floorTable, markdown } from './report.js';
import { WORKLOADS } from './workloads/index.js';

const MINIMUM_NODE = 22; // better-sqlite3 13.2 ends the process on an older one
const ROUNDS = { full: 7, quick: 3 };
const FRESH_NAMES = FRESH.flatMap(({ names }) => names);
const DATA = ['documents', 'synced documents', 'indexed documents', 'cities', 'indexed cities'];
const HELP = `npm run bench -- [options]
  --quick          fewer and shorter rounds, and no cities: about 30 seconds
  --markdown       end with the table for the README
  --only a,b       some workloads: ${[...WORKLOADS.map(({ name }) => name), ...FRESH_NAMES].join(', ')}
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
  const only = readList('workload', values.only, [...WORKLOADS.map(({ name }) => name), ...FRESH_NAMES]);
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
  for (const { names, run } of FRESH) {
    const isWanted = options.only ? names.some((name) => options.only.includes(name)) : !options.quick;
    if (isWanted) await run(options, directory, (row) => show(rows, row));
  }
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
