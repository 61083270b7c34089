// Options are read from their own properties alone: whatever Object.prototype has, a call without options does the same.

import { readFileSync, readdirSync } from 'node:fs';
import * as tables from '../../lib/options.js';
import { BACKEND_CALLS, METHOD_CALLS, OTHER_CALLS, prepareGround } from '../helpers/option-calls.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();
let count = 0;
const next = (suffix = '.db') => folder.path(`${++count}${suffix}`);

/** Names that our own code reads from results, filters and documents, whatever the call. */
const EVERYWHERE = ['key', 'field', 'operator', 'path', 'order', 'code', 'success', 'toJSON', 'then', 'version', 'entries', 'message', 'name', 'cause', 'getFilters'];
/** Calls that take milliseconds: with their own options, and the commonest names. */
const SLOW = new Set(['backup', 'restore', 'exportBundle', 'importBundle', 'verifyBundle', 'scheduleBackups', 'copyFrom', 'openOrLoad', 'OPEN_OPTIONS', 'WAL_OPTIONS', 'LIMIT_OPTIONS', 'MIGRATE_OPTIONS']);

// Node's own file functions read these from objects of theirs that have a prototype.
const TAKEN_BY_NODE = new Set(['value']);

/** The options of a call, and every name that is an option anywhere. */
const TABLES = { ...tables.METHOD_OPTIONS };
for (const [name, table] of Object.entries(tables)) if (name.endsWith('_OPTIONS') && name !== 'METHOD_OPTIONS') TABLES[name] = table;
TABLES.openOrLoad = tables.OPEN_OPTIONS;
TABLES.verifyBundle = tables.METHOD_OPTIONS.control;
const ALL_TABLE_NAMES = Object.values(TABLES).flatMap((table) => Object.keys(table));
const CALLS = { ...METHOD_CALLS, ...OTHER_CALLS };

// The backend's options are in no table, they are read by own(options, name), and its configuration as `given.name`: so
// its source is the list of their names. Any other way to read them is found by the last test.
const MYCELIA = new URL('../../lib/mycelia/', import.meta.url);
const backendSource = readdirSync(MYCELIA).map((name) => readFileSync(new URL(name, MYCELIA), 'utf8')).join('');
const namesIn = (pattern) => [...backendSource.matchAll(pattern)].flatMap(([, names]) => [...names.matchAll(/\w+/g)].map(([name]) => name));
const anyKind = { check: (value) => value !== 'poison', expected: 'anything else', fallback: undefined };
const BACKEND_NAMES = [...namesIn(/\bown\([\w.]+, '(\w+)'\)/g), ...namesIn(/\[((?:'\w+'(?:, )?)+)\]\.map\(\(name\) => own\(/g), ...namesIn(/\bgiven\.(\w+)/g)];
for (const name of Object.keys(BACKEND_CALLS)) {
  CALLS[`backend: ${name}`] = BACKEND_CALLS[name];
  TABLES[`backend: ${name}`] = Object.fromEntries(BACKEND_NAMES.filter((each) => ALL_TABLE_NAMES.includes(each) === false).map((each) => [each, anyKind]));
}
const ALL_NAMES = [...new Set([...Object.values(TABLES).flatMap((table) => Object.keys(table)), ...EVERYWHERE])];
const SLOW_OF_BACKEND = new Set(['backend: config', 'backend: the first calls', 'backend: beginTransaction']);
const namesFor = (name) => (SLOW_OF_BACKEND.has(name) ? [...new Set([...BACKEND_NAMES, 'then'])] : SLOW.has(name) ? [...new Set([...Object.keys(TABLES[name]), 'namespace', 'path', 'then'])] : ALL_NAMES);

/** Names in no table, and what would change an answer. */
const POISONS = { order: ['desc'], getFilters: [() => []] };
/** What an object of options might bring, where one is taken whole. */
const WHOLE = { namespace: 'poison', metadata: { poison: 1 }, readOnly: true, walMode: false, debug: true, dbPath: ':memory:' };

/** A text, and one value of each other kind that some table takes under this name: only reading own properties keeps it out. */
function poisonsFor(name) {
  const specs = Object.values(TABLES).filter((table) => Object.hasOwn(table, name)).map((table) => table[name]);
  const candidates = [true, false, 1, 2, ['poison'], 'off', 'OFF', 'TRUNCATE', 'file', 'memory', 'quick', 'skip', 'desc', WHOLE, () => { throw new Error('the poison was called'); }];
  const taken = candidates.filter((value) => specs.some((spec) => spec.check(value) && spec.check('poison') === false && value !== spec.fallback));
  return ['poison', ...(POISONS[name] ?? []), ...new Map(taken.map((value) => [['boolean', 'string'].includes(typeof value) ? value : typeof value, value])).values()];
}

async function polluted(name, value, work) {
  Object.defineProperty(Object.prototype, name, { value, configurable: true, writable: true, enumerable: true });
  try {
    return await work();
  } finally {
    delete Object.prototype[name];
  }
}

const answer = (call, ground) => call(ground, {}).then((value) => JSON.stringify(value), ({ code, message }) => `${code ?? 'no code'}: ${message}`);

test('each table of lib/options.js has its call here, and each call its table', () => {
  expect(Object.keys(CALLS).sort()).toEqual(Object.keys(TABLES).sort());
});

describe('a polluted Object.prototype changes nothing of', () => {
  let ground;
  beforeAll(async () => {
    ground = await prepareGround(next, folder.path('.'));
  });
  afterAll(() => ground.close());

  test.each(Object.keys(CALLS))('%s', async (name) => {
    const call = CALLS[name];
    await ground.reset();
    const good = await answer(call, ground);
    expect(good).not.toMatch(/^(HYPHA_|no code)/);
    const changed = [];
    for (const option of namesFor(name)) {
      if (TAKEN_BY_NODE.has(option)) continue;
      for (const poison of poisonsFor(option)) {
        await ground.reset();
        const seen = await polluted(option, poison, () => answer(call, ground));
        if (seen !== good) changed.push(`${option} = ${String(poison)}: ${seen} instead of ${good}`);
      }
    }
    expect(changed).toEqual([]);
  });
});

test('the backend reads the options that it is given in no other way', () => {
  expect(BACKEND_NAMES).toEqual(expect.arrayContaining(['namespace', 'transactionId', 'includeMetadata', 'atomic', 'isolation', 'sort', 'walMode', 'options', 'storage']));
  const code = backendSource.replaceAll(/^import .*$/gm, '').replaceAll(/`[^`]*`/g, '');
  expect(code.match(/\b(options|config|entry)\?\.\w+|\boptions\.(?!js\b)\w+|\} = (options|config|entry|ctx)\b/g) ?? []).toEqual([]);
});
