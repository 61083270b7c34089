import { join } from 'node:path';
import Database from 'better-sqlite3';
import { BetterSqlite3Backend } from './better-sqlite3-backend.js';
import { contractPeer } from './contract-peer.js';

export async function open(directory) {
  return contractPeer(new BetterSqlite3Backend(join(directory, 'plain.db')));
}

export function version() {
  const db = new Database(':memory:');
  const text = db.prepare('SELECT sqlite_version()').pluck().get();
  db.close();
  return `SQLite ${text}`;
}
