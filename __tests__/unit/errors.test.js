import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { ERROR_CODES, StorageError, migrate, open } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { damage, holdWriteLock, runSql } from '../helpers/foreign-sqlite.js';
import { useFolder } from '../helpers/folders.js';
import { writeKernelFile } from '../helpers/kernel-file.js';

const ROOT = new URL('../../', import.meta.url);
const text = (path) => readFileSync(new URL(path, ROOT), 'utf8');
const folder = useFolder();

/** Runs `work` on a store of its own. */
const onStore = (work, options = { mode: 'memory' }) => async () => {
  const store = await open(options);
  try {
    await work(store);
  } finally {
    await store.close();
  }
};

/** A closed file with one entry. */
async function storeFile() {
  const path = folder.next();
  await onStore((store) => store.set('k', 'x'.repeat(50_000)), { path })();
  return path;
}

const opened = async (path, options) => (await open({ path, ...options })).close();

/** What makes each code come out of the JavaScript interface. */
const PROVOKED = {
  HYPHA_INVALID_ARGUMENT: onStore((s) => s.list({ limit: -1 })),
  HYPHA_UNKNOWN_OPTION: onStore((s) => s.list({ limits: 1 })),
  HYPHA_INVALID_KEY: onStore((s) => s.get('')),
  HYPHA_INVALID_VALUE: onStore((s) => s.set('k', undefined)),
  HYPHA_INVALID_NAMESPACE: onStore((s) => s.createNamespace('')),
  HYPHA_INVALID_FILTER: onStore((s) => s.query(5)),
  HYPHA_TOO_LARGE: onStore((s) => s.set('k'.repeat(5000), 1)),
  HYPHA_NOT_FOUND: onStore((s) => s.setMetadata('k', {})),
  HYPHA_EXISTS: onStore(async (s) => { await s.set('k', 1); await s.set('k', 2, { overwrite: false }); }),
  HYPHA_NAMESPACE_NOT_FOUND: onStore((s) => s.deleteNamespace('n')),
  HYPHA_NAMESPACE_EXISTS: onStore(async (s) => { await s.createNamespace('n'); await s.createNamespace('n'); }),
  HYPHA_NAMESPACE_NOT_EMPTY: onStore(async (s) => { await s.set('k', 1, { namespace: 'n' }); await s.deleteNamespace('n'); }),
  HYPHA_NAMESPACE_RESERVED: onStore((s) => s.deleteNamespace('default')),
  HYPHA_CONFLICT: onStore((s) => s.set('k', 1, { ifVersion: 5 })),
  HYPHA_CONSTRAINT: onStore(async (s) => {
    await s.createIndex('default', 'email', { unique: true });
    await s.set('a', { email: 'x' });
    await s.set('b', { email: 'x' });
  }),
  HYPHA_ABORTED: onStore((s) => s.query([], { signal: AbortSignal.abort() })),
  HYPHA_TRANSACTION_INVALID: onStore(async (s) => { const tx = await s.beginTransaction(); await tx.commit(); await tx.commit(); }),
  HYPHA_TRANSACTION_TIMEOUT: onStore(async (s) => { const tx = await s.beginTransaction({ timeout: 1 }); await s.set('k', 1); await tx.commit(); }),
  HYPHA_NESTED: onStore((s) => s.transaction(() => s.set('k', 1))),
  HYPHA_BUSY: async () => {
    const path = await storeFile();
    await holdWriteLock(path, onStore((s) => s.set('k', 1), { path, busyTimeout: 20 }));
  },
  HYPHA_QUEUE_FULL: onStore(async (s) => { await s.beginTransaction(); s.set('a', 1).catch(() => {}); await Promise.resolve(); await s.set('b', 1); }, { mode: 'memory', limits: { queueOperations: 1 } }),
  HYPHA_TIMEOUT: onStore(async (s) => {
    await s.setMany(Array.from({ length: 30_000 }, (_, i) => ({ key: `k${i}`, value: { v: 'x'.repeat(50), i } })));
    await s.query({ field: 'v', operator: 'contains', value: 'y' });
  }, { mode: 'memory', limits: { queryTimeout: 1 } }),
  HYPHA_BUNDLE_INVALID: onStore((s) => s.importBundle(new URL('package.json', ROOT).pathname)),
  HYPHA_SNAPSHOT_EXPIRED: onStore((s) => s.snapshot(async (view) => {
    for (;;) await view.has('k');
  }), { mode: 'memory', limits: { snapshotAge: 20 } }),
  HYPHA_CLOSED: onStore(async (s) => { await s.close(); await s.get('k'); }),
  HYPHA_READ_ONLY: async () => onStore((s) => s.set('k', 1), { path: await storeFile(), readOnly: true })(),
  HYPHA_CANT_OPEN: () => opened(folder.path('.')),
  HYPHA_NOT_A_DATABASE: () => opened(new URL('package.json', ROOT).pathname),
  HYPHA_CORRUPT: async () => {
    const path = await storeFile();
    damage(path);
    await onStore((s) => s.get('k'), { path })();
  },
  HYPHA_SCHEMA_TOO_NEW: async () => {
    const path = folder.next();
    writeKernelFile(path, { version: 99 });
    await opened(path);
  },
  HYPHA_SCHEMA_OUTDATED: async () => {
    const path = folder.next();
    writeKernelFile(path, {});
    await opened(path, { migrate: false });
  },
  HYPHA_SCHEMA_CHANGED: async () => {
    const path = await storeFile();
    runSql(path, "UPDATE schema_version SET checksum = 'other'");
    await opened(path);
  },
  HYPHA_OPTIONS_CONFLICT: async () => {
    const path = folder.next();
    await onStore(() => opened(path, { readers: 5 }), { path })();
  },
  HYPHA_WAL_UNAVAILABLE: async () => { throw (await new MyceliaStorageBackend({ walMode: false }).get('k')).error; },
};

/** What needs a fault, a fork or a second copy of the library: the test that provokes it, and the name it has there. */
const ELSEWHERE = {
  HYPHA_STOPPED: ['addon/tests/exec/writer_test.cc', 'kStopped'],
  HYPHA_FULL: ['addon/tests/exec/writer_test.cc', 'kFull'],
  HYPHA_IO: ['addon/tests/sqlite/statement_test.cc', 'kIo'],
  HYPHA_NOMEM: ['addon/tests/sqlite/statement_test.cc', 'kNoMem'],
  HYPHA_INDETERMINATE: ['addon/tests/exec/writer_test.cc', 'kIndeterminate'],
  HYPHA_INTERNAL: ['addon/tests/sqlite/statement_test.cc', 'kInternal'],
  HYPHA_WAL_MOVED: ['addon/tests/exec/wal_limit_test.cc', 'kWalMoved'],
  HYPHA_WAL_LIMIT: ['addon/tests/exec/wal_limit_test.cc', 'kWalLimit'],
  HYPHA_LOW_DISK: ['__tests__/integration/operations.test.js', 'HYPHA_LOW_DISK'],
  HYPHA_DUPLICATE_LIBRARY: ['__tests__/unit/library.test.js', 'HYPHA_DUPLICATE_LIBRARY'],
};

/** A process of Node cannot fork itself: the addon gives this code after fork(2) by other native code. */
const NEEDS_FORK = ['HYPHA_FORKED'];

describe('the table of error codes', () => {
  test('every code is provoked by a test, or cannot be', () => {
    const known = [...Object.keys(PROVOKED), ...Object.keys(ELSEWHERE), ...NEEDS_FORK];
    expect(known.sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });

  test.each(Object.entries(PROVOKED))('%s is provoked from JavaScript', async (code, provoke) => {
    const error = await provoke().then(() => undefined, (failure) => failure);
    expect(error).toBeInstanceOf(StorageError);
    expect({ code: error.code, message: error.message }).toEqual({ code, message: expect.stringMatching(/\S/) });
    expect(error.retryable).toBe(ERROR_CODES[code].retryable);
  });

  test.each(Object.entries(ELSEWHERE))('%s is provoked elsewhere', (_, [file, name]) => {
    expect(existsSync(new URL(file, ROOT))).toBe(true);
    expect(text(file)).toMatch(new RegExp(`\\b${name}\\b`));
  });

  test.each(Object.keys(ERROR_CODES))('%s has a heading in the README, a meaning and a retryable flag', (code) => {
    expect(text('README.md')).toMatch(new RegExp(`^#+ .*\\b${code}\\b`, 'm'));
    expect(ERROR_CODES[code]).toEqual({ retryable: expect.any(Boolean), meaning: expect.stringMatching(/\S/) });
  });

  test('the README has no heading for a code that does not exist', () => {
    const headings = [...text('README.md').matchAll(/^#+ .*\b(HYPHA_\w+)/gm)].map((match) => match[1]);
    expect([...new Set(headings)].sort()).toEqual(Object.keys(ERROR_CODES).sort());
  });

  test('no other code is written anywhere in lib/', () => {
    const listing = execFileSync('grep', ['-rhoE', 'HYPHA_[A-Z_]+', 'lib'], { cwd: ROOT, encoding: 'utf8' });
    for (const code of new Set(listing.trim().split('\n'))) expect(Object.keys(ERROR_CODES)).toContain(code);
  });
});

describe('StorageError', () => {
  test('is an Error with name, code, sqliteCode, retryable and cause', async () => {
    const cause = new Error('why');
    const error = new StorageError('HYPHA_BUSY', 'message', { cause, sqliteCode: 5 });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'StorageError', code: 'HYPHA_BUSY', message: 'message', cause, sqliteCode: 5, retryable: true });
    expect('cause' in new StorageError('HYPHA_CLOSED', 'm')).toBe(false);
    expect(String(error)).toBe('StorageError: message');
  });

  test('carries what JSON.stringify threw as its cause', async () => {
    const thrown = new Error('refused');
    await onStore(async (s) => {
      await expect(s.set('k', { toJSON() { throw thrown; } })).rejects.toMatchObject({ code: 'HYPHA_INVALID_VALUE', cause: thrown });
    })();
  });

  test('carries the code of SQLite where SQLite failed', async () => {
    await expect(PROVOKED.HYPHA_BUSY()).rejects.toMatchObject({ sqliteCode: expect.any(Number), retryable: true });
  });

  test('migrate() rejects with the codes of open()', async () => {
    await expect(migrate(folder.path('.'), { to: 1 })).rejects.toMatchObject({ code: 'HYPHA_CANT_OPEN' });
    await expect(migrate('x.db', { to: 3 })).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
    await expect(migrate('x.db', { too: 1 })).rejects.toMatchObject({ code: 'HYPHA_UNKNOWN_OPTION' });
    await expect(migrate('', { to: 1 })).rejects.toMatchObject({ code: 'HYPHA_INVALID_ARGUMENT' });
  });
});
