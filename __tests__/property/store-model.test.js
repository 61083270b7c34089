// Random sequences of calls against a model made of Maps. HYPHA_SEED repeats a run; HYPHA_RUNS and HYPHA_COMMANDS say how
// many and how long: `npm run reliability -- --gate pr --only model`.

import { rmSync } from 'node:fs';
import process from 'node:process';
import fc from 'fast-check';
import { open } from '../../lib/index.js';
import { tempFolder } from '../helpers/child-run.js';
import { listKeys } from '../helpers/oracle-filter.js';
import { runSeed } from '../helpers/oracle-random.js';
import { StoreModel } from '../helpers/oracle-store.js';

const seed = runSeed();
const RUNS = Number(process.env.HYPHA_RUNS ?? 150);
const COMMANDS = Number(process.env.HYPHA_COMMANDS ?? 40);
const SHORTEST = Math.min(10, COMMANDS);
const MINUTE = 60_000;

const key = fc.constantFrom('a', 'b', 'c', 'aa', 'ab', 'é', '😀', '\uffee', 'x\0y', '__proto__', 'a*', '%');
const ns = fc.constantFrom(undefined, undefined, 'default', 'one', 'two', 'three');
const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('\ud800', 2 ** 60, -0, NaN), fc.date({ noInvalidDate: false }));
const metadata = fc.dictionary(fc.constantFrom('m', 'n', '__proto__', ''), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 3 });
const pattern = fc.array(fc.constantFrom('*', 'a', 'b', 'é', '%', '😀'), { maxLength: 4 }).map((parts) => parts.join(''));
const page = fc.option(fc.nat(6));

const command = (name, fields) => fc.record({ call: fc.constant(name), ...fields });
const setFields = { key, value, metadata: fc.option(metadata), overwrite: fc.option(fc.boolean(), { nil: undefined, freq: 2 }) };

const dataCommands = [
  { weight: 8, arbitrary: command('set', { ns, ...setFields }) },
  { weight: 4, arbitrary: command('delete', { ns, key }) },
  { weight: 4, arbitrary: command('setMany', { ns, entries: fc.array(fc.record(setFields), { maxLength: 5 }), atomic: fc.boolean() }) },
  { weight: 2, arbitrary: command('deleteMany', { ns, keys: fc.array(key, { maxLength: 4 }) }) },
  { weight: 3, arbitrary: command('setMetadata', { ns, key, metadata, merge: fc.boolean() }) },
  { weight: 1, arbitrary: command('clear', { ns }) },
  { weight: 2, arbitrary: command('createNamespace', { name: fc.constantFrom('default', 'one', 'two', 'three'), metadata: fc.option(metadata) }) },
  { weight: 2, arbitrary: command('deleteNamespace', { name: fc.constantFrom('default', 'one', 'two', 'three'), recursive: fc.boolean() }) },
  { weight: 3, arbitrary: command('list', { ns, pattern: fc.option(pattern), prefix: fc.option(key), after: fc.option(key), limit: page, offset: page }) },
  { weight: 3, arbitrary: command('getMany', { ns, keys: fc.array(key, { maxLength: 6 }) }) },
  { weight: 3, arbitrary: command('getEntry', { ns, key }) },
];
const dataCommand = fc.oneof(...dataCommands);
const anyCommand = fc.oneof(
  { weight: 30, arbitrary: dataCommand },
  { weight: 3, arbitrary: command('transaction', { commands: fc.array(dataCommand, { maxLength: 6 }), end: fc.constantFrom('commit', 'rollback', 'throw') }) },
  { weight: 1, arbitrary: command('reopen', {}) },
);

const at = (ns) => ns ?? 'default';
const in_ = (ns) => (ns === undefined ? {} : { namespace: ns });
const given = ({ metadata, overwrite }) => ({ ...(metadata ? { metadata } : {}), ...(overwrite === undefined ? {} : { overwrite }) });

/** Each runs one command on a Store or Transaction and on the model, and gives the two answers, to be equal. */
const data = {
  async set(store, model, c) {
    const expected = model.set(at(c.ns), c.key, c.value, c);
    return [await store.set(c.key, c.value, { ...in_(c.ns), ...given(c) }).then(written), expected];
  },
  async delete(store, model, c) {
    return [await store.delete(c.key, in_(c.ns)), model.delete(at(c.ns), c.key)];
  },
  async setMany(store, model, c) {
    const trial = model.clone();
    const outcomes = c.entries.map((entry) => trial.set(at(c.ns), entry.key, entry.value, entry));
    const failed = outcomes.find((outcome) => outcome.code);
    const entries = c.entries.map((entry) => ({ key: entry.key, value: entry.value, ...given(entry) }));
    const answer = store.setMany(entries, { ...in_(c.ns), atomic: c.atomic });
    if (c.atomic && failed) return [await answer, failed];
    for (const entry of c.entries) model.set(at(c.ns), entry.key, entry.value, entry);
    return [(await answer).outcomes.map(({ version, error }) => (error ? { code: error.code } : written({ version }))), outcomes];
  },
  async deleteMany(store, model, c) {
    const expected = c.keys.map((each) => model.delete(at(c.ns), each));
    return [(await store.deleteMany(c.keys, in_(c.ns))).outcomes.map(({ deleted }) => deleted), expected];
  },
  async setMetadata(store, model, c) {
    const expected = model.setMetadata(at(c.ns), c.key, c.metadata, c.merge);
    return [await store.setMetadata(c.key, c.metadata, { ...in_(c.ns), merge: c.merge }).then(written), expected];
  },
  async clear(store, model, c) {
    return [await store.clear(in_(c.ns)), model.clear(c.ns)];
  },
  async createNamespace(store, model, c) {
    const expected = model.createNamespace(c.name, c.metadata);
    return [await store.createNamespace(c.name, c.metadata ? { metadata: c.metadata } : {}).then(() => 'done'), expected];
  },
  async deleteNamespace(store, model, c) {
    const expected = model.deleteNamespace(c.name, c.recursive);
    return [await store.deleteNamespace(c.name, { recursive: c.recursive }).then(() => 'done'), expected];
  },
  async list(store, model, { ns: space, pattern: glob, prefix, after, limit, offset }) {
    const options = { pattern: glob, prefix, after, limit, offset };
    return [await store.list({ ...in_(space), ...options }), listKeys(model.keys(at(space)), options)];
  },
  async getMany(store, model, c) {
    return [[...(await store.getMany(c.keys, in_(c.ns)))], model.getMany(at(c.ns), c.keys)];
  },
  async getEntry(store, model, c) {
    const entry = await store.getEntry(c.key, in_(c.ns));
    return [entry && { value: entry.value, metadata: entry.metadata }, model.get(at(c.ns), c.key)];
  },
};

const written = ({ version }) => (Number.isSafeInteger(version) && version > 0 ? 'written' : `version ${version}`);
// As text: `toEqual` takes -0 and a property called __proto__ in its own way.
const text = (answer) => JSON.stringify(answer, (_, part) => (part === undefined ? 'undefined' : part));

async function runCommand(store, model, each) {
  let actual;
  let expected;
  const before = model.clone();
  try {
    [actual, expected] = await data[each.call](store, model, each);
  } catch (error) {
    if (error.code === undefined) throw error;
    actual = { code: error.code };
    [, expected] = await data[each.call](answersNothing, before, each);
  }
  expect(`${each.call} ${text(actual)}`).toBe(`${each.call} ${text(expected)}`);
}

/** Stands in for a store when only the model is asked. */
const answersNothing = new Proxy({}, { get: () => async () => ({ outcomes: [], [Symbol.iterator]: [][Symbol.iterator] }) });

async function everything(store) {
  const namespaces = await store.listNamespaces();
  return Promise.all(namespaces.map(async (name) => {
    const { explicit, metadata: about } = await store.getNamespace(name);
    const entries = (await store.query(null, { namespace: name })).map((entry) => ({ key: entry.key, value: entry.value, metadata: entry.metadata }));
    return { name, explicit, metadata: about, entries };
  }));
}

/** A store, its file and what it has to hold. */
class Subject {
  model = new StoreModel();
  calls = 0;

  constructor(path) {
    this.path = path;
  }

  async open() {
    this.store = await open({ path: this.path, durability: 'off' });
  }

  async reopen() {
    await this.store.close();
    await this.open();
    await this.check();
  }

  async transaction({ commands, end }) {
    const inside = this.model.clone();
    const body = async (tx) => {
      for (const each of commands) await runCommand(tx, inside, each);
      this.calls += commands.length;
      expect(text(await everything(tx))).toBe(text(inside.everything()));
      if (end === 'throw') throw new Error('thrown on purpose');
    };
    if (end === 'rollback') {
      const tx = await this.store.beginTransaction();
      await body(tx);
      await tx.rollback();
    } else {
      const thrown = await this.store.transaction(body).then(() => undefined, (error) => error);
      if (thrown && thrown.message !== 'thrown on purpose') throw thrown;
      expect(thrown !== undefined).toBe(end === 'throw');
    }
    if (end === 'commit') this.model = inside;
  }

  async run(each) {
    this.calls++;
    if (each.call === 'reopen') await this.reopen();
    else if (each.call === 'transaction') await this.transaction(each);
    else await runCommand(this.store, this.model, each);
  }

  async check() {
    expect(text(await everything(this.store))).toBe(text(this.model.everything()));
  }
}

describe('a store behaves as Maps do', () => {
  let folder;
  beforeAll(() => {
    folder = tempFolder();
    process.stderr.write(`HYPHA_SEED=${seed} HYPHA_RUNS=${RUNS}\n`);
  });
  afterAll(() => folder.remove());

  it(`over ${RUNS} random sequences of up to ${COMMANDS} calls, transactions and reopenings among them`, async () => {
    let files = 0;
    let calls = 0;
    const property = fc.asyncProperty(fc.array(anyCommand, { minLength: SHORTEST, maxLength: COMMANDS, size: 'max' }), async (commands) => {
      const subject = new Subject(folder.file(`model-${files++}.db`));
      await subject.open();
      try {
        for (const each of commands) await subject.run(each);
        await subject.check();
      } finally {
        await subject.store.close();
        calls += subject.calls;
        rmSync(subject.path);
      }
    });
    await fc.assert(property, { seed, numRuns: RUNS });
    expect(files).toBeGreaterThanOrEqual(RUNS);
    expect(calls).toBeGreaterThanOrEqual(RUNS * SHORTEST);
    console.log(`seed ${seed}: ${files} sequences of up to ${COMMANDS} calls, ${calls} calls, each answer that of the model`);
  }, Math.max(10 * MINUTE, 10 * RUNS * COMMANDS));
});
