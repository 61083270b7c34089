import { open, openOrLoad } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { useFolder } from '../helpers/folders.js';

const folder = useFolder();

const DOCUMENTS = [
  '{"__proto__":{"polluted":true},"a":1}', '{"constructor":{"prototype":{"polluted":true}}}', '{"prototype":1,"__proto__":null}', '{"a":{"__proto__":{"polluted":1}},"list":[{"__proto__":1}]}',
  '{"__defineGetter__":1,"toString":"x","hasOwnProperty":0,"toJSON":"text","then":5,"valueOf":null}', '{"__proto__":"text"}', '[{"__proto__":[]}]', '{"length":9,"0":1}', '{"then":{"then":1}}',
];

/** Names that our own code reads from options, results, filters and documents. */
const NAMES = [
  'namespace', 'metadata', 'overwrite', 'ifVersion', 'durability', 'limit', 'offset', 'sort', 'pattern', 'transactionId', 'includeMetadata', 'recursive', 'timeout', 'field', 'operator', 'value',
  'path', 'order', 'code', 'success', 'toJSON', 'then', 'get', 'atomic',
];

describe('documents that name the prototype', () => {
  let store;
  beforeEach(async () => {
    store = await open({ mode: 'memory' });
  });
  afterEach(() => store.close());

  test.each(DOCUMENTS)('%s comes back as JSON.parse(JSON.stringify(x)) makes it, by every read', async (text) => {
    const value = JSON.parse(text);
    const metadata = Array.isArray(value) ? { value } : value;
    await store.set('k', value, { metadata });
    const again = JSON.stringify(JSON.parse(JSON.stringify(value)));
    const expected = [again, JSON.stringify(metadata)];
    const [entry] = await store.query([{ field: 'key', operator: 'eq', value: 'k' }]);
    const answers = [
      [await store.get('k'), await store.getMetadata('k')],
      [(await store.getEntry('k')).value, (await store.getEntry('k')).metadata],
      [(await store.getMany(['k'])).get('k'), await store.getMetadata('k')],
      [entry.value, entry.metadata],
    ];
    for (const answer of answers) {
      expect(answer.map((part) => JSON.stringify(part))).toEqual(expected);
      expect(Object.getPrototypeOf(answer[0])).toBe(Array.isArray(value) ? Array.prototype : Object.prototype);
    }
    await store.setMetadata('k', JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'));
    expect({}.polluted).toBe(undefined);
    expect(Object.prototype.polluted).toBe(undefined);
  });

  test('keys, namespaces and fields may be names of the prototype', async () => {
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      await store.set(name, name, { namespace: name });
      expect(await store.get(name, { namespace: name })).toBe(name);
      expect([...(await store.getMany([name], { namespace: name }))]).toEqual([[name, name]]);
      expect(await store.get(name)).toBe(undefined);
    }
  });

  test('options and filters with such names of their own are refused or mean only themselves', async () => {
    await store.set('k', { a: 1 });
    await expect(store.set('k', 2, JSON.parse('{"__proto__":{"overwrite":false}}'))).rejects.toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION' });
    await expect(store.query(JSON.parse('{"__proto__":{"field":"a"},"operator":"eq","value":1}'))).rejects.toMatchObject({ code: 'HYPHA_INVALID_FILTER' });
    await expect(store.query(Object.create({ field: 'a', operator: 'eq', value: 1 }))).rejects.toMatchObject({ code: 'HYPHA_INVALID_FILTER' });
  });
});

describe('a polluted Object.prototype', () => {
  afterEach(() => {
    for (const name of NAMES) delete Object.prototype[name];
  });

  /** Runs `work` while Object.prototype[name] is something harmful. */
  async function polluted(name, work) {
    Object.defineProperty(Object.prototype, name, { value: 'poison', configurable: true, writable: true, enumerable: true });
    try {
      return await work();
    } finally {
      delete Object.prototype[name];
    }
  }

  test.each(NAMES)('by "%s" changes nothing of what Store does', async (name) => {
    const store = await open({ mode: 'memory' });
    const seen = await polluted(name, async () => {
      const { version } = await store.set('k', { a: 1 }, {});
      await store.set('j', { a: 2 });
      const outcome = (await store.setMany([{ key: 'l', value: { a: 3 } }], {})).ok;
      const queried = await store.query([{ field: 'a', operator: 'gte', value: 2 }], {});
      const listed = await store.list({});
      const metadata = JSON.stringify(await store.getMetadata('k', {}));
      return [version > 0, outcome, queried.map(({ key }) => key).join(), listed.join(), metadata, await store.count({})];
    });
    expect(seen).toEqual([true, true, 'j,l', 'j,k,l', '{}', 3]);
    await store.close();
  });

  test('does not get into what is stored', async () => {
    const store = await open({ mode: 'memory' });
    await polluted('value', () => store.set('k', { a: 1 }, { metadata: { m: 1 } }));
    expect(JSON.stringify(await store.getEntry('k').then(({ value, metadata }) => [value, metadata]))).toBe('[{"a":1},{"m":1}]');
    await store.close();
  });

  test('does not get into openOrLoad() or an item of a buffer', async () => {
    const source = await open({ path: folder.next() });
    await source.set('k', 1);
    const bundle = `${folder.next()}.bundle`;
    await source.exportBundle(bundle);
    await source.close();
    const store = await polluted('signal', () => openOrLoad(folder.next(), bundle));
    const buffer = store.buffer();
    expect(await polluted('value', async () => { const gone = buffer.add({ type: 'delete', key: 'k' }); await buffer.flush(); return gone; })).toBe(true);
    await store.close();
  });

  test('does not bound the function of an update', async () => {
    const store = await open({ mode: 'memory' });
    const slow = () => new Promise((resolve) => setTimeout(resolve, 50, 'slow'));
    expect(await polluted('timeout', () => store.update('k', slow))).toMatchObject({ value: 'slow' });
    await store.close();
  });

  test('by "code" does not turn results into errors', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:' });
    await backend.open();
    const results = await polluted('code', async () => [await backend.set('k', 1), await backend.get('k'), await backend.list()]);
    expect(results.map(({ success }) => success)).toEqual([true, true, true]);
    await backend.close();
  });
});
