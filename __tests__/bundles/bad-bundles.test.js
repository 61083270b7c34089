import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open, verifyBundle, StorageError } from '../../lib/index.js';
import { entryLine, entryLines, HEADER, writeBundle } from '../helpers/bundle-text.js';
import { useFolder } from '../helpers/folders.js';
import { LockProbe } from '../helpers/lock-probe.js';

const failure = (promise) => promise.then(() => undefined, (error) => error);

describe('importing a bundle that is wrong', () => {
  const folder = useFolder();
  let store;
  beforeEach(async () => {
    store = await open({ mode: 'memory' });
    await store.set('mine', 1);
  });
  afterEach(() => store.close());

  /** The import fails with that code, and neither the store nor the bundle is changed. */
  async function refused(path, code, where = {}) {
    const content = existsSync(path) && statSync(path).isFile() ? readFileSync(path) : undefined;
    const error = await failure(store.importBundle(path));
    expect(error).toBeInstanceOf(StorageError);
    expect({ code: error.code, ...(where.line === undefined ? {} : { line: error.line }), ...(where.part === undefined ? {} : { part: error.part }) }).toEqual({ code, ...where });
    if (where.line !== undefined) expect(error.message).toContain(`line ${where.line}`);
    expect(await store.list()).toEqual(['mine']);
    expect(await store.listNamespaces()).toEqual(['default']);
    if (content !== undefined) expect(readFileSync(path).equals(content)).toBe(true);
    await store.set('mine', 1); // the writer is free again
    return error;
  }
  const next = () => `${folder.next()}.jsonl`;

  test('an error in line 900 of 1,000 is named, and nothing is imported', async () => {
    const lines = entryLines(998);
    const broken = {
      'no JSON': '{"type":"entry"', 'no object': '[1]', 'no type': '{"key":"k"}', 'no such type': '{"type":"row"}',
      'no value': '{"type":"entry","namespace":"n","key":"k"}', 'no key': '{"type":"entry","namespace":"n","value":1}',
      'a blank key': entryLine(' ', '1'), 'a lone surrogate in the key': '{"type":"entry","namespace":"n","key":"\\ud800","value":1}',
      'a member misspelt': entryLine('k', '1', ',"metdata":{}'), 'a member twice': entryLine('k', '1', ',"value":2'),
      'metadata of an array': entryLine('k', '1', ',"metadata":[]'), 'a time of text': entryLine('k', '1', ',"createdAt":"now"'),
      'version 0': entryLine('k', '1', ',"version":0'), 'a version past 2^52': entryLine('k', '1', ',"version":4503599627370497'),
      'a time with a fraction': entryLine('k', '1', ',"updatedAt":1.5'), 'a value in two forms': entryLine('k', '1', ',"valueText":"1"'),
      'a checksum that is not its own': entryLine('k', '1', ',"crc":"00000000"'), 'a checksum that is none': entryLine('k', '1', ',"crc":"0000000g"'),
      'a header': HEADER,
    };
    for (const [, line] of Object.entries(broken)) {
      await refused(writeBundle(next(), lines.with(898, line)), 'HYPHA_BUNDLE_INVALID', { line: 900 });
    }
  });

  test('an error that only the store can find is named as well, at its line', async () => {
    const lines = entryLines(998);
    await refused(writeBundle(next(), lines.with(898, entryLine('k'.repeat(4097), '1'))), 'HYPHA_TOO_LARGE', { line: 900 });
    await refused(writeBundle(next(), lines.with(898, entryLine('mine', '1'))), 'HYPHA_EXISTS', { line: 900 });
    await refused(writeBundle(next(), lines.with(898, lines[0])), 'HYPHA_EXISTS', { line: 900 });
    const unique = '{"type":"index","namespace":"default","fields":[{"field":"same"}],"unique":true}';
    const twins = [entryLine('a', '{"same":1}'), entryLine('b', '{"same":1}')];
    await refused(writeBundle(next(), [...lines.slice(0, 896), ...twins, unique]), 'HYPHA_CONSTRAINT', { line: 900 });
    await refused(writeBundle(next(), lines.with(898, '{"type":"index","namespace":"default","fields":[]}')), 'HYPHA_BUNDLE_INVALID', { line: 900 });
  });

  test('sizes are refused at limit + 1, and taken at limit - 1 and limit', async () => {
    const small = await open({ mode: 'memory', limits: { keyBytes: 8, namespaceBytes: 8, valueBytes: 8, metadataBytes: 16 } });
    const tries = {
      keyBytes: (more) => entryLine('k'.repeat(8 + more), '1'),
      namespaceBytes: (more) => `{"type":"entry","namespace":"${'n'.repeat(8 + more)}","key":"k","value":1}`,
      valueBytes: (more) => entryLine('k', '1'.repeat(8 + more)),
      metadataBytes: (more) => entryLine('k', '1', `,"metadata":{"m":"${'x'.repeat(8 + more)}"}`),
    };
    for (const [name, line] of Object.entries(tries)) {
      for (const more of [-1, 0, 1]) {
        const error = await failure(small.importBundle(writeBundle(next(), [line(more)]), { dryRun: true }));
        expect([name, more, error?.code, error?.line]).toEqual(more === 1 ? [name, more, 'HYPHA_TOO_LARGE', 2] : [name, more, undefined, undefined]);
        if (more === 1) expect(error.message).toContain(name);
      }
    }
    await small.close();
  });

  test('invalid UTF-8 in line 900 is named', async () => {
    for (const bytes of [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]]) {
      const line = Buffer.concat([Buffer.from('{"type":"entry","namespace":"default","key":"k","value":"'), Buffer.from(bytes), Buffer.from('"}')]);
      await refused(writeBundle(next(), entryLines(998).with(898, line)), 'HYPHA_BUNDLE_INVALID', { line: 900 });
    }
  });

  test('a byte order mark at the start, line ends of Windows, blank lines and a missing last line end are taken', async () => {
    const lines = entryLines(3);
    const forms = [
      writeBundle(next(), lines, { start: '\ufeff' }),
      writeBundle(next(), lines, { newline: '\r\n' }),
      writeBundle(next(), lines, { start: '\ufeff', newline: '\r\n' }),
      writeBundle(next(), [lines[0], '', lines[1], ' \t\r', lines[2], '']),
      next(),
    ];
    writeFileSync(forms[4], [HEADER, ...lines, '{"type":"end"}'].join('\n'));
    for (const path of forms) {
      const other = await open({ mode: 'memory' });
      expect(await other.importBundle(path)).toMatchObject({ inserted: 3 });
      expect(await other.getMany(['key-00000', 'key-00002'])).toEqual(new Map([['key-00000', { n: 0 }], ['key-00002', { n: 2 }]]));
      await other.close();
    }
    // Blank lines count for where an error is.
    await refused(writeBundle(next(), ['', '', 'x']), 'HYPHA_BUNDLE_INVALID', { line: 4 });
    await refused(writeBundle(next(), [lines[0], `\ufeff${lines[1]}`]), 'HYPHA_BUNDLE_INVALID', { line: 3 });
  });

  test('a line of 5 MB is taken, and a value past limits.valueBytes named', async () => {
    const large = JSON.stringify('x'.repeat(5_000_000));
    const path = writeBundle(next(), [...entryLines(3), entryLine('large', large)]);
    expect(await store.importBundle(path)).toMatchObject({ inserted: 4 });
    expect((await store.get('large')).length).toBe(5_000_000);
    await store.deleteMany(['large', 'key-00000', 'key-00001', 'key-00002']);
    const tooLarge = JSON.stringify('x'.repeat(17 * 2 ** 20));
    await refused(writeBundle(next(), [...entryLines(3), entryLine('large', tooLarge)]), 'HYPHA_TOO_LARGE', { line: 5 });
  });

  test('U+2028 and U+2029 are text, not line ends; a lone surrogate in a value stays an escape', async () => {
    const path = writeBundle(next(), [entryLine('k\u2028', '"a\u2028b\u2029"'), entryLine('s', '"\\ud800"')]);
    await store.importBundle(path);
    expect([await store.get('k\u2028'), await store.get('s')]).toEqual(['a\u2028b\u2029', '\ud800']);
    await store.deleteMany(['k\u2028', 's']);
  });

  test('a file that is cut off anywhere is refused', async () => {
    await store.exportBundle(join(folder.path('.'), 'whole.jsonl'));
    const whole = readFileSync(join(folder.path('.'), 'whole.jsonl'));
    await store.delete('mine');
    const path = next();
    for (let size = 0; size < whole.length - 1; size += 7) {
      writeFileSync(path, whole.subarray(0, size));
      expect([size, (await failure(store.importBundle(path)))?.code]).toEqual([size, 'HYPHA_BUNDLE_INVALID']);
    }
    writeFileSync(path, whole.subarray(0, whole.length - 1)); // without its last line end
    await store.importBundle(path);
    expect(await store.list()).toEqual(['mine']);
  });

  test('what is behind the end, and an empty file, are refused', async () => {
    const path = writeBundle(next(), entryLines(2));
    writeFileSync(path, `${readFileSync(path, 'utf8')}${entryLine('k', '1')}\n`);
    await refused(path, 'HYPHA_BUNDLE_INVALID', { line: 5 });
    const empty = next();
    writeFileSync(empty, '');
    await refused(empty, 'HYPHA_BUNDLE_INVALID');
    await refused(writeBundle(next(), [], { header: entryLine('k', '1') }), 'HYPHA_BUNDLE_INVALID', { line: 1 });
    await refused(writeBundle(next(), entryLines(2), { end: null }), 'HYPHA_BUNDLE_INVALID');
    await refused(writeBundle(next(), entryLines(2), { end: '{"type":"end","lines":2}' }), 'HYPHA_BUNDLE_INVALID', { line: 4 });
    await refused(writeBundle(next(), entryLines(2), { end: '{"type":"end","crc32c":"00000000"}' }), 'HYPHA_BUNDLE_INVALID', { line: 4 });
    await refused(writeBundle(next(), entryLines(2), { end: '{"type":"end","bytes":99999}' }), 'HYPHA_BUNDLE_INVALID', { line: 4 });
    await refused(writeBundle(next(), entryLines(2), { end: '{"type":"end","bytes":"foo"}' }), 'HYPHA_BUNDLE_INVALID', { line: 4 });
  });

  test('a newer format is told as that, whatever else it holds', async () => {
    const newer = '{"type":"bundle","format":"hyphadb-bundle","version":2,"new":{},"crc":"00000000"}';
    await refused(writeBundle(next(), ['?'], { header: newer }), 'HYPHA_SCHEMA_TOO_NEW');
    await refused(writeBundle(next(), [], { header: HEADER.replace('"hyphadb-bundle"', '"other"') }), 'HYPHA_BUNDLE_INVALID');
    for (const version of ['0', '-1', '1.5', '"1"', '1e0']) {
      await refused(writeBundle(next(), [], { header: HEADER.replace(':1}', `:${version}}`) }), 'HYPHA_BUNDLE_INVALID');
    }
  });

  test('what is no file to read is refused: absent, a FIFO, a directory without a manifest', async () => {
    await refused(join(folder.path('.'), 'absent'), 'HYPHA_CANT_OPEN');
    const fifo = join(folder.path('.'), 'fifo');
    execFileSync('mkfifo', [fifo]);
    await refused(fifo, 'HYPHA_CANT_OPEN');
    await refused(folder.path('.'), 'HYPHA_CANT_OPEN');
    await refused('/dev/zero', 'HYPHA_CANT_OPEN');
    await refused('', 'HYPHA_INVALID_ARGUMENT');
    await refused('a\0b', 'HYPHA_INVALID_ARGUMENT');
  });
});

describe('a directory that is wrong', () => {
  const folder = useFolder();
  let path;
  let store;
  beforeEach(async () => {
    store = await open({ mode: 'memory' });
    await store.setMany(Array.from({ length: 25 }, (_, i) => ({ key: `k${i}`, value: { i, text: 'some text' } })));
    path = folder.next();
    await store.exportBundle(path, { partRows: 10 });
    await store.clear();
  });
  afterEach(() => store.close());

  const refused = async (code, part) => {
    const error = await failure(store.importBundle(path));
    expect({ code: error?.code, part: error?.part }).toEqual({ code, part });
    expect(await store.count()).toBe(0);
    return error;
  };
  const file = (name) => join(path, name);

  test('has no part that the manifest names', async () => {
    rmSync(file('part-000002.jsonl'));
    await refused('HYPHA_CANT_OPEN', 'part-000002.jsonl');
  });

  test('has a part that lost its last line, or got one more, or whose lines changed places', async () => {
    const name = 'part-000002.jsonl';
    const lines = readFileSync(file(name), 'utf8').trimEnd().split('\n');
    for (const changed of [lines.slice(0, -1), [...lines, lines[0]], [lines[1], lines[0], ...lines.slice(2)], []]) {
      writeFileSync(file(name), changed.map((line) => `${line}\n`).join(''));
      await refused('HYPHA_BUNDLE_INVALID', name);
    }
  });

  test('has a manifest that is damaged, or of a newer format', async () => {
    const text = readFileSync(file('manifest.json'), 'utf8');
    const forms = [
      ['', 'HYPHA_BUNDLE_INVALID'], ['{}', 'HYPHA_BUNDLE_INVALID'], [text.slice(0, -20), 'HYPHA_BUNDLE_INVALID'],
      [text.replace('part-000001', '../etc/pass'), 'HYPHA_BUNDLE_INVALID'], [text.replace(/,"crc":"[0-9a-f]*"/, ''), 'HYPHA_BUNDLE_INVALID'],
      [text.replace('"version":1', '"version":2'), 'HYPHA_SCHEMA_TOO_NEW'], [`${text}${text}`, 'HYPHA_BUNDLE_INVALID'],
    ];
    for (const [changed, code] of forms) {
      writeFileSync(file('manifest.json'), changed);
      await refused(code, 'manifest.json');
    }
  });

  test('any byte that is another one is found, and its line named', async () => {
    const seed = Date.now() % 1_000_000;
    console.log(`flipped bytes: seed ${seed}`);
    let state = seed;
    const random = (below) => ((state = (state * 1_103_515_245 + 12_345) % 2 ** 31) >> 8) % below;
    for (let round = 0; round < 150; round++) {
      const name = `part-00000${1 + random(3)}.jsonl`;
      const whole = readFileSync(file(name));
      const at = random(whole.length);
      const flipped = Buffer.from(whole);
      flipped[at] ^= 1 << random(8);
      writeFileSync(file(name), flipped);
      const { ok, problems } = await verifyBundle(path);
      const line = whole.subarray(0, at).filter((byte) => byte === 10).length + 1;
      expect([round, at, ok, problems[0].part, problems[0].line]).toEqual([round, at, false, name, line]);
      expect((await failure(store.importBundle(path)))?.line).toBe(line);
      writeFileSync(file(name), whole);
    }
    expect(await verifyBundle(path)).toMatchObject({ ok: true, problems: [], entries: 25, parts: 3, lines: 26 });
    await store.importBundle(path);
    expect(await store.count()).toBe(25);
  });

  test('verifyBundle() goes on behind a problem, and tells at most 100', async () => {
    const name = 'part-000001.jsonl';
    const lines = readFileSync(file(name), 'utf8').trimEnd().split('\n');
    writeFileSync(file(name), lines.map((line, i) => (i === 3 || i === 7 ? 'x' : line)).join('\n'));
    const { problems } = await verifyBundle(path);
    expect(problems.map(({ part, line }) => [part, line])).toEqual([[name, 4], [name, 8], [name, undefined]]);
    writeFileSync(file(name), 'x\n'.repeat(200));
    expect((await verifyBundle(path)).problems).toHaveLength(100);
    expect((await failure(verifyBundle(folder.path('absent')))).code).toBe('HYPHA_CANT_OPEN');
  });
});

describe('a bundle and a database', () => {
  const folder = useFolder();

  test('an open database, its log, and links to it are neither read nor replaced, and keep their locks', async () => {
    const path = folder.next();
    const store = await open({ path, durability: 'normal' });
    await store.set('k', 1);
    const link = folder.next();
    symlinkSync(path, link);
    const hard = folder.path('bundle');
    mkdirSync(hard);
    linkSync(`${path}-shm`, join(hard, 'manifest.json'));
    for (const name of [path, `${path}-wal`, `${path}-shm`, link, hard]) {
      expect([name, (await failure(store.importBundle(name)))?.code]).toEqual([name, 'HYPHA_BUNDLE_INVALID']);
      expect([name, (await failure(verifyBundle(name)))?.code]).toEqual([name, 'HYPHA_BUNDLE_INVALID']);
    }
    for (const name of [path, `${path}-wal`, `${path}-shm`, link]) {
      const code = /-(wal|shm)$/.test(name) ? 'HYPHA_CANT_OPEN' : 'HYPHA_EXISTS';
      for (const overwrite of [false, true]) {
        expect([name, (await failure(store.exportBundle(name, { overwrite, form: 'file' })))?.code]).toEqual([name, code]);
      }
    }
    expect(readdirSync(folder.path('.')).filter((name) => name.includes('.tmp-'))).toEqual([]);
    const probe = new LockProbe();
    expect(await probe.look(path)).toEqual({ database: process.pid, log: process.pid });
    await probe.end();
    await store.close();
  });
});
