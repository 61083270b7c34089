// The checker of the stress runs, on histories made by hand: each kind of bad one is flagged with its name, and no good
// one is.

import fc from 'fast-check';
import { checkHistory } from '../../scripts/stress/checker/check.js';

/**
 * @param {string} text such as 'A 0-10 ok: r x 1,2; a x 3' (client, time, outcome, operations; `lazy` may follow ok)
 * @returns {import('../../scripts/stress/checker/history.js').Txn}
 */
function txn(text) {
  const [, client, start, end, status, lazy, body] = /^(\w+) (\d+)-(\d+) (\w+)( lazy)?: (.*)$/.exec(text);
  const ops = body.split('; ').map((op) => {
    const [kind, key, value = ''] = op.split(' ');
    return kind === 'a' ? ['a', key, Number(value)] : ['r', key, value === '' ? [] : value.split(',').map(Number)];
  });
  return { client, start: Number(start), end: Number(end), status, lazy: lazy !== undefined, ops };
}

const kindsOf = (lines) => [...new Set(checkHistory(lines.map(txn)).anomalies.map(({ type }) => type))].sort();

/** @type {[name: string, kinds: string[], history: string[]][]} */
const bad = [
  ['two transactions whose appends to two keys interleave', ['G0'], [
    'A 0-10 ok: a x 1; a y 1', 'B 0-10 ok: a x 2; a y 2', 'C 0-20 ok: r x 1,2', 'D 0-20 ok: r y 2,1',
  ]],
  ['a read of what was rolled back', ['G1a'], ['A 0-10 fail: a x 1', 'B 0-10 ok: r x 1']],
  ['a read from the middle of a transaction', ['G-single', 'G1b'], ['A 0-10 ok: a x 1; a x 2', 'B 0-10 ok: r x 1', 'C 20-30 ok: r x 1,2']],
  ['each of two transactions read the other', ['G1c'], ['A 0-10 ok: a x 1; r y 1', 'B 0-10 ok: a y 1; r x 1']],
  ['a read that saw one half of a transaction', ['G-single'], ['A 0-10 ok: a x 1; a y 1', 'B 0-10 ok: r x 1; r y']],
  ['write skew', ['G2'], ['A 0-10 ok: r x; a y 1', 'B 0-10 ok: r y; a x 1', 'C 20-30 ok: r x 1; r y 1']],
  ['read skew among three', ['G-single'], [
    'A 0-10 ok: a x 1; a y 1', 'B 0-10 ok: r y 1; a z 1', 'C 0-10 ok: r z 1; r x', 'D 20-30 ok: r x 1; r y 1; r z 1',
  ]],
  ['two updates of one version, of which the second overwrote the first', ['G-single', 'lost append', 'lost update'], [
    'A 0-10 ok: r x; a x 1', 'B 0-10 ok: r x; a x 2', 'C 20-30 ok: r x 2',
  ]],
  ['two updates of one version, both of which are there', ['G-single', 'lost update'], [
    'A 0-10 ok: r x; a x 1', 'B 0-10 ok: r x; a x 2', 'C 20-30 ok: r x 1,2',
  ]],
  ['a read older than what was acknowledged before it began', ['stale read'], [
    'A 0-10 ok: a x 1', 'B 20-30 ok: r x', 'C 25-60 ok: r x 1',
  ]],
  ['a client that goes back in time', ['stale read'], ['A 0-50 ok: a x 1', 'B 0-10 ok: r x 1', 'B 20-30 ok lazy: r x']],
  ['a client that does not see its own write', ['stale read'], ['A 0-10 ok: a x 1', 'A 20-30 ok lazy: r x', 'C 0-60 ok: r x 1']],
  ['a write before one that was acknowledged earlier', ['G0-realtime'], ['A 0-10 ok: a x 1', 'B 20-30 ok: a x 2', 'C 0-60 ok: r x 2,1']],
  ['a read of what comes later', ['G1c-realtime'], ['A 0-10 ok: r x 1', 'B 20-30 ok: a x 1']],
  ['two reads that missed what was acknowledged, in a ring', ['G2-realtime'], [
    'A 0-50 ok: a x 1', 'B 0-50 ok: a y 1', 'C 10-20 ok: r x 1', 'C 21-25 ok lazy: r y', 'D 10-20 ok: r y 1', 'D 21-25 ok lazy: r x',
  ]],
  ['an acknowledged append that is gone', ['lost append', 'stale read'], ['A 0-10 ok: a x 1', 'C 20-30 ok: r x']],
  ['two orders of one list', ['G-single', 'incompatible order'], ['A 0-10 ok: a x 1', 'B 0-10 ok: a x 2', 'C 0-30 ok: r x 1,2', 'D 0-30 ok: r x 2']],
  ['one append that happened twice', ['duplicate append'], ['A 0-10 ok: a x 1', 'B 0-30 ok: r x 1,1']],
  ['a value that nobody appended', ['garbage read'], ['A 0-10 ok: a x 1', 'B 0-30 ok: r x 1,7']],
  ['a transaction that does not see its own append', ['internal'], ['A 0-10 ok: r x; a x 1; r x']],
  ['a list that changes under a transaction', ['G-single', 'internal'], ['A 0-10 ok: a x 1', 'B 0-10 ok: r x; r x 1']],
];

/** @type {[name: string, history: string[]][]} */
const good = [
  ['nothing', []],
  ['one client', ['A 0-1 ok: a x 1', 'A 2-3 ok: r x 1', 'A 4-5 ok: r x 1; a x 2; r x 1,2']],
  ['concurrent appends in either order', ['A 0-10 ok: a x 1', 'B 0-10 ok: a x 2', 'C 20-30 ok: r x 2,1']],
  ['concurrent reads, one before and one after a write', ['A 0-50 ok: a x 1', 'B 10-20 ok: r x', 'C 10-20 ok: r x 1']],
  ['a write that is read before it is acknowledged', ['A 0-50 ok: a x 1', 'B 10-20 ok: r x 1', 'B 30-40 ok: r x 1']],
  ['several appends of one transaction, seen together', ['A 0-10 ok: a x 1; a y 2; a x 3', 'B 20-30 ok: r x 1,3; r y 2']],
  ['what was rolled back and is not seen', ['A 0-10 fail: a x 1', 'B 20-30 ok: r x; a x 2', 'C 40-50 ok: r x 2']],
  ['an unknown outcome that took effect', ['A 0-10 unknown: a x 1', 'A 20-30 ok: r x 1']],
  ['an unknown outcome that took effect late', ['A 0-10 unknown: a x 1', 'A 20-30 ok: r x', 'A 40-50 ok: r x 1']],
  ['an unknown outcome that never took effect', ['A 0-10 unknown: a x 1', 'B 20-30 ok: r x; a x 2', 'B 40-50 ok: r x 2']],
  ['a lazy read that lags behind others', ['A 0-10 ok: a x 1', 'B 20-30 ok lazy: r x', 'C 40-50 ok: r x 1']],
  ['updates one after the other', ['A 0-10 ok: r x; a x 1', 'B 5-20 ok: r x 1; a x 2', 'C 15-30 ok: r x 1,2; a x 3']],
  ['a read-only transaction in the middle', ['A 0-90 ok: r x; a x 1; a y 1', 'B 0-90 ok: r x 1; r y 1', 'C 0-90 ok: r x; r y']],
  ['a chain in the order opposite to how it was issued', ['A 0-90 ok: r z 1; a x 1', 'B 1-90 ok: r y 1; a z 1', 'C 2-90 ok: a y 1']],
];

describe('the history checker', () => {
  it.each(bad)('flags %s', (_, kinds, history) => expect(kindsOf(history)).toEqual(kinds));

  it.each(good)('passes %s', (_, history) => expect(checkHistory(history.map(txn)).anomalies).toEqual([]));

  it('refuses a history in which one value is appended twice', () => {
    expect(() => kindsOf(['A 0-10 ok: a x 1', 'B 0-10 ok: a x 1'])).toThrow('appended to x twice');
  });
});

/** Runs transactions one after the other at a moment within their time: strictly serialisable by construction. */
function execute(plans) {
  const lists = new Map();
  let next = 0;
  return plans.map(({ client, ops, before, after }, i) => {
    const done = ops.map(([isRead, key]) => {
      if (!lists.has(key)) lists.set(key, []);
      if (isRead) return ['r', key, [...lists.get(key)]];
      lists.get(key).push(++next);
      return ['a', key, next];
    });
    return { client: `c${client}-${i}`, status: 'ok', start: i * 10 - before, end: i * 10 + after, ops: done };
  });
}

const keyName = fc.constantFrom('x', 'y', 'z');
const plan = fc.record({
  client: fc.nat(3),
  ops: fc.array(fc.tuple(fc.boolean(), keyName), { minLength: 1, maxLength: 5 }),
  before: fc.integer({ min: 0, max: 40 }),
  after: fc.integer({ min: 0, max: 40 }),
});

describe('the history checker, on histories made at random,', () => {
  it('passes whatever ran serially', () => {
    fc.assert(fc.property(fc.array(plan, { maxLength: 60 }), (plans) => checkHistory(execute(plans)).ok), { numRuns: 200 });
  });

  it('flags one append that is taken out of every later read', () => {
    const withLoss = fc.property(fc.array(plan, { minLength: 5, maxLength: 40 }), fc.nat(), (plans, seed) => {
      const history = execute(plans);
      history.push({ client: 'end', status: 'ok', start: 1e6, end: 1e6 + 1, ops: ['x', 'y', 'z'].map((key) => ['r', key, []]) });
      const appends = history.flatMap(({ ops }) => ops).filter(([kind]) => kind === 'a');
      fc.pre(appends.length > 0);
      const [, lostKey, lost] = appends[seed % appends.length];
      for (const each of ['x', 'y', 'z']) {
        const all = appends.filter(([, key]) => key === each).map(([, , value]) => value);
        history.at(-1).ops.find(([, key]) => key === each)[2] = all;
      }
      for (const { ops } of history) {
        for (const op of ops) if (op[0] === 'r' && op[1] === lostKey) op[2] = op[2].filter((value) => value !== lost);
      }
      return checkHistory(history).anomalies.some(({ type }) => type === 'lost append');
    });
    fc.assert(withLoss, { numRuns: 200 });
  });

  it('checks 50,000 transactions in seconds', () => {
    const history = Array.from({ length: 50_000 }, (_, i) => ({
      client: `c${i % 8}`, status: 'ok', start: i * 10, end: i * 10 + 35,
      ops: [['r', `k${i >> 5}`, Array.from({ length: i & 31 }, (__, j) => j)], ['a', `k${i >> 5}`, i & 31]],
    }));
    const startedAt = performance.now();
    expect(checkHistory(history)).toMatchObject({ ok: true, transactions: 50_000 });
    expect(performance.now() - startedAt).toBeLessThan(20_000);
  });
});
