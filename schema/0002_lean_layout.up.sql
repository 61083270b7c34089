-- The lean layout: small integers for namespaces, one unique index, a version per entry from a store-wide counter.
-- Namespace ids are never used twice (AUTOINCREMENT), so that a cached id can be stale but never wrong.
CREATE TABLE hypha_namespaces (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  explicit INTEGER NOT NULL,
  metadata TEXT,
  created_at INTEGER NOT NULL
) STRICT;
-- `value` comes last: a row's other columns are read without walking the overflow pages of a large value.
CREATE TABLE hypha_entries (
  id INTEGER PRIMARY KEY,
  ns_id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  crc INTEGER,
  key TEXT NOT NULL,
  metadata TEXT,
  value TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX hypha_entries_key ON hypha_entries(ns_id, key);
CREATE TABLE hypha_meta (
  name TEXT PRIMARY KEY,
  value ANY
) STRICT, WITHOUT ROWID;
CREATE TABLE hypha_indexes (
  id INTEGER PRIMARY KEY,
  ns_id INTEGER NOT NULL,
  fields TEXT NOT NULL,
  is_unique INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
-- Rows of step 1 that the contract cannot hold, with the column types they had.
CREATE TABLE IF NOT EXISTS quarantine (
  source TEXT NOT NULL,
  id,
  namespace,
  key,
  value,
  metadata,
  created_at,
  updated_at,
  reason TEXT NOT NULL
);

INSERT INTO quarantine(source, id, namespace, key, value, metadata, created_at, updated_at, reason)
SELECT 'storage_entries', id, namespace, key, value, metadata, created_at, updated_at, reason
FROM (SELECT *, hypha_entry_problem(namespace, key, value, metadata, created_at, updated_at) AS reason
      FROM storage_entries)
WHERE reason IS NOT NULL;
INSERT INTO quarantine(source, namespace, metadata, created_at, reason)
SELECT 'storage_namespaces', name, metadata, created_at, reason
FROM (SELECT *, hypha_namespace_problem(name, metadata, created_at) AS reason FROM storage_namespaces)
WHERE reason IS NOT NULL;

INSERT INTO hypha_namespaces(name, explicit, metadata, created_at)
SELECT name, 1, metadata, created_at FROM storage_namespaces
WHERE hypha_namespace_problem(name, metadata, created_at) IS NULL;
INSERT INTO hypha_namespaces(name, explicit, created_at)
SELECT namespace, 0, min(created_at) FROM storage_entries
WHERE hypha_entry_problem(namespace, key, value, metadata, created_at, updated_at) IS NULL
  AND namespace NOT IN (SELECT name FROM hypha_namespaces)
GROUP BY namespace;

INSERT INTO hypha_entries(id, ns_id, version, created_at, updated_at, key, metadata, value)
SELECT e.id, n.id, row_number() OVER (ORDER BY e.id), e.created_at, e.updated_at, e.key, e.metadata, e.value
FROM storage_entries AS e JOIN hypha_namespaces AS n ON n.name = e.namespace
WHERE hypha_entry_problem(e.namespace, e.key, e.value, e.metadata, e.created_at, e.updated_at) IS NULL;
INSERT INTO hypha_meta(name, value) SELECT 'version_mark', count(*) FROM hypha_entries;

DROP TABLE storage_entries;
DROP TABLE storage_namespaces;
ALTER TABLE schema_version ADD COLUMN checksum TEXT;
-- The old names stay readable for whoever looks at the file with SQL.
CREATE VIEW storage_entries AS
SELECT e.id, n.name AS namespace, e.key, e.value, e.metadata, e.created_at, e.updated_at
FROM hypha_entries AS e JOIN hypha_namespaces AS n ON n.id = e.ns_id;
CREATE VIEW storage_namespaces AS
SELECT name, metadata, created_at FROM hypha_namespaces WHERE explicit = 1;
PRAGMA application_id = 1215918177;
PRAGMA user_version = 2;
