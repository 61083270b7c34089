import { ERROR_CODES, StorageError, classifyError } from '../../lib/index.js';

/** SQLite's extended result codes, and what each is. */
const CASES = [
  [5, 'SQLITE_BUSY', 'busy', true],
  [261, 'SQLITE_BUSY_RECOVERY', 'busy', true],
  [517, 'SQLITE_BUSY_SNAPSHOT', 'busy', true],
  [6, 'SQLITE_LOCKED', 'busy', true],
  [15, 'SQLITE_PROTOCOL', 'busy', true],
  [13, 'SQLITE_FULL', 'disk_full', true],
  [7, 'SQLITE_NOMEM', 'io', true],
  [3082, 'SQLITE_IOERR_NOMEM', 'io', true],
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
    for (const nothing of [undefined, null, 5, 'disk I/O error', {}, { code: '__proto__' }, { code: 'toString' }, { code: Object.create(null) }, { sqliteCode: Symbol('s') }]) {
      expect(classifyError(nothing)).toMatchObject({ category: 'misuse', retryable: false });
    }
  });

  test.each(Object.entries(ERROR_CODES))('has advice for %s, and agrees with its retryable flag', (code, { retryable }) => {
    for (const error of [new StorageError(code, 'm'), { code }, { code, sqliteCode: 10 }]) {
      const found = classifyError(error);
      expect(found.advice.length).toBeGreaterThan(10);
      expect(found.retryable).toBe(retryable);
    }
    // An error that says it itself is believed.
    expect(classifyError({ code, retryable: !retryable })).toMatchObject({ retryable: !retryable });
  });

  test('tells to correct the call only where the call is wrong', () => {
    const told = Object.keys(ERROR_CODES).filter((code) => classifyError({ code }).advice.startsWith('Correct the call'));
    expect(told).toEqual([
      'HYPHA_INVALID_ARGUMENT', 'HYPHA_UNKNOWN_OPTION', 'HYPHA_INVALID_KEY', 'HYPHA_INVALID_VALUE', 'HYPHA_INVALID_NAMESPACE', 'HYPHA_INVALID_FILTER',
      'HYPHA_TOO_LARGE', 'HYPHA_NAMESPACE_RESERVED', 'HYPHA_NESTED',
    ]);
    expect(classifyError({ code: 'HYPHA_INTERNAL' }).advice).toMatch(/defect/);
    expect(classifyError({ code: 'HYPHA_CLOSED' }).advice).toMatch(/^Open the store again/);
    expect(classifyError({ code: 'HYPHA_ABORTED' }).advice).toMatch(/signal/);
    for (const sqliteCode of [7, 3082]) expect(classifyError({ sqliteCode }).advice).toMatch(/^Free memory/);
  });
});
