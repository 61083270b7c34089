import { copyFileSync, existsSync } from 'node:fs';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { fileFactory } from '../helpers/factories.js';
import { useFolder } from '../helpers/folders.js';
import { writeKernelFile } from '../helpers/kernel-file.js';
import { contractSuite } from './contract-suite.js';

const folder = useFolder();
let kernelFile;

beforeAll(() => {
  kernelFile = folder.path('kernel.db');
  writeKernelFile(kernelFile, {
    entries: [
      { namespace: 'kernel', key: 'user:1', value: '{"name":"Ann"}', metadata: '{"type":"user"}', at: 1_700_000_000_000 },
      { namespace: 'kernel', key: 'twice', value: '{"v":1,"v":2}' },
      { namespace: 'from an entry', key: 'null', value: 'null' },
    ],
    namespaces: [{ name: 'kernel', metadata: '{"made":"by the kernel"}' }],
  });
});

contractSuite('MyceliaStorageBackend over a migrated kernel file', fileFactory((path) => copyFileSync(kernelFile, path)));

describe('the rows of a migrated kernel file', () => {
  let backend;
  let dbPath;

  beforeEach(() => {
    dbPath = folder.next();
    copyFileSync(kernelFile, dbPath);
    backend = new MyceliaStorageBackend({ dbPath });
  });
  afterEach(() => backend.close());

  test('are read with their metadata', async () => {
    const result = await backend.get('user:1', { namespace: 'kernel', includeMetadata: true });
    expect(result).toEqual({ success: true, data: { name: 'Ann' }, metadata: { type: 'user' } });
    expect((await backend.listNamespaces()).namespaces).toEqual(['default', 'from an entry', 'kernel']);
    expect((await backend.createNamespace('kernel')).error.code).toBe('HYPHA_NAMESPACE_EXISTS');
    expect(await backend.get('null', { namespace: 'from an entry' })).toEqual({ success: true, data: null });
  });

  test('the last of duplicate JSON keys wins, in a get and in a filter', async () => {
    expect((await backend.get('twice', { namespace: 'kernel' })).data).toEqual({ v: 2 });
    const found = async (value) => (await backend.query({ field: 'v', operator: 'eq', value }, { namespace: 'kernel' })).results.length;
    expect([await found(1), await found(2)]).toEqual([0, 1]);
  });

  test('the file as it was is kept beside it', async () => {
    await backend.open();
    expect(existsSync(`${dbPath}.v1`)).toBe(true);
  });
});
