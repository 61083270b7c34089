import { open } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { toOpenOptions } from '../../lib/mycelia/config.js';
import { LIMIT_OPTIONS, OPEN_OPTIONS, WAL_OPTIONS, readOpenOptions } from '../../lib/options.js';

const MiB = 1024 * 1024;
const DAY = 86_400_000;
const NOT_A_NUMBER = [1.5, NaN, Infinity, '5', true, null, 5n, {}, []];

/** Least and most of every option that is an integer. */
const BOUNDS = { readers: [1, 64], busyTimeout: [0, 600_000], statementCacheSize: [0, 10_000], minFreeBytes: [0, Number.MAX_SAFE_INTEGER] };
const TiB = MiB * MiB;
const WAL_BOUNDS = {
  idleBytes: [1, TiB, 4 * MiB], busyBytes: [1, TiB, 16 * MiB], restartBytes: [1, TiB, 64 * MiB], expireBytes: [1, TiB, 256 * MiB], limitBytes: [1, TiB, 1024 * MiB],
  warnBytes: [1, TiB, 50 * MiB], readerGap: [0, 10_000, 50], checkpointInterval: [1, DAY, 300_000], syncInterval: [1, DAY, 1000], journalSizeLimit: [0, TiB, 64 * MiB],
  walAutocheckpoint: [0, 1_000_000_000, 0], cacheSizeKiB: [16, 4 * MiB, 8192], mmapSize: [0, TiB, 0],
};
const WAL_CHOICES = { synchronous: ['FULL', 'NORMAL', 'PERIODIC', 'OFF'], journalMode: ['WAL'], tempStore: ['memory'] };
const LIMIT_BOUNDS = {
  keyBytes: [1, 65_536, 4096], namespaceBytes: [1, 4096, 512], valueBytes: [1, 64 * MiB, 16 * MiB], metadataBytes: [1, 64 * MiB, MiB], batchEntries: [1, 10_000_000, 100_000],
  batchBytes: [1, 1024 * MiB, 256 * MiB], queueOperations: [1, 100_000_000, 1_000_000], queueBytes: [1, 4096 * MiB, 256 * MiB], resultBytes: [1, 1024 * MiB, 256 * MiB],
  filterNodes: [1, 100_000, 1000], filterDepth: [1, 64, 32], inList: [1, 1_000_000, 10_000], patternBytes: [1, 65_536, 256], queryTimeout: [1, DAY, 10_000],
  transactionTimeout: [1, DAY, 30_000], snapshotAge: [1, DAY, 5000], maxSnapshots: [1, 1000, 16],
};
const CHOICES = { mode: ['file', 'memory'], durability: ['full', 'normal', 'periodic', 'off'] };
const BOOLEANS = ['readOnly', 'create', 'migrate', 'keepOld', 'checksums'];

const read = (options) => readOpenOptions({ path: options.mode === 'memory' ? ':memory:' : 'x.db', ...options });
const refusal = (options) => {
  try {
    read(options);
  } catch (error) {
    return error;
  }
  throw new Error(`not refused: ${Object.keys(options)}`);
};

describe('options of open()', () => {
  test('every option and limit of the tables is tested here', () => {
    const tested = [...Object.keys(BOUNDS), ...Object.keys(CHOICES), ...BOOLEANS, 'path', 'limits', 'wal'];
    expect(Object.keys(OPEN_OPTIONS).sort()).toEqual(tested.sort());
    expect(Object.keys(LIMIT_OPTIONS).sort()).toEqual(Object.keys(LIMIT_BOUNDS).sort());
    expect(Object.keys(WAL_OPTIONS).sort()).toEqual([...Object.keys(WAL_BOUNDS), ...Object.keys(WAL_CHOICES), 'busyTimeout'].sort());
  });

  test.each(Object.entries(BOUNDS))('%s is an integer within its bounds', (name, [least, most]) => {
    for (const value of [least, least + 1, most]) expect(read({ [name]: value })[name]).toBe(value);
    for (const value of [least - 1, most + 1, ...NOT_A_NUMBER]) {
      expect(refusal({ [name]: value })).toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT', message: `options.${name} must be an integer from ${least} to ${most}` });
    }
  });

  test.each(Object.entries(LIMIT_BOUNDS))('limits.%s is an integer within its bounds and has its default', (name, [least, most, byDefault]) => {
    expect(read({}).limits[name]).toBe(byDefault);
    for (const value of [least, most]) expect(read({ limits: { [name]: value } }).limits[name]).toBe(value);
    for (const value of [least - 1, most + 1, ...NOT_A_NUMBER]) {
      expect(refusal({ limits: { [name]: value } })).toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT', message: `options.limits.${name} must be an integer from ${least} to ${most}` });
    }
  });

  test.each(Object.entries(WAL_BOUNDS))('wal.%s is an integer within its bounds and has its default', (name, [least, most, byDefault]) => {
    expect(read({}).wal[name]).toBe(byDefault);
    for (const value of [least, most]) expect(read({ wal: { [name]: value } }).wal[name]).toBe(value);
    for (const value of [least - 1, most + 1, ...NOT_A_NUMBER]) {
      expect(refusal({ wal: { [name]: value } })).toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT', message: `options.wal.${name} must be an integer from ${least} to ${most}` });
    }
  });

  test.each(Object.entries(WAL_CHOICES))('wal.%s is one of its names', (name, values) => {
    for (const value of values) expect(read({ wal: { [name]: value } }).wal[name]).toBe(value);
    for (const value of ['', 'SOMETIMES', 1, true, null]) expect(refusal({ wal: { [name]: value } })).toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
  });

  test('wal.synchronous and wal.busyTimeout stand for those of open(), which win', () => {
    const levels = { FULL: 'full', NORMAL: 'normal', PERIODIC: 'periodic', OFF: 'off' };
    for (const [synchronous, durability] of Object.entries(levels)) expect(read({ wal: { synchronous } }).durability).toBe(durability);
    expect(read({ wal: { synchronous: 'OFF' }, durability: 'full' }).durability).toBe('full');
    expect(read({ wal: { synchronous: 'OFF' }, durability: undefined }).durability).toBe('off');
    expect(read({ wal: { busyTimeout: 7 } }).busyTimeout).toBe(7);
    expect(read({ wal: { busyTimeout: 7 }, busyTimeout: 8 }).busyTimeout).toBe(8);
    expect(read({}).durability).toBe('full');
  });

  test('an unknown option of wal is refused with the nearest one that exists', () => {
    expect(refusal({ wal: { limitByte: 5 } })).toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION', message: expect.stringContaining('"limitBytes"') });
    expect(refusal({ wal: 5 })).toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
  });

  test.each(Object.entries(CHOICES))('%s is one of its names', (name, values) => {
    for (const value of values) expect(read({ [name]: value })[name]).toBe(value);
    for (const value of ['', 'FULL', 'other', 1, true, null, {}]) {
      const error = refusal({ [name]: value });
      expect(error.code).toBe('HYPHA_INVALID_ARGUMENT');
      for (const each of values) expect(error.message).toContain(`'${each}'`);
    }
  });

  test.each(BOOLEANS)('%s is a boolean', (name) => {
    for (const value of [true, false]) expect(read({ [name]: value })[name]).toBe(value);
    for (const value of [0, 1, 'true', null, {}]) expect(refusal({ [name]: value })).toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
  });

  test('the defaults are those of the documentation', () => {
    expect(read({})).toMatchObject({
      mode: 'file', readOnly: false, create: true, migrate: true, keepOld: true, readers: 2, durability: 'full', busyTimeout: 5000, statementCacheSize: 100, checksums: true,
    });
  });

  test('undefined counts as not given', () => {
    const given = Object.fromEntries(Object.keys(OPEN_OPTIONS).map((name) => [name, undefined]));
    expect(read({ ...given, path: 'x.db' })).toEqual(read({}));
  });

  test('a path is a non-empty string without NUL; :memory: is memory mode, which needs none', () => {
    for (const path of ['', 5, null, {}, Buffer.from('x'), new URL('file:///x'), 'a\0b']) {
      expect(() => readOpenOptions({ path })).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_ARGUMENT' }));
    }
    expect(() => readOpenOptions({})).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_ARGUMENT' }));
    expect(readOpenOptions({ path: ':memory:' }).mode).toBe('memory');
    expect(readOpenOptions({ mode: 'memory' }).mode).toBe('memory');
  });

  test.each([[undefined], [null], [5], ['x.db'], [true]])('open(%p) is refused', async (options) => {
    await expect(open(options)).rejects.toMatchObject({ name: 'StorageError', code: 'HYPHA_INVALID_ARGUMENT' });
  });

  test('limits is an object', () => {
    for (const limits of [5, 'x', null, true]) expect(refusal({ limits })).toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
  });

  test('an option that does not exist is refused and names the nearest', () => {
    const nearest = {
      readonly: 'readOnly', Path: 'path', pat: 'path', timeout: 'busyTimeout', busytimeout: 'busyTimeout', reader: 'readers', statementCache: 'statementCacheSize', limit: 'limits',
      durable: 'durability', migrations: 'migrate', keepold: 'keepOld', MODE: 'mode',
    };
    for (const [name, meant] of Object.entries(nearest)) {
      expect(refusal({ [name]: 1 })).toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION', message: expect.stringContaining(`options.${name} is not an option`) });
      expect(refusal({ [name]: 1 }).message).toContain(`"${meant}"`);
    }
    expect(refusal({ limits: { keysBytes: 1 } }).message).toBe('options.limits.keysBytes is not an option; did you mean "keyBytes"?');
    for (const name of ['__proto__x', 'constructor', 'toString', '']) expect(refusal({ [name]: 1 }).code).toBe('HYPHA_UNKNOWN_OPTION');
    expect(refusal(JSON.parse('{"__proto__":1}')).code).toBe('HYPHA_UNKNOWN_OPTION');
  });
});

/** A call of each method with the options given, and an option that it has. */
const CALLS = {
  get: [(s, o) => s.get('k', o), 'namespace'],
  getEntry: [(s, o) => s.getEntry('k', o), 'namespace'],
  has: [(s, o) => s.has('k', o), 'namespace'],
  getMetadata: [(s, o) => s.getMetadata('k', o), 'namespace'],
  getMany: [(s, o) => s.getMany([], o), 'namespace'],
  set: [(s, o) => s.set('k', 1, o), 'overwrite'],
  delete: [(s, o) => s.delete('k', o), 'ifVersion'],
  setMany: [(s, o) => s.setMany([], o), 'atomic'],
  deleteMany: [(s, o) => s.deleteMany([], o), 'atomic'],
  setMetadata: [(s, o) => s.setMetadata('k', {}, o), 'merge'],
  list: [(s, o) => s.list(o), 'pattern'],
  query: [(s, o) => s.query([], o), 'offset'],
  count: [(s, o) => s.count(o), 'filter'],
  createNamespace: [(s, o) => s.createNamespace('n', o), 'metadata'],
  deleteNamespace: [(s, o) => s.deleteNamespace('n', o), 'recursive'],
  clear: [(s, o) => s.clear(o), 'namespace'],
  transaction: [(s, o) => s.transaction(() => {}, o), 'timeout'],
  beginTransaction: [(s, o) => s.beginTransaction(o), 'timeout'],
  copyFrom: [(s, o) => s.copyFrom({ listNamespaces() {} }, o), 'namespaces'],
};

describe('options of the methods of Store', () => {
  let store;
  beforeAll(async () => {
    store = await open({ mode: 'memory' });
  });
  afterAll(() => store.close());

  test.each(Object.entries(CALLS))('%s() refuses an option that does not exist and names the nearest', async (_, [call, known]) => {
    const misspelt = `${known.slice(0, -1)}X`;
    await expect(call(store, { [misspelt]: 1 })).rejects.toMatchObject({
      code: 'HYPHA_UNKNOWN_OPTION',
      message: `options.${misspelt} is not an option; did you mean "${known}"?`,
    });
    await expect(call(store, { constructor: 1 })).rejects.toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION' });
    for (const options of [5, 'text', true]) await expect(call(store, options)).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    expect(await store.count()).toBe(0);
  });

  test('options of a wrong type are refused, and nothing is done', async () => {
    const bad = {
      overwrite: [0, 'true', null], ifVersion: [0, -1, 1.5, '1'], durability: ['FULL', 1], namespace: [5, null, {}], metadata: [5, []], atomic: [1], merge: ['x'],
    };
    for (const [name, values] of Object.entries(bad)) {
      for (const value of values) {
        const call = name === 'atomic' ? store.setMany([{ key: 'k', value: 1 }], { [name]: value }) : name === 'merge' ? store.setMetadata('k', {}, { [name]: value }) : store.set('k', 1, { [name]: value });
        await expect(call).rejects.toMatchObject({ code: expect.stringMatching(/^HYPHA_INVALID_(ARGUMENT|NAMESPACE|VALUE)$/) });
      }
    }
    expect(await store.count()).toBe(0);
  });

  test('an entry of setMany() has options of its own, and strict ones', async () => {
    const { outcomes } = await store.setMany([{ key: 'k', value: 1, overwrit: false }, { key: 'k', value: 1, overwrite: 'no' }, { key: 'k', value: 1, durability: 'off' }]);
    expect(outcomes.map(({ error }) => error.code)).toEqual(['HYPHA_UNKNOWN_OPTION', 'HYPHA_INVALID_ARGUMENT', 'HYPHA_UNKNOWN_OPTION']);
    expect(outcomes[0].error.message).toContain('entries[0].overwrit');
  });
});

describe('the configuration of MyceliaStorageBackend', () => {
  test('has the defaults of the contract', () => {
    expect(toOpenOptions({})).toEqual({ path: './data/storage.db', migrate: true, readOnly: false, durability: 'normal', busyTimeout: 5000, statementCacheSize: 100 });
  });

  test('is read from its own place and from options, its own place first', () => {
    const config = { dbPath: 'own.db', options: { dbPath: 'nested.db', synchronous: 'FULL', prepareCacheSize: 7 } };
    expect(toOpenOptions(config)).toMatchObject({ path: 'own.db', durability: 'full', statementCacheSize: 7 });
  });

  test('takes OFF, NORMAL and FULL in any case, and nothing else', () => {
    for (const synchronous of ['OFF', 'NORMAL', 'FULL', 'off', 'Normal']) expect(toOpenOptions({ synchronous }).durability).toBe(synchronous.toLowerCase());
    for (const synchronous of ['EXTRA', '', 1, {}]) expect(() => toOpenOptions({ synchronous })).toThrow(expect.objectContaining({ code: 'HYPHA_INVALID_ARGUMENT' }));
  });

  test('ignores keys that it does not know, also in the options of calls', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:', namespace: 'auth', unknown: 1, options: { other: 2 } });
    expect(await backend.set('k', 1, { whatever: true })).toEqual({ success: true });
    expect(await backend.get('k', { whatever: true })).toEqual({ success: true, data: 1 });
    expect(await backend.list({ whatever: true })).toEqual({ success: true, keys: ['k'] });
    await backend.close();
  });

  test('refuses walMode:false with its reason, at the first call and without a rejection', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:', walMode: false });
    expect(await backend.get('k')).toMatchObject({ success: false, error: { code: 'HYPHA_WAL_UNAVAILABLE', message: expect.stringContaining('walMode') } });
    await backend.close();
  });

  test('takes values and metadata at the call even while the database is being opened', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:' });
    const value = { n: 1 };
    const metadata = { m: 1 };
    const entries = [{ key: 'b', value: { n: 1 }, options: { metadata: { m: 1 } } }];
    const keys = ['a'];
    const calls = [backend.set('a', value, { metadata }), backend.setMany(entries), backend.setMetadata('a', metadata), backend.deleteMany(keys), backend.set('a', value, { metadata })];
    value.n = metadata.m = 2;
    entries[0].value.n = entries[0].options.metadata.m = 2;
    entries.push({ key: 'c', value: 1 });
    keys[0] = 'b';
    for (const call of calls) expect((await call).success).toBe(true);
    for (const key of ['a', 'b']) expect(await backend.get(key, { includeMetadata: true })).toEqual({ success: true, data: { n: 1 }, metadata: { m: 1 } });
    expect(await backend.has('c')).toEqual({ success: true, exists: false });
    await backend.close();
  });

  test('calls before the database is open take effect in order', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:' });
    const calls = [backend.set('k', 1), backend.delete('k'), backend.set('j', 1), backend.has('k'), backend.setMany([{ key: 'k', value: 2 }]), backend.delete('j'), backend.list()];
    const results = await Promise.all(calls);
    expect(results.every(({ success }) => success)).toBe(true);
    expect(results.at(-1).keys).toEqual(['k']);
    await backend.close();
  });

  test('a backend that could not be opened may be opened by a later call', async () => {
    const config = { dbPath: ':memory:', walMode: false };
    const backend = new MyceliaStorageBackend(config);
    await expect(backend.open()).rejects.toMatchObject({ code: 'HYPHA_WAL_UNAVAILABLE' });
    config.walMode = true;
    expect(await backend.set('k', 1)).toEqual({ success: true });
    await backend.close();
  });

  test('close() before anything was called opens nothing', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: '/proc/never/x.db' });
    expect(await backend.close()).toEqual({ success: true });
    expect(await backend.get('k')).toMatchObject({ success: false, error: { code: 'HYPHA_CLOSED' } });
  });
});
