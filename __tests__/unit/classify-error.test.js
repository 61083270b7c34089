import { ERROR_CODES, StorageError, classifyError } from '../../lib/index.js';

/** SQLite's extended result codes, and what each is. */
const CASES = [
  [5, 'SQLITE_BUSY', 'busy', true],
  [261, 'SQLITE_BUSY_RECOVERY', 'busy', true],
  [517, 'SQLITE_BUSY_SNAPSHOT', 'busy', true],
  [6, 'SQLITE_LOCKED', 'busy', true],
  [15, 'SQLITE_PROTOCOL', 'busy', true],
  [13, 'SQLITE_FULL', 'disk_full', false],
  [10, 'SQLITE_IOERR', 'io', false],
  [1034, 'SQLITE_IOERR_FSYNC', 'io', false],
  [8458, 'SQLITE_IOERR_DATA', 'corrupt', false],
  [11, 'SQLITE_CORRUPT', 'corrupt', false],
  [779, 'SQLITE_CORRUPT_INDEX', 'corrupt', false],
  [26, 'SQLITE_NOTADB', 'corrupt', false],
  [8, 'SQLITE_READONLY', 'readonly', false],
  [1032, 'SQLITE_READONLY_DBMOVED', 'io', false],
  [2067, 'SQLITE_CONSTRAINT_UNIQUE', 'constraint', false],
  [17, 'SQLITE_SCHEMA', 'schema', false],
  [14, 'SQLITE_CANTOPEN', 'io', false],
  [21, 'SQLITE_MISUSE', 'misuse', false],
  [0, 'SQLITE_OK', 'misuse', false],
];

describe('classifyError()', () => {
  test.each(CASES)('of result code %i, %s, is %s', (sqliteCode, _, category, retryable) => {
    expect(classifyError({ sqliteCode })).toEqual({ category, retryable, advice: expect.stringMatching(/\.$/) });
    expect(classifyError({ errcode: sqliteCode })).toMatchObject({ category });
  });

  test('goes by the code of HyphaDB where SQLite had no part', () => {
    expect(classifyError(new StorageError('HYPHA_WAL_LIMIT', 'm'))).toMatchObject({ category: 'busy', retryable: true });
    expect(classifyError(new StorageError('HYPHA_STOPPED', 'm'))).toMatchObject({ category: 'io', retryable: false });
    expect(classifyError(new StorageError('HYPHA_INVALID_KEY', 'm'))).toMatchObject({ category: 'misuse', retryable: false });
  });

  test('never goes by the text, and takes anything', () => {
    expect(classifyError(new Error('database is locked'))).toMatchObject({ category: 'misuse' });
    for (const nothing of [undefined, null, 5, 'disk I/O error', {}, { code: '__proto__' }, { code: 'toString' }]) {
      expect(classifyError(nothing)).toMatchObject({ category: 'misuse', retryable: false });
    }
  });

  test('has advice for every code there is, and agrees with its retryable flag', () => {
    for (const [code, { retryable }] of Object.entries(ERROR_CODES)) {
      const found = classifyError(new StorageError(code, 'm'));
      expect(found.advice.length).toBeGreaterThan(10);
      expect([code, found.retryable]).toEqual([code, retryable]);
    }
  });
});
