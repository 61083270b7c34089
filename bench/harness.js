// Runs workloads on peers: every peer in its own process, one at a time, in interleaved rounds (A B C, B C A, ...), so
// that a slow minute of the machine falls on all of them alike.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WARM_UPS = 2; // rounds that are not counted

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

class Child {
  #process;
  #exit;
  #waiting;

  constructor(name, setting) {
    this.#process = fork(script(name), [JSON.stringify(setting)], { execArgv: ['--expose-gc'] });
    this.#exit = once(this.#process, 'exit');
    this.#process.on('message', (reply) => this.#waiting?.resolve(reply));
    this.#process.on('exit', (code, signal) => this.#waiting?.resolve({ error: `ended early: ${signal ?? code}` }));
  }

  async answer() {
    this.#waiting = Promise.withResolvers();
    const reply = await this.#waiting.promise;
    if (reply.error) throw new Error(reply.error);
    return reply;
  }

  ask(request) {
    const reply = this.answer();
    this.#process.send(request);
    return reply;
  }

  async end() {
    if (this.#process.connected) this.#process.disconnect();
    await this.#exit;
  }

  kill() {
    this.#process.kill('SIGKILL');
  }
}

/** @returns {string} a directory for the databases of this run, removed when the process ends */
export function temporaryDirectory() {
  const path = mkdtempSync(join(tmpdir(), 'hyphadb-bench-'));
  process.once('exit', () => rmSync(path, { recursive: true, force: true }));
  process.once('SIGINT', () => process.exit(130));
  return path;
}

/** @param {number[]} values */
export function summary(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { min: sorted[0], median, max: sorted.at(-1) };
}

/**
 * @param {number[]} sorted in rising order
 * @param {number} percent
 */
export function percentile(sorted, percent) {
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))];
}

const rotated = (items, by) => [...items.slice(by % items.length), ...items.slice(0, by % items.length)];

/** Runs of several peers over the same data. */
export class Contest {
  #children = new Map();
  #quick;
  versions = {};

  /** @param {{ quick: boolean }} options */
  constructor({ quick }) {
    this.#quick = quick;
  }

  /** Opens and fills a database for each peer. */
  async start(peers, directory, data) {
    for (const { name } of peers) {
      const child = new Child('peer-process.js', { peer: name, directory: mkdtempSync(join(directory, 'peer-')), data });
      this.#children.set(name, child);
      const { version } = await child.answer();
      if (version) this.versions[name] = version;
    }
  }

  /** @returns {Promise<Record<string, { min: number, median: number, max: number }>>} by the peer's name */
  async run(workload, peers, rounds) {
    const values = Object.fromEntries(peers.map(({ name }) => [name, []]));
    for (let round = 0; round < WARM_UPS + rounds; round++) {
      for (const { name, share = 1 } of rotated(peers, round)) {
        const request = { workload: workload.name, round, quick: this.#quick, share: workload.shares?.[name] ?? share };
        const { value } = await this.#children.get(name).ask(request);
        if (round >= WARM_UPS) values[name].push(value);
      }
    }
    return Object.fromEntries(Object.entries(values).map(([name, each]) => [name, summary(each)]));
  }

  async close() {
    for (const child of this.#children.values()) {
      await child.ask('close');
      await child.end();
    }
    this.#children.clear();
  }

  /** After a failure: nothing is waited for. */
  abandon() {
    for (const child of this.#children.values()) child.kill();
  }
}

/** Runs a script for each peer, `rounds` times, each time in a fresh process: what it says of each peer in each round. */
export async function inFreshProcesses(name, peers, directory, rounds, setting = {}) {
  const results = Object.fromEntries(peers.map((peer) => [peer, []]));
  for (let round = 0; round < rounds; round++) {
    for (const peer of rotated(peers, round)) {
      const own = mkdtempSync(join(directory, 'fresh-'));
      const child = new Child(name, { peer, directory: own, ...setting });
      results[peer].push(await child.answer());
      await child.end();
      rmSync(own, { recursive: true, force: true });
    }
  }
  return results;
}
