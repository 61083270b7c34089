// The cities of the world in HyphaDB: npm run demo, or npm run demo -- path/to/file.db
// Start reading here; questions.js has the queries. In your own project the imports are the same.

import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { open, SQLITE_VERSION, StorageError } from 'hyphadb';
import { load } from './load.js';
import { askThroughPlugin } from './plugin.js';
import { beginWithPar, countInUs, pageOfKeys, readMetadata, rollBack, tenMostPopulous } from './questions.js';

const NAMESPACE = 'cities';
const MEBIBYTE = 2 ** 20;

async function main(path) {
  console.log(`HyphaDB with SQLite ${SQLITE_VERSION} on Node ${process.versions.node}`);
  console.log(`file: ${path}`);

  const store = await open({ path });
  try {
    await load(store, NAMESPACE);
    const cities = store.namespace(NAMESPACE);
    await tenMostPopulous(cities);
    await beginWithPar(cities);
    await countInUs(cities);
    await pageOfKeys(cities);
    await readMetadata(cities);
    await rollBack(store, NAMESPACE);
  } finally {
    await store.close();
  }
  await askThroughPlugin(path, NAMESPACE);

  const size = (statSync(path).size / MEBIBYTE).toFixed(1);
  console.log(`\nThe file stays: ${path} (${size} MiB)\n\nWhat to try next:
  change a query in examples/cities/questions.js and run "npm run demo" again
  README.md                  HyphaDB in 60 seconds, and what it promises
  npm test                   every test
  npm run bench -- --quick   HyphaDB beside better-sqlite3, lmdb, classic-level and Deno KV`);
}

try {
  await main(resolve(process.argv[2] ?? join(tmpdir(), 'hyphadb-cities', 'cities.db')));
} catch (error) {
  if (!(error instanceof StorageError)) throw error;
  console.error(`\n${error.code}: ${error.message}`);
  process.exitCode = 1;
}
