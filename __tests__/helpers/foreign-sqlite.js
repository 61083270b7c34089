// What another program may do to a database file: the SQLite inside Node 24, in a process of its own.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_24 = fileURLToPath(new URL('../../node_modules/node24/bin/node', import.meta.url));
const env = { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' };

const RUN = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(process.argv[1]);
  const rows = [];
  for (const sql of process.argv.slice(2)) {
    if (/^select/i.test(sql)) rows.push(...db.prepare(sql).all());
    else db.exec(sql);
  }
  console.log(JSON.stringify(rows));`;

/** @param {string} path @param {string[]} statements @returns {any[]} the rows of those that select */
export const runSql = (path, ...statements) => JSON.parse(execFileSync(NODE_24, ['-e', RUN, path, ...statements], { env, encoding: 'utf8' }));

const HOLD = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(process.argv[1]);
  db.exec('BEGIN IMMEDIATE');
  console.log('held');
  process.stdin.on('end', () => process.exit()).resume();`;

const READ = `
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(process.argv[1]);
  db.exec('BEGIN');
  db.prepare('SELECT count(*) FROM hypha_namespaces').all();
  console.log('held');
  process.stdin.on('end', () => process.exit()).resume();`;

/**
 * Runs `work` while another process holds the write lock of the file.
 * @param {string} path
 * @param {() => Promise<any>} work
 */
export const holdWriteLock = (path, work) => hold(HOLD, path, work);

/**
 * Runs `work` while another process reads the file in one snapshot.
 * @param {string} path
 * @param {() => Promise<any>} work
 */
export const holdRead = (path, work) => hold(READ, path, work);

/** @param {string} program @param {string} path @param {() => Promise<any>} work */
async function hold(program, path, work) {
  const child = spawn(NODE_24, ['-e', program, path], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    return await work();
  } finally {
    child.stdin.end();
    await ended;
  }
}

/** Overwrites the second half of a closed file. @param {string} path */
export function damage(path) {
  const { size } = statSync(path);
  const file = openSync(path, 'r+');
  const from = size >> 1;
  writeSync(file, Buffer.alloc(size - from, 0xa5), 0, size - from, from);
  closeSync(file);
}
