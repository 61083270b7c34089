// No message of an error, its stack or cause, nor anything printed, holds a value.

import { jest } from '@jest/globals';
import { open } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { INVALID_KEYS } from '../helpers/outcomes.js';

const CANARY = 'canary-7f3a9c';

/** Everything of an error that somebody may print. */
function textsOf(error) {
  const seen = [];
  for (let each = error; each !== undefined && each !== null; each = each.cause) seen.push(String(each.message), String(each.stack), JSON.stringify(each));
  return seen.join('\n');
}

/** Calls that fail although, or because, they hold the canary in a value. Each is of Store or of the backend. */
const storeCalls = {
  'a value that JSON cannot hold': (s) => s.set('k', { secret: CANARY, big: 1n }),
  'a circular value': (s) => { const value = { secret: CANARY }; value.self = value; return s.set('k', value); },
  'a value that is too large': (s) => s.set('k', CANARY.repeat(100)),
  'metadata that is too large': (s) => s.set('k', 1, { metadata: { [CANARY]: CANARY.repeat(100) } }),
  'metadata that is no object': (s) => s.set('k', 1, { metadata: CANARY }),
  'merged metadata that is no object': (s) => s.setMetadata('present', CANARY),
  'a present key': (s) => s.set('present', CANARY, { overwrite: false }),
  'another version': (s) => s.set('present', CANARY, { ifVersion: 999 }),
  'an absent key': (s) => s.setMetadata('absent', { secret: CANARY }),
  'an invalid key': (s) => s.set('', CANARY),
  'an invalid namespace': (s) => s.set('k', CANARY, { namespace: ' ' }),
  'an invalid option': (s) => s.set('k', CANARY, { overwrite: CANARY }),
  'an invalid version': (s) => s.set('k', 1, { ifVersion: CANARY }),
  'an invalid durability': (s) => s.set('k', 1, { durability: CANARY }),
  'an invalid limit': (s) => s.list({ limit: CANARY }),
  'an invalid operand': (s) => s.query({ field: 'a', operator: 'eq', value: { secret: CANARY } }),
  'an invalid operand in a list': (s) => s.query({ field: 'a', operator: 'in', value: [CANARY, [CANARY]] }),
  'an invalid operator': (s) => s.query({ field: 'a', operator: CANARY, value: CANARY }),
  'an operand that is too long': (s) => s.query({ field: 'a', operator: 'like', value: CANARY.repeat(100) }),
  'a filter that is none': (s) => s.query(CANARY),
  'a term that is none': (s) => s.query([CANARY]),
  'a result that is too large': (s) => s.query({ field: 'secret', operator: 'contains', value: CANARY }),
  'a batch of bad entries': (s) => s.setMany([{ key: 'a', value: CANARY }, { key: 'b', value: { CANARY, big: 1n } }], { atomic: true }),
  'a batch that is too large': (s) => s.setMany(Array.from({ length: 200 }, (_, i) => ({ key: `k${i}`, value: CANARY }))),
  'a transaction in its own body': (s) => s.transaction(() => s.set('k', CANARY)),
  'a closed store': async (s) => { await s.close(); await s.set('k', CANARY); },
};

describe('no message holds a value', () => {
  const limits = { valueBytes: 1000, metadataBytes: 500, patternBytes: 50, batchBytes: 3000, resultBytes: 3000 };

  test.each(Object.entries(storeCalls))('of %s', async (_, call) => {
    const store = await open({ mode: 'memory', limits });
    await store.set('present', { secret: CANARY });
    for (let i = 0; i < 60; i++) await store.set(`filler${i}`, { secret: CANARY, text: 'x'.repeat(50) });
    const error = await (async () => call(store))().then(() => undefined, (failure) => failure);
    expect(error).toMatchObject({ name: 'StorageError', code: expect.stringMatching(/^HYPHA_/) });
    expect(textsOf(error)).not.toContain(CANARY);
    await store.close();
  });

  test('of the outcomes of a batch', async () => {
    const store = await open({ mode: 'memory', limits });
    await store.set('present', CANARY);
    const { outcomes } = await store.setMany([
      { key: 'a', value: { CANARY, big: 1n } }, { key: '', value: CANARY }, { key: 'present', value: CANARY, overwrite: false }, { key: 'b', value: CANARY.repeat(90) },
      { key: 'c', value: 1, metadata: CANARY }, { key: 'd', value: CANARY, ifVersion: 5 }, { key: 'e', value: CANARY, option: CANARY },
    ]);
    expect(outcomes.every(({ ok }) => !ok)).toBe(true);
    for (const { error } of outcomes) expect(textsOf(error)).not.toContain(CANARY);
    await store.close();
  });

  test('of the contract methods, whatever is wrong with the call', async () => {
    const backend = new MyceliaStorageBackend({ dbPath: ':memory:', limits });
    await backend.set('present', { secret: CANARY });
    const wrong = [...INVALID_KEYS, '', ' ', '\ud800', 'k'.repeat(9999)];
    const results = [];
    for (const key of wrong) {
      const value = { secret: CANARY };
      results.push(await backend.set(key, value), await backend.setMany([{ key, value }]), await backend.set('present', value, { namespace: key, overwrite: false }), await backend.query([{ field: key, operator: 'eq', value }]));
      results.push(await backend.setMetadata(key, value), await backend.createNamespace(key, { metadata: CANARY }), await backend.set('k', value, { transactionId: key ?? 'none' }));
    }
    const failures = results.filter(({ success }) => !success).flatMap(({ error, errors }) => errors ?? [error]);
    expect(failures.length).toBeGreaterThan(wrong.length * 3);
    for (const error of failures) expect(textsOf(error)).not.toContain(CANARY);
    await backend.close();
  });

  test('of what debug prints, which has neither values nor keys', async () => {
    const printed = [];
    const spies = ['debug', 'log', 'info', 'warn', 'error'].map((name) => jest.spyOn(console, name).mockImplementation((...args) => printed.push(args.join(' '))));
    const work = async (config) => {
      const backend = new MyceliaStorageBackend({ dbPath: ':memory:', ...config });
      await backend.set('key-of-canary', { secret: CANARY }, { metadata: { secret: CANARY } });
      await backend.get('key-of-canary');
      await backend.query([{ field: 'secret', operator: 'eq', value: CANARY }]);
      await backend.set('key-of-canary', 1n);
      await backend.close();
    };
    await work({});
    expect(printed).toEqual([]);
    await work({ debug: true });
    expect(printed.length).toBeGreaterThanOrEqual(4);
    expect(printed.join('\n')).not.toMatch(/canary/);
    for (const spy of spies) spy.mockRestore();
  });
});
