// Random choices from a seed: the same seed gives the same choices on every machine.

export class Random {
  #state;

  /** @param {number} seed */
  constructor(seed) {
    this.#state = seed >>> 0;
  }

  /** @returns {number} 0 <= x < 1 (mulberry32) */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** @param {number} end @returns {number} 0 <= n < end */
  below(end) {
    return Math.floor(this.next() * end);
  }

  /** @param {number} first @param {number} last @returns {number} both included */
  between(first, last) {
    return first + this.below(last - first + 1);
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability;
  }

  /** @template T @param {readonly T[]} items @returns {T} */
  pick(items) {
    return items[this.below(items.length)];
  }

  /** @template T @param {number} most @param {() => T} make @returns {T[]} up to `most` of them */
  some(most, make) {
    return Array.from({ length: this.below(most + 1) }, make);
  }
}

/** The seed of this run: HYPHA_SEED, or a new one. */
export function runSeed() {
  const given = Number(process.env.HYPHA_SEED);
  return Number.isSafeInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * 2 ** 31);
}
