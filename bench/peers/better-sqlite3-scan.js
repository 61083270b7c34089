// The same backend with its queries tuned: all rows in one SELECT.

import { join } from 'node:path';
import { BetterSqlite3Backend } from './better-sqlite3-backend.js';
import { contractPeer } from './contract-peer.js';

export async function open(directory) {
  return contractPeer(new BetterSqlite3Backend(join(directory, 'plain.db'), { scanInOneSelect: true }));
}
