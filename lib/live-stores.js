// The stores of this JavaScript environment that were opened and not yet collected.

/** @typedef {import('./store.js').Store} Store */

/** Weak, so that a store that nobody holds any more is closed by its collection. @type {Set<WeakRef<Store>>} */
const live = new Set();
/** @type {FinalizationRegistry<WeakRef<Store>>} */
const collected = new FinalizationRegistry((reference) => live.delete(reference));

/** @param {Store} store @returns {Store} the same */
export function keepAsLive(store) {
  const reference = new WeakRef(store);
  live.add(reference);
  collected.register(store, reference);
  return store;
}

/** @returns {Store[]} those that are closed included: closing them again does nothing */
export const liveStores = () => [...live].flatMap((reference) => reference.deref() ?? []);
