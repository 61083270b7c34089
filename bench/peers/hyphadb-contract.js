import { join } from 'node:path';
import { SQLITE_VERSION } from '../../lib/index.js';
import { MyceliaStorageBackend } from '../../lib/mycelia/index.js';
import { contractPeer } from './contract-peer.js';

export async function open(directory, { synced = false } = {}) {
  const backend = new MyceliaStorageBackend({ dbPath: join(directory, 'hyphadb.db'), synchronous: synced ? 'FULL' : 'NORMAL' });
  await backend.open();
  return contractPeer(backend);
}

export const version = () => `SQLite ${SQLITE_VERSION}`;
