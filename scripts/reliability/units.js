// What the clients of the Node kill runs write, made from (seed, client, index) alone, and what a store must hold
// afterwards. The same idea as addon/reliability/support/units.h, through the public API.

import { createHash } from 'node:crypto';

export const CLIENTS = 3;
const KEYS = 10;

/** @typedef {{ kind: string, run: (store: any, durability: string) => Promise<boolean>, apply: (content: Map<string, string>) => void }} Unit */

/** A generator whose whole state comes from its arguments. */
export function random(...parts) {
  let state = createHash('sha256').update(parts.join(':')).digest().readUInt32LE(0);
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return { below: (bound) => next() % bound, oneIn: (n) => next() % n === 0 };
}

const place = (namespace, key) => `${namespace}\n${key}`;

function valueOf(r, client, index) {
  const payload = String.fromCharCode(97 + r.below(26)).repeat(r.oneIn(15) ? 9000 : 20 + r.below(300));
  return { client, index, payload, hash: createHash('sha256').update(payload).digest('hex').slice(0, 16) };
}

function entriesOf(r, client, index) {
  const entries = [];
  for (let i = 0; i < 3 + r.below(4); i++) {
    entries.push({ key: `k${r.below(KEYS)}`, value: valueOf(r, client, index), namespace: i % 2 === 0 ? `a${client}` : `b${client}` });
  }
  // The same stamp on both sides: whoever sees one without the other sees half a unit.
  for (const letter of ['a', 'b']) entries.push({ key: 'stamp', value: index, namespace: `${letter}${client}` });
  return entries;
}

const setAll = (entries, content) => entries.forEach(({ key, value, namespace }) => content.set(place(namespace, key), JSON.stringify(value)));

function batch(r, client, index) {
  const entries = entriesOf(r, client, index);
  return {
    async run(store) {
      await store.transaction(async (tx) => {
        for (const { key, value, namespace } of entries) await tx.set(key, value, { namespace });
      });
      return true;
    },
    apply: (content) => setAll(entries, content),
  };
}

function atomic(r, client, index, poisoned) {
  const entries = entriesOf(r, client, index);
  const namespace = `a${client}`;
  return {
    async run(store) {
      const request = store.atomic();
      for (const { key, value, namespace: ns } of entries) request.set(key, value, { namespace: ns });
      request.sum('count', 1, { namespace });
      if (poisoned) request.check('stamp', 4_000_000_000_000, { namespace });
      return (await request.commit()).ok;
    },
    apply(content) {
      if (poisoned) return;
      setAll(entries, content);
      const at = place(namespace, 'count');
      content.set(at, String(Number(content.get(at) ?? 0) + 1));
    },
  };
}

function rolledBack(r, client, index) {
  const entries = entriesOf(r, client, index);
  return {
    async run(store) {
      const tx = await store.beginTransaction();
      for (const { key, value, namespace } of entries) await tx.set(key, value, { namespace });
      await tx.rollback();
      return false;
    },
    apply: () => {},
  };
}

function single(r, client, index) {
  const [namespace, key, value] = [`a${client}`, `k${r.below(KEYS)}`, valueOf(r, client, index)];
  return {
    async run(store, durability) {
      await store.set(key, value, { namespace, durability });
      return true;
    },
    apply: (content) => content.set(place(namespace, key), JSON.stringify(value)),
  };
}

function remove(r, client) {
  const [namespace, key] = [`a${client}`, `k${r.below(KEYS)}`];
  return {
    async run(store) {
      await store.delete(key, { namespace });
      return true;
    },
    apply: (content) => content.delete(place(namespace, key)),
  };
}

function clear(client) {
  const namespace = `b${client}`;
  return {
    async run(store) {
      await store.clear({ namespace });
      return true;
    },
    apply(content) {
      for (const at of [...content.keys()]) if (at.startsWith(`${namespace}\n`)) content.delete(at);
      // The stamp goes with it: the next batch brings both back.
    },
  };
}

/** @returns {Unit} */
export function makeUnit(seed, client, index) {
  const r = random(seed, client, index);
  const choice = r.below(100);
  if (choice < 40) return { kind: 'set', ...single(r, client, index) };
  if (choice < 55) return { kind: 'transaction', ...batch(r, client, index) };
  if (choice < 75) return { kind: 'atomic', ...atomic(r, client, index, false) };
  if (choice < 82) return { kind: 'poisoned', ...atomic(r, client, index, true) };
  if (choice < 88) return { kind: 'rolled back', ...rolledBack(r, client, index) };
  if (choice < 96) return { kind: 'delete', ...remove(r, client) };
  return { kind: 'clear', ...clear(client) };
}

export const namespacesOf = (client) => [`a${client}`, `b${client}`];
