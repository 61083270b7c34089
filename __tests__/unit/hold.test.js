// What waits behind an import: its order and its limits.

import { Control } from '../../lib/control.js';
import { Hold } from '../../lib/hold.js';
import { KIND, OpList } from '../../lib/op-list.js';

const LIMITS = { queueOperations: 3, queueBytes: 100 };

/** A hold that ends when `end` is called. */
function held() {
  const hold = new Hold(LIMITS);
  let end;
  hold.add(new Promise((resolve, reject) => (end = { resolve, reject })));
  return { hold, ...end };
}

/** @param {number} count @param {number} bytes of all */
function listOf(count, bytes = count) {
  const list = new OpList();
  for (let i = 0; i < count; i++) list.push({ kind: KIND.set, ns: 'default', key: 'k', value: 'x'.repeat(i === 0 ? bytes - count : 0) });
  return list;
}

const failure = (work) => {
  try {
    return work();
  } catch (error) {
    return error.code;
  }
};

test('holds nothing back before an import waits', () => {
  const hold = new Hold(LIMITS);
  expect(hold.until).toBeUndefined();
  expect(hold.pass(() => 'at once', { list: listOf(50) })).toBe('at once');
});

test('what waits goes in the order of the calls, with a control or without, once the last import has its place or none', async () => {
  const { hold, reject } = held();
  let second;
  const done = [];
  const control = new Control({ timeout: 60_000 });
  const all = [hold.pass(() => done.push(1)), hold.pass(() => done.push(2), { control }), hold.passOrBusy(() => done.push(3), 60_000)];
  hold.add(new Promise((resolve) => (second = resolve)));
  all.push(hold.pass(() => done.push(4)));
  second();
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toEqual([]);
  reject(new Error('the first import was aborted'));
  await Promise.all(all);
  expect(done).toEqual([1, 2, 3, 4]);
  expect(hold.until).toBeUndefined();
});

test('counts operations and bytes, up to the limits and no further', async () => {
  const { hold, resolve } = held();
  const add = (list) => failure(() => hold.pass(() => 'sent', { list }));
  const sent = [add(listOf(2))];
  expect(add(listOf(2))).toBe('HYPHA_QUEUE_FULL');
  sent.push(add(listOf(1)));
  expect(add(listOf(1))).toBe('HYPHA_QUEUE_FULL');
  resolve();
  expect(await Promise.all(sent)).toEqual(['sent', 'sent']);
  for (const [bytes, expected] of [[99, 'sent'], [100, 'sent'], [101, 'HYPHA_QUEUE_FULL']]) {
    let end;
    hold.add(new Promise((settled) => (end = settled)));
    const answer = add(listOf(1, bytes));
    end();
    expect(await answer).toBe(expected);
  }
});

test('one whose wait has ended does nothing', async () => {
  const { hold, resolve } = held();
  const stop = new AbortController();
  const done = [];
  const aborted = hold.pass(() => done.push('aborted'), { control: new Control({ signal: stop.signal }), list: listOf(3) });
  const late = hold.passOrBusy(() => done.push('late'), 1);
  stop.abort();
  await expect(aborted).rejects.toMatchObject({ code: 'HYPHA_ABORTED' });
  await expect(late).rejects.toMatchObject({ code: 'HYPHA_BUSY' });
  resolve();
  await hold.until;
  expect(done).toEqual([]);
  expect(hold.pass(() => 'at once')).toBe('at once');
});
