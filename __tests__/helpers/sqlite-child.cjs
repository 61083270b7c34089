// Plain SQLite on a file, for files that HyphaDB is not to have made: node sqlite-child.cjs '{"path", "run": [sql], "all": [sql]}'
const { createRequire } = require('node:module');
const { join } = require('node:path');
const Database = createRequire(join(__dirname, '..', '..', 'package.json'))('better-sqlite3-multiple-ciphers');

const { path, run = [], all = [], values = [] } = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const db = new Database(path);
for (const sql of run) db.exec(sql);
if (values.length > 0) {
  const insert = db.prepare('INSERT INTO storage_entries(namespace, key, value, metadata, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)');
  db.transaction(() => values.forEach((row) => insert.run(...row)))();
}
const answers = all.map((sql) => db.prepare(sql).raw().all());
db.close();
process.stdout.write(JSON.stringify(answers));
