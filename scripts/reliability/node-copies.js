// The copies that a Node process makes while it writes: what it asked for and was told of them, in a file whose lines
// outlive a SIGKILL, and the judgement of what it left.

import { appendFileSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { open, restore, verifyBundle } from '../../lib/index.js';

/** Of each kind where it is beside the database, and how it is made. @type {Record<string, { suffix: string, make: (store: any, path: string) => Promise<unknown> }>} */
const KINDS = {
  backup: { suffix: '.backup', make: (store, path) => store.backup(path, { overwrite: true }) },
  restore: { suffix: '.restored', make: (_store, path) => restore(path.replace(/\.restored$/, '.backup'), path) },
  'export of a directory': { suffix: '.bundle', make: (store, path) => store.exportBundle(path, { overwrite: true, partRows: 20 }) },
  'export of a file': { suffix: '.bundle.jsonl', make: (store, path) => store.exportBundle(path, { overwrite: true }) },
};
export const COPY_KINDS = Object.keys(KINDS);

/** @param {string} path of the database @param {string} kind */
const targetOf = (path, kind) => path + KINDS[kind].suffix;

/** What an earlier copy to the same target has left. */
function leftBeside(target) {
  return readdirSync(dirname(target)).filter((name) => name.startsWith(`${basename(target)}.tmp-`) || name === `${basename(target)}.prev`);
}

export class Copies {
  #path;
  #log;
  /** @type {number[]} of the last backup */
  #backedUp = [];

  /** @param {string} path of the database @param {string} log @param {boolean} [fresh] */
  constructor(path, log, fresh = false) {
    this.#path = path;
    this.#log = log;
    if (fresh) writeFileSync(log, '', { mode: 0o600 });
  }

  #note(record) {
    appendFileSync(this.#log, `${JSON.stringify(record)}\n`);
  }

  /**
   * @param {any} store
   * @param {string} kind of COPY_KINDS
   * @param {number[]} since how many units of each client had been acknowledged
   */
  async make(store, kind, since) {
    if (kind === 'restore') {
      if (this.#backedUp.length === 0) return;
      since = this.#backedUp;
    }
    const target = targetOf(this.#path, kind);
    this.#note({ kind, since, told: 'asked' });
    try {
      await KINDS[kind].make(store, target);
    } catch (error) {
      this.#note({ kind, told: 'failed', code: error.code });
      if (error.code !== 'HYPHA_CLOSED') throw error;
      return;
    }
    this.#note({ kind, since, told: 'acked' });
    if (kind === 'backup') this.#backedUp = since;
    const left = leftBeside(target);
    if (left.length > 0) this.#note({ anomaly: `${kind}: ${left.join(', ')} is left` });
  }

  /** What was noted; a line that was not ended counts for nothing. */
  records() {
    return readFileSync(this.#log, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  }
}

/** Which file it is, and whether anybody has written to it. */
function identityOf(target) {
  const info = statSync(target, { throwIfNoEntry: false });
  if (info === undefined) return undefined;
  return info.isDirectory() ? identityOf(join(target, 'manifest.json')) : [info.ino, info.size, info.mtimeMs].join();
}

/** From end to end of the processes that write to one database. */
export class CopyJudge {
  #path;
  #before = {};
  totals = { acked: 0, cutShort: 0, judged: 0 };

  /** @param {string} path of the database */
  constructor(path) {
    this.#path = path;
  }

  /**
   * What is wrong with the copies that a process left.
   * @param {any[]} records its Copies
   * @param {(store: any, since: number[]) => Promise<string[]>} contentOf how a copy differs from each prefix of units that has those of `since`
   * @returns {Promise<string[]>}
   */
  async judge(records, contentOf) {
    const problems = records.filter(({ anomaly }) => anomaly).map(({ anomaly }) => anomaly);
    for (const kind of COPY_KINDS) {
      const own = records.filter((each) => each.kind === kind);
      const found = await this.#judgeOne(kind, own, contentOf).catch((error) => [`is not whole: ${error.code} ${error.message}`]);
      problems.push(...found.map((each) => `${kind}: ${each}`));
    }
    return problems;
  }

  async #judgeOne(kind, records, contentOf) {
    const target = targetOf(this.#path, kind);
    const acked = records.findLast(({ told }) => told === 'acked');
    this.totals.acked += records.filter(({ told }) => told === 'acked').length;
    if (records.at(-1)?.told === 'asked') this.totals.cutShort++;
    const identity = identityOf(target);
    const before = this.#before[kind];
    if (identity === before?.identity) return acked ? ['was acknowledged, and is not there'] : [];
    if (identity === undefined) return ['is gone'];
    if (records.length === 0) return ['is there although nobody asked for it'];
    this.totals.judged++;
    const { store, close } = await this.#openCopy(kind, target);
    // Before a file is replaced, what its log holds is copied into it: the old one, then.
    const hash = (await store.backup(`${this.#path}-judged.db`, { overwrite: true })).contentHash;
    const problems = !acked && hash === before?.hash ? [] : await contentOf(store, (acked ?? records[0]).since);
    await close();
    this.#before[kind] = { identity: identityOf(target), hash };
    return problems;
  }

  /** A store that holds what the copy does, which is verified on the way. */
  async #openCopy(kind, target) {
    let path = target;
    if (kind === 'backup') {
      path = `${this.#path}-judged-backup.db`;
      await restore(target, path);
    }
    const bundle = kind.startsWith('export');
    const store = await open(bundle ? { mode: 'memory' } : { path, create: false });
    if (bundle) {
      const { ok, problems } = await verifyBundle(target);
      if (!ok) throw new Error(JSON.stringify(problems));
      await store.importBundle(target);
    }
    const { ok, problems } = await store.verify();
    if (!ok) throw new Error(JSON.stringify(problems));
    return { store, close: () => store.close() };
  }

  /** After the last end: the next copies leave nothing behind that earlier ones left. @param {any} store @param {number} clients */
  async finish(store, clients) {
    const log = `${this.#path}-finish`;
    const copies = new Copies(this.#path, log, true);
    for (const kind of COPY_KINDS) await copies.make(store, kind, Array.from({ length: clients }, () => 0));
    rmSync(log);
    return COPY_KINDS.flatMap((kind) => leftBeside(targetOf(this.#path, kind)).map((name) => `${name} is left behind the next ${kind}`));
  }
}
