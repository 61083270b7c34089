// Who takes part in each mix of a stress run.

/**
 * @typedef {object} Member one process
 * @property {'engine' | 'node'} program
 * @property {number} count clients: of an engine its threads, of Node those of each environment
 * @property {number} [workers] worker threads, each an environment
 * @property {'clients' | 'opener'} [role]
 * @property {boolean} [checkpoints]
 */

const engine = /** @type {Member} */ ({ program: 'engine', count: 8 });
const workers = /** @type {Member} */ ({ program: 'node', workers: 4, count: 2, checkpoints: true });
const process = /** @type {Member} */ ({ program: 'node', count: 4 });
const opener = /** @type {Member} */ ({ program: 'node', count: 1, role: 'opener' });

/** @type {Record<string, Member[]>} */
export const MIXES = {
  engine: [engine],
  workers: [workers],
  processes: [process, process, process, { ...process, checkpoints: true }, opener],
  mixed: [engine, workers, process, process, process, process, opener],
};

/** @param {Member} member @returns {number} */
export const clientsOf = ({ count, workers: environments }) => count * (environments ?? 1);
