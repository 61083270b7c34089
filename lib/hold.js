// Imports of a file, one after the other. What a store issues while one of its imports stands in line does not overtake it.

import { Control, within } from './control.js';
import { StorageError, closed } from './errors.js';

/** @typedef {import('./op-list.js').OpList} OpList */

/** The line of imports. Those of updates have a NUL in their names. */
const IMPORTS = 'imports';

const nothing = () => {};

export class Hold {
  /** @type {{ queueOperations: number, queueBytes: number }} */ #limits;
  /** @type {Promise<unknown> | undefined} never rejected */ #until;
  #operations = 0; // that wait
  #bytes = 0;

  /** @param {{ queueOperations: number, queueBytes: number }} limits */
  constructor(limits) {
    this.#limits = limits;
  }

  /** @returns {Promise<unknown> | undefined} settled, never rejected, once nothing is held back; undefined when nothing is */
  get until() {
    return this.#until;
  }

  /** Holds back what is issued from now on until `ready` has settled, and what was held back before has gone. @param {Promise<unknown>} ready */
  add(ready) {
    const settled = ready.then(nothing, nothing);
    const until = this.#until === undefined ? settled : Promise.all([this.#until, settled]);
    this.#until = until;
    until.then(() => {
      if (this.#until === until) this.#until = undefined;
    });
  }

  /**
   * Does `work` now, or when it is no longer held back, in the order of the calls.
   * @template T
   * @param {() => T} work
   * @param {{ list?: OpList, control?: Control }} [what] list: changes that count as queued; control may end the wait
   * @returns {T | Promise<Awaited<T>>}
   */
  pass(work, { list, control } = {}) {
    const until = this.#until;
    if (until === undefined) return work();
    const leave = this.#enter(list);
    const mine = until.then(async () => {
      leave();
      control?.check();
      return work();
    });
    if (control === undefined) return /** @type {Promise<Awaited<T>>} */ (mine);
    mine.catch(nothing); // where the wait ends early, that is the failure
    return /** @type {Promise<Awaited<T>>} */ (control.race(until).then(() => mine));
  }

  /**
   * As pass(), for what gives up with HYPHA_BUSY.
   * @template T
   * @param {() => T} work
   * @param {number} patience milliseconds
   * @param {AbortSignal} [signal]
   * @returns {Promise<Awaited<T>>}
   */
  async passOrBusy(work, patience, signal) {
    if (this.#until === undefined) return await work();
    try {
      return await this.pass(work, { control: new Control({ signal, timeout: patience }) });
    } catch (error) {
      if (/** @type {StorageError} */ (error).code !== 'HYPHA_TIMEOUT') throw error;
      throw new StorageError('HYPHA_BUSY', 'the writer was not free within busyTimeout: imports wait for it');
    }
  }

  /** Counts against the limits of the engine's queue, which none of it has reached. @param {OpList | undefined} list @returns {() => void} */
  #enter(list) {
    if (list === undefined) return nothing;
    const { queueOperations, queueBytes } = this.#limits;
    const [operations, bytes] = [list.length, list.byteLength()];
    if (this.#operations + operations > queueOperations || this.#bytes + bytes > queueBytes) {
      throw new StorageError('HYPHA_QUEUE_FULL', 'limits.queueOperations operations or limits.queueBytes bytes wait behind an import');
    }
    this.#operations += operations;
    this.#bytes += bytes;
    return () => {
      this.#operations -= operations;
      this.#bytes -= bytes;
    };
  }
}

/**
 * Runs an import after the earlier ones of the file in this process. Until its turn has come it asks for nothing that others
 * wait for; then it takes its place among the writes.
 * @template T
 * @param {() => Promise<T>} start takes the place in the call
 * @param {{ lines: import('./lines.js').Lines, isClosed: boolean }} store
 * @param {Hold} hold of the store
 * @param {Control} [control] may end the wait
 * @returns {Promise<T>} HYPHA_CLOSED when close() comes before its turn
 */
export async function importInOrder(start, store, hold, control) {
  const { turn, leave } = store.lines.enter(IMPORTS);
  try {
    const before = hold.until;
    if (turn === undefined && before === undefined) return await start();
    /** @type {Promise<T>[]} */
    const started = [];
    const placed = within(control, Promise.all([turn, before])).then(() => {
      if (store.isClosed) throw closed();
      started.push(start()); // only its place is waited for here
    });
    hold.add(placed);
    await placed;
    return await started[0];
  } finally {
    leave();
  }
}
