// What goes out comes in again byte for byte. HYPHA_SEED repeats a run.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import fc from 'fast-check';
import { exportBundle, importBundle, open, verifyBundle } from '../../lib/index.js';
import { crc32c } from '../helpers/crc32c.js';
import { writeBundle } from '../helpers/bundle-text.js';
import { useFolder } from '../helpers/folders.js';
import { runSeed } from '../helpers/oracle-random.js';
import { makeKernelFile } from '../helpers/sqlite-file.js';

const seed = runSeed();
const RUNS = Number(process.env.HYPHA_RUNS ?? 60);
const folder = useFolder();

/** @param {string} path a bundle of one file @returns {string[]} its lines without header and end */
const contentOf = (path) => readFileSync(path, 'utf8').split('\n').slice(1, -2);

/** The content of a directory, one line after the other. */
const partsOf = (path) => readdirSync(path).filter((name) => name.startsWith('part-')).sort().flatMap((name) => readFileSync(join(path, name), 'utf8').trimEnd().split('\n'));

const withStore = async (work, options = { mode: 'memory' }) => {
  const store = await open(options);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
};

/** JSON texts that JSON.parse and JSON.stringify would not give back as they are. */
const AWKWARD = [
  '1.0', '1e400', '-1e400', '-0', '0.10', '1E+2', '12345678901234567890123', '1e-999', '"\\u0041"', '"\\/"', '{"a":1,"a":2}', '{"__proto__":{"x":1}}',
  '"\\ud800"', '"\\udc00\\ud800"', '"\u2028"', '[1 , 2]', '{"b" : 1, "a":[ ]}', '"😀"', '{"":{"":[[]]}}', `${'['.repeat(2000)}${']'.repeat(2000)}`,
  ' 1', '1 ', '\n{"a":\n1}', '[\r\n]', '{"a":\t1}', '"\\u0000"', JSON.stringify('x'.repeat(100_000)),
];

const text = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...AWKWARD) },
  { weight: 2, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.tuple(fc.jsonValue(), fc.constantFrom('\t', '  ', '\n', '\r\n')).map(([value, space]) => JSON.stringify(value, null, space)) },
);
const name = fc.oneof(fc.constantFrom('a', 'é', '😀', '\uffee', 'x\0y', '__proto__', 'a"b\\c', 'line\nend', 'k\u2028', ' padded '), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }).filter((s) => s.trim() !== '' && s.isWellFormed()));
const time = fc.oneof(fc.constantFrom(0, -1, 2 ** 53 - 1, 1_700_000_000_000), fc.maxSafeInteger());
const metadata = fc.option(fc.oneof(fc.constantFrom('{}', '{"m":1.0}', '{ "a" : [1] }', '{\n}'), fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }).map((value) => JSON.stringify(value))), { nil: undefined });
const entry = fc.record({ ns: fc.constantFrom('default', 'n', '名前', 'a"b'), key: name, value: text, metadata, createdAt: time, updatedAt: time });

/** Whether a line may hold the text as it is. */
const isPlain = (json) => !/[\n\r]/.test(json) && !/^[ \t]|[ \t]$/.test(json);
const member = (label, json) => (json === undefined ? '' : isPlain(json) ? `,"${label}":${json}` : `,"${label}Text":${quoted(json)}`);
/** As the engine escapes: no more than JSON asks for. */
const quoted = (string) => `"${string.replace(/["\\\u0000-\u001f]/g, (c) => (c === '"' || c === '\\' ? `\\${c}` : c === '\n' ? '\\n' : `\\u00${c.charCodeAt(0).toString(16).padStart(2, '0')}`))}"`; // eslint-disable-line no-control-regex
const lineOf = (e, version) => {
  const line = `{"type":"entry","namespace":${quoted(e.ns)},"key":${quoted(e.key)}${member('value', e.value)}${member('metadata', e.metadata)},"createdAt":${e.createdAt},"updatedAt":${e.updatedAt},"version":${version}`;
  return `${line},"crc":"${crc32c(Buffer.from(line))}"}`;
};

test('entries of any names, texts, times and versions are the same after import, export and import', async () => {
  const property = fc.asyncProperty(fc.uniqueArray(entry, { selector: (e) => `${e.ns}\0${e.key}`, maxLength: 30 }), fc.shuffledSubarray([...Array(30).keys()], { minLength: 30 }), fc.integer({ min: 1, max: 12 }), async (entries, order, partRows) => {
    const lines = entries.map((e, i) => lineOf(e, (order[i] + 1) * 997));
    const first = folder.next();
    const second = `${folder.next()}.jsonl`;
    await withStore(async (store) => {
      await importBundle(store, writeBundle(`${folder.next()}.jsonl`, lines));
      await exportBundle(store, first, { partRows });
    });
    await withStore(async (store) => {
      expect(await importBundle(store, first)).toMatchObject({ inserted: entries.length, versionsKept: entries.length > 0 });
      await exportBundle(store, second);
    });
    const found = partsOf(first).filter((line) => line.startsWith('{"type":"entry"'));
    expect([...found].sort()).toEqual([...lines].sort());
    expect(contentOf(second)).toEqual(partsOf(first));
    expect((await verifyBundle(first)).problems).toEqual([]);
  });
  await fc.assert(property, { numRuns: RUNS, seed, endOnFailure: false });
}, 120_000);

test('a file that the kernel wrote, with texts that it alone writes, keeps every byte', async () => {
  const path = folder.next();
  makeKernelFile(path);
  const [first, second] = [`${folder.next()}.jsonl`, `${folder.next()}.jsonl`];
  await withStore((store) => store.exportBundle(first), { path });
  await withStore(async (store) => {
    await store.importBundle(first);
    await store.exportBundle(second);
  });
  expect(contentOf(second)).toEqual(contentOf(first));
  const texts = contentOf(first).filter((line) => line.startsWith('{"type":"entry"')).map((line) => JSON.parse(line));
  expect(texts.length).toBeGreaterThan(900);
  expect(contentOf(first).some((line) => line.includes('"value":1e400,'))).toBe(true);
});

test('namespaces, their metadata and times, and indexes come along', async () => {
  const path = folder.next();
  const before = await withStore(async (store) => {
    await store.createNamespace('empty', { metadata: { owner: 'a' } });
    await store.createNamespace('full', { metadata: { n: 1 } });
    await store.setMany([{ key: 'a', value: { email: 'x', n: { m: 1 } } }, { key: 'b', value: { email: 'y' }, metadata: { tag: 't' } }], { namespace: 'full' });
    await store.set('k', 1, { namespace: 'implicit' });
    await store.createIndex('full', 'email', { unique: true });
    await store.createIndex('full', [{ path: ['n', 'm'] }, { metadata: 'tag' }]);
    await store.createIndex('empty', 'later');
    expect(await store.exportBundle(path)).toMatchObject({ entries: 3, indexes: 3, namespaces: 3, parts: 1 });
    return describeStore(store);
  });
  await withStore(async (store) => {
    await new Promise((resolve) => setTimeout(resolve, 5)); // times of its own would differ
    expect(await store.importBundle(path)).toEqual({ inserted: 3, updated: 0, skipped: 0, deleted: 0, namespaces: 3, indexes: 3, versionsKept: true });
    expect(await describeStore(store)).toEqual(before);
    expect((await store.explain({ field: 'email', operator: 'eq', value: 'x' }, { namespace: 'full' })).index).not.toBeNull();
    await expect(store.set('c', { email: 'x' }, { namespace: 'full' })).rejects.toMatchObject({ code: 'HYPHA_CONSTRAINT' });
    const { version } = await store.set('new', 1);
    expect(version).toBeGreaterThan(Math.max(...before.entries.map((each) => each.version)));
  });
});

async function describeStore(store) {
  const names = await store.listNamespaces();
  const entries = [];
  const namespaces = [];
  for (const namespace of names) {
    namespaces.push(await store.getNamespace(namespace), await store.listIndexes(namespace));
    for await (const each of store.entries({ namespace })) entries.push({ namespace, ...each });
  }
  return { entries, namespaces: namespaces.map((each) => (each.name === 'default' ? 'default' : each)) };
}

test('an empty store, and one namespace of many', async () => {
  const [empty, one, both] = [folder.next(), folder.next(), `${folder.next()}.jsonl`];
  await withStore(async (store) => {
    expect(await store.exportBundle(empty)).toMatchObject({ entries: 0, lines: 0, parts: 0 });
    await store.set('a', 1, { namespace: 'one' });
    await store.set('b', 2, { namespace: 'two' });
    expect(await store.exportBundle(one, { namespaces: ['one'] })).toMatchObject({ entries: 1, namespaces: 1 });
    expect(await store.exportBundle(both, { namespaces: ['one', 'two', 'default'] })).toMatchObject({ entries: 2 });
    await expect(store.exportBundle(folder.next(), { namespaces: ['absent'] })).rejects.toMatchObject({ code: 'HYPHA_NAMESPACE_NOT_FOUND' });
  });
  await withStore(async (store) => {
    expect(await store.importBundle(empty)).toMatchObject({ inserted: 0 });
    await store.importBundle(one);
    expect(await store.listNamespaces()).toEqual(['default', 'one']);
  });
});

test('the checksums are those that docs/bundles.md describes', async () => {
  const path = folder.next();
  const file = `${folder.next()}.jsonl`;
  await withStore(async (store) => {
    await store.setMany(Array.from({ length: 5 }, (_, i) => ({ key: `k${i}`, value: { i, text: 'é😀' } })));
    await store.exportBundle(path, { partRows: 2 });
    await store.exportBundle(file);
  });
  const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'));
  expect(manifest).toMatchObject({ format: 'hyphadb-bundle', version: 1, createdAt: expect.any(Number) });
  expect(manifest.parts.map((part) => part.name)).toEqual(['part-000001.jsonl', 'part-000002.jsonl', 'part-000003.jsonl']);
  for (const part of manifest.parts) {
    const bytes = readFileSync(join(path, part.name));
    expect(part).toEqual({ name: part.name, lines: 2, bytes: bytes.length, crc32c: crc32c(bytes) });
  }
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const body = Buffer.from(lines.slice(0, -1).map((line) => `${line}\n`).join(''));
  expect(JSON.parse(lines.at(-1))).toMatchObject({ type: 'end', lines: lines.length - 1, bytes: body.length, crc32c: crc32c(body) });
  for (const line of [...lines, readFileSync(join(path, 'manifest.json'), 'utf8').trimEnd()]) {
    const at = line.lastIndexOf(',"crc":"');
    expect(JSON.parse(line).crc).toBe(crc32c(Buffer.from(line.slice(0, at))));
  }
});
