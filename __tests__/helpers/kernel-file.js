// A database as the kernel's own backend leaves it: step 1's tables, written by another SQLite than ours. The only one
// that needs no build is inside Node 24, hence the child process.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const NODE_24 = fileURLToPath(new URL('../../node_modules/node24/bin/node', import.meta.url));
const STEP_1 = new URL('../../schema/0001_kernel_layout.up.sql', import.meta.url);

const WRITER = `
  const { DatabaseSync } = require('node:sqlite');
  const { path, sql, entries, namespaces, version } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.exec('BEGIN');
  const entry = db.prepare('INSERT INTO storage_entries(namespace, key, value, metadata, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)');
  for (const row of entries) entry.run(row.namespace, row.key, row.value, row.metadata ?? null, row.at ?? 1, row.at ?? 1);
  const namespace = db.prepare('INSERT INTO storage_namespaces(name, metadata, created_at) VALUES (?, ?, 1)');
  for (const row of namespaces) namespace.run(row.name, row.metadata ?? null);
  db.prepare('INSERT INTO schema_version(version, applied_at) VALUES (?, 1)').run(version);
  db.exec('COMMIT');
  db.close();`;

/**
 * @param {string} path
 * @param {{ entries?: { namespace: string, key: string, value: string, metadata?: string, at?: number }[],
 *   namespaces?: { name: string, metadata?: string }[], version?: number }} rows values and metadata as JSON text
 */
export function writeKernelFile(path, { entries = [], namespaces = [], version = 1 }) {
  const input = JSON.stringify({ path, sql: readFileSync(STEP_1, 'utf8'), entries, namespaces, version });
  const env = { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning' };
  execFileSync(NODE_24, ['-e', WRITER], { input, env });
}
