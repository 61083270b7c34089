// The same for the Mycelia backend, whose calls never reject.

import { MyceliaStorageBackend } from '../../../lib/mycelia/index.js';
import { VALUE, all, outcome } from './states.js';

/** @param {any} result */
const codeOf = (result) => (result.value?.success === false ? { code: result.value.error?.code } : result);

/** Enough for any other process, of which there is none; a transaction that waits for itself waits as long. */
const BUSY_TIMEOUT = 300;

async function withBackend(seededFile, work) {
  const path = seededFile();
  const backend = new MyceliaStorageBackend({ dbPath: path, busyTimeout: BUSY_TIMEOUT });
  try {
    return codeOf(await work(backend, path));
  } finally {
    await backend.close();
  }
}

/** Of no transaction there is nothing to end. */
const noTransaction = { commit: 'HYPHA_TRANSACTION_INVALID', rollback: 'HYPHA_TRANSACTION_INVALID' };

/** @typedef {{ answer: (call: (on: any, options?: object) => any, seededFile: () => string) => Promise<any>, expected: Record<string, any> }} State */

/** @type {Record<string, State>} */
export const BACKEND_STATES = {
  'never opened': {
    answer: (call, file) => withBackend(file, (backend) => outcome(() => call(backend))),
    expected: { ...all(VALUE), ...noTransaction },
  },
  opening: {
    answer: (call, file) => withBackend(file, async (backend) => {
      const opening = outcome(() => backend.open());
      const result = await outcome(() => call(backend));
      await opening;
      return result;
    }),
    expected: { ...all(VALUE), ...noTransaction },
  },
  open: {
    answer: (call, file) => withBackend(file, async (backend) => {
      await backend.open();
      return outcome(() => call(backend));
    }),
    expected: { ...all(VALUE), ...noTransaction },
  },
  'in a batch': {
    answer: (call, file) => withBackend(file, async (backend) => {
      await backend.open();
      const writing = backend.setMany(Array.from({ length: 500 }, (_, i) => ({ key: `b${i}`, value: i })), { namespace: 'batches' });
      const result = await outcome(() => call(backend));
      if (!(await writing).success) throw new Error('the batch failed');
      return result;
    }),
    expected: { ...all(VALUE), ...noTransaction },
  },
  'in its transaction': {
    answer: (call, file) => withBackend(file, async (backend) => {
      const { transactionId } = await backend.beginTransaction();
      return outcome(() => call(backend, { transactionId }));
    }),
    // A second transaction waits for the first, as long as busyTimeout says.
    expected: { ...all(VALUE), begin: 'HYPHA_BUSY' },
  },
  'after its transaction': {
    answer: (call, file) => withBackend(file, async (backend) => {
      const { transactionId } = await backend.beginTransaction();
      await backend.commit(transactionId);
      return outcome(() => call(backend, { transactionId }));
    }),
    expected: { ...all('HYPHA_TRANSACTION_INVALID'), begin: VALUE, control: VALUE, close: VALUE, getStatus: VALUE },
  },
  'inside toJSON of a value that is being set': {
    answer: (call, file) => withBackend(file, async (backend) => {
      await backend.open();
      let result;
      const set = await backend.set('outer', {
        toJSON() {
          result ??= outcome(() => call(backend));
          return 1;
        },
      }, { namespace: 'batches' });
      if (!set.success && set.error.code !== 'HYPHA_CLOSED') throw set.error;
      return result;
    }),
    expected: { ...all(VALUE), ...noTransaction },
  },
  closing: {
    answer: (call, file) => withBackend(file, async (backend) => {
      await backend.open();
      backend.close();
      return outcome(() => call(backend));
    }),
    expected: { ...all('HYPHA_CLOSED'), close: VALUE },
  },
  'closed before it was opened': {
    answer: (call, file) => withBackend(file, async (backend) => {
      await backend.close();
      return outcome(() => call(backend));
    }),
    expected: { ...all('HYPHA_CLOSED'), close: VALUE },
  },
  closed: {
    answer: (call, file) => withBackend(file, async (backend) => {
      await backend.open();
      await backend.close();
      return outcome(() => call(backend));
    }),
    expected: { ...all('HYPHA_CLOSED'), close: VALUE },
  },
  'reopened by another backend': {
    answer: (call, file) => withBackend(file, async (backend, path) => {
      await backend.open();
      await backend.close();
      const next = new MyceliaStorageBackend({ dbPath: path });
      await next.open();
      const [old, fresh] = [codeOf(await outcome(() => call(backend))), codeOf(await outcome(() => call(next)))];
      await next.close();
      if (old.code !== 'HYPHA_CLOSED' && old.value?.success !== true) throw new Error(`the closed one gave ${old.code}`);
      return fresh;
    }),
    expected: { ...all(VALUE), ...noTransaction },
  },
};
