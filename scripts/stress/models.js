// The cheaper models beside the history: a bank, a counter and a queue. Each check gives the faults it found.

import { ACCOUNTS, BALANCE } from './client.js';

/** @typedef {{ client: string, model: string, what: any, status: 'ok' | 'fail' | 'unknown' }} Line */

const whatOf = (lines, model, ...statuses) => lines.filter((line) => line.model === model && statuses.includes(line.status)).map(({ what }) => what);

/** @param {any[]} values @returns {any[]} those that are there more than once */
function repeated(values) {
  const seen = new Set();
  return values.filter((value) => seen.size === seen.add(value).size);
}

/** Money is moved, never made: every look at all accounts finds the same sum. */
export function checkBank(lines, { accounts }) {
  const total = ACCOUNTS * BALANCE;
  const sums = [...whatOf(lines, 'bank', 'ok'), accounts.reduce((sum, each) => sum + each, 0)];
  return sums.filter((sum) => sum !== total).map((sum) => `the accounts have ${sum}, not ${total}`);
}

/** Every acknowledged step of a counter by compare-and-set gave a number that no other got, and none was left out. */
export function checkCounter(lines, { counter }) {
  const got = whatOf(lines, 'counter', 'ok');
  const perhaps = whatOf(lines, 'counter', 'unknown').length;
  const faults = repeated(got).map((number) => `the counter gave ${number} twice`);
  if (counter < got.length || counter > got.length + perhaps) faults.push(`the counter is ${counter} after ${got.length} steps and ${perhaps} unknown ones`);
  return faults;
}

/** Every job that was put is taken exactly once, or still there. */
export function checkQueue(lines, { jobs }) {
  const taken = whatOf(lines, 'take', 'ok');
  const put = new Set(whatOf(lines, 'put', 'ok'));
  const maybePut = new Set(whatOf(lines, 'put', 'unknown'));
  const maybeTaken = new Set(whatOf(lines, 'take', 'unknown'));
  const gone = new Set(taken);
  const left = new Set(jobs);
  return [
    ...repeated(taken).map((job) => `job ${job} was taken twice`),
    ...taken.filter((job) => !put.has(job) && !maybePut.has(job)).map((job) => `job ${job} was taken and never put`),
    ...taken.filter((job) => left.has(job)).map((job) => `job ${job} was taken and is still there`),
    ...[...put].filter((job) => !gone.has(job) && !left.has(job) && !maybeTaken.has(job)).map((job) => `job ${job} is lost`),
  ];
}

/** No client got less than 1 % of its fair share of the work. */
export function checkFairness(summaries) {
  const equals = summaries.filter(({ role }) => role === 'clients');
  const share = equals.reduce((sum, { done }) => sum + done, 0) / equals.length;
  // A hundredth of less than that is less than one piece of work: on a machine that has no time, nothing is shown.
  if (share < 100) return [];
  return equals.filter(({ done }) => done < share / 100).map(({ client, done }) => `${client} did ${done}, a fair share is ${share.toFixed(0)}`);
}

/** Nothing failed but as it may: a wait for other processes that took as long as busyTimeout allows. */
export function checkCodes(summaries) {
  const faults = [];
  for (const { client, codes } of summaries) {
    for (const [code, count] of Object.entries(codes)) {
      if (code !== 'HYPHA_BUSY after busyTimeout') faults.push(`${client}: ${code}, ${count} times`);
    }
  }
  return faults;
}
