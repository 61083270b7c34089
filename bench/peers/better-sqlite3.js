import { join } from 'node:path';
import Database from 'better-sqlite3';
import { BetterSqlite3Backend } from './better-sqlite3-backend.js';
import { contractPeer } from './contract-peer.js';

export async function open(directory, { synced = false } = {}) {
  const backend = new BetterSqlite3Backend(join(directory, 'plain.db'), { synced });
  const peer = contractPeer(backend);
  const update = async (key, change) => backend.update(key, change);
  const setInOne = async (entries) => backend.setInOne(entries);
  return { ...peer, update, transact: update, setInOne, read: { ...peer.read, update: (value) => value.age } };
}

export function version() {
  const db = new Database(':memory:');
  const text = db.prepare('SELECT sqlite_version()').pluck().get();
  db.close();
  return `SQLite ${text}`;
}
