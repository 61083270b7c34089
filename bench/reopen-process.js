// What opening costs after a kill that left a log of 64 MiB: against the reading of those bytes. A process of its own
// fills the log and kills itself; then the log is read, and the store opened, each time after the system was asked to
// drop from its memory what it has of the files (GNU dd, oflag=nocache).

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { open } from '../lib/index.js';
import { chunks, makeDocuments, pick, seededRandom } from './data.js';

const DOCUMENTS = 20_000;
const MIB = 2 ** 20;
const LOG_BYTES = 64 * MIB;

async function fill(path) {
  const never = 1024 * MIB; // no checkpoint
  const wal = { idleBytes: never, busyBytes: never, restartBytes: never, expireBytes: never, limitBytes: 2 * never };
  const store = await open({ path, durability: 'normal', wal });
  const entries = makeDocuments(DOCUMENTS);
  const random = seededRandom();
  for (const batch of chunks(entries, 1000)) await store.setMany(batch);
  while ((await store.status()).walBytes < LOG_BYTES) await store.setMany(pick(entries, 200, random));
  process.kill(process.pid, 'SIGKILL');
}

/** Writes the file to the disk and has the system forget it. */
function forget(path) {
  const { status, stderr } = spawnSync('dd', [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`dd: ${stderr}`);
}

const buffer = Buffer.alloc(MIB);

function readThrough(path) {
  const file = openSync(path, 'r');
  while (readSync(file, buffer) > 0);
  closeSync(file);
}

async function measure({ directory }) {
  const path = join(directory, 'store.db');
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'fill', path], { stdio: 'inherit' });
  const [, signal] = await once(child, 'exit');
  if (signal !== 'SIGKILL') throw new Error('the process that fills the log failed');
  const bytes = statSync(`${path}-wal`).size;
  for (const file of [path, `${path}-wal`]) forget(file);
  let startedAt = performance.now();
  readThrough(`${path}-wal`);
  const readMs = performance.now() - startedAt;
  forget(`${path}-wal`);
  startedAt = performance.now();
  const store = await open({ path, durability: 'normal' });
  const openMs = performance.now() - startedAt;
  if ((await store.count()) !== DOCUMENTS) throw new Error('entries are missing');
  await store.close();
  return { openMs, readMs, ratio: openMs / readMs, mebibytes: bytes / MIB };
}

if (process.argv[2] === 'fill') {
  await fill(process.argv[3]);
} else {
  try {
    process.send(await measure(JSON.parse(process.argv[2])));
  } catch (error) {
    process.send({ error: inspect(error) });
  }
  process.disconnect();
}
