// Which programs the reliability programme is made of, and how much of each a gate runs.

/** @typedef {{ program?: string, role?: string, script?: string, about: string }} Part */

/** @type {Record<string, Part>} */
export const PARTS = {
  kill: { program: 'hypha_reliability', role: 'kill', about: 'SIGKILL of a C++ writer at random times and at every named point' },
  'node-kill': { script: 'scripts/reliability/node-kill.js', about: 'every way a Node process can end' },
  faults: { program: 'hypha_reliability', role: 'faults', about: 'every call to the file system fails' },
  power: { program: 'hypha_reliability', role: 'power', about: 'loss of power at every write and sync' },
  'full-disk': { program: 'hypha_reliability', role: 'full-disk', about: 'a disk that is full at every size' },
  memory: { program: 'hypha_out_of_memory', about: 'every allocation fails' },
  malformed: { program: 'hypha_reliability', role: 'malformed', about: 'damaged and hostile files' },
  'log-reset': { program: 'hypha_reliability', role: 'log-reset', about: 'checkpoints that a restart of the log overtakes' },
  links: { script: 'scripts/reliability/links.js', about: 'links swapped in under copies and under open()' },
  model: { script: 'scripts/reliability/model.js', about: 'random sequences of calls, answered as by a model' },
  fuzz: { script: 'scripts/fuzz.js', about: 'JSON, filters, bundles and database files that a fuzzer made up' },
};

const sizes = (kill, points, node, faults, power, memory, malformed, resets) => ({
  kill: ['--runs', String(kill), '--points', String(points)],
  'node-kill': ['--runs', String(node)],
  faults: ['--runs', String(faults)],
  power: ['--runs', String(power)],
  'full-disk': [],
  memory: ['--runs', String(memory)],
  malformed: ['--runs', String(malformed)],
  'log-reset': ['--runs', String(resets)],
});

/** @param {number} runs @param {number} commands of the longest */
const model = (runs, commands) => ['--runs', String(runs), '--commands', String(commands)];

// More than there are allocations to fail, and bits to flip.
const ALL = 1_000_000;

// Of the ways in which power can be lost the shorter gates try four at each point, chosen by the seed.
const EVERY_WAY = ['--runs', '1000000', '--variants', '12'];

// Where the user may not mount a file system, `full-disk` is left out, and says so; without this it fails.
export const ALLOW_NO_MOUNT = '--allow-no-mount';

/** @type {Record<string, Record<string, string[]>>} */
export const GATES = {
  test: { ...sizes(60, 1, 10, 900, 4000, 1000, 2000, 20), 'full-disk': [ALLOW_NO_MOUNT] },
  pr: { ...sizes(300, 2, 60, 20_000, 12_000, 6000, 10_000, 100), model: model(500, 50) },
  nightly: { ...sizes(20_000, 20, 3000, 200_000, 0, ALL, ALL, 500), power: EVERY_WAY, links: ['--runs', '2000'], model: model(20_000, 100), fuzz: ['--seconds', '600'] },
  release: { ...sizes(100_000, 100, 10_000, 400_000, 0, ALL, ALL, 5000), power: EVERY_WAY, links: ['--runs', '10000'], model: model(50_000, 100), fuzz: ['--seconds', '7200'] },
};
