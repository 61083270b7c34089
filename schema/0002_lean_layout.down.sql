DROP VIEW storage_entries;
DROP VIEW storage_namespaces;
CREATE TABLE storage_entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  namespace TEXT NOT NULL DEFAULT 'default',
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  metadata TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE(namespace, key)
);
CREATE INDEX idx_storage_namespace_key ON storage_entries(namespace, key);
CREATE INDEX idx_storage_namespace ON storage_entries(namespace);
CREATE INDEX idx_storage_created_at ON storage_entries(created_at);
CREATE INDEX idx_storage_updated_at ON storage_entries(updated_at);
CREATE TABLE storage_namespaces (
  name TEXT PRIMARY KEY,
  metadata TEXT,
  created_at INTEGER NOT NULL
);
INSERT INTO storage_namespaces(name, metadata, created_at)
SELECT name, metadata, created_at FROM hypha_namespaces WHERE explicit = 1;
INSERT INTO storage_entries(id, namespace, key, value, metadata, created_at, updated_at)
SELECT e.id, n.name, e.key, e.value, e.metadata, e.created_at, e.updated_at
FROM hypha_entries AS e JOIN hypha_namespaces AS n ON n.id = e.ns_id;

-- A quarantined row whose place was taken meanwhile stays in quarantine; one whose id alone was taken gets a new id.
INSERT INTO storage_entries(id, namespace, key, value, metadata, created_at, updated_at)
SELECT new_id, namespace, key, value, metadata, created_at, updated_at
FROM (SELECT q.*, CASE WHEN q.id IN (SELECT id FROM hypha_entries)
                         OR EXISTS (SELECT 1 FROM quarantine AS p WHERE p.id = q.id AND p.rowid < q.rowid)
                       THEN NULL ELSE q.id END AS new_id
      FROM quarantine AS q
      WHERE q.rowid IN (SELECT min(rowid) FROM quarantine WHERE source = 'storage_entries' GROUP BY namespace, key)
        AND NOT EXISTS (SELECT 1 FROM storage_entries AS s WHERE s.namespace = q.namespace AND s.key = q.key))
ORDER BY new_id IS NULL;
INSERT INTO storage_namespaces(name, metadata, created_at)
SELECT q.namespace, q.metadata, q.created_at FROM quarantine AS q
WHERE q.rowid IN (SELECT min(rowid) FROM quarantine WHERE source = 'storage_namespaces'
                  GROUP BY namespace, CASE WHEN namespace IS NULL THEN rowid END)  -- the kernel's table may hold many NULLs
  AND NOT EXISTS (SELECT 1 FROM storage_namespaces AS s WHERE s.name = q.namespace);
DELETE FROM quarantine
WHERE source = 'storage_namespaces'
  AND rowid IN (SELECT min(rowid) FROM quarantine WHERE source = 'storage_namespaces'
                GROUP BY namespace, CASE WHEN namespace IS NULL THEN rowid END)
  AND NOT EXISTS (SELECT 1 FROM hypha_namespaces AS n WHERE n.explicit = 1 AND n.name = quarantine.namespace);
DELETE FROM quarantine
WHERE source = 'storage_entries'
  AND rowid IN (SELECT min(rowid) FROM quarantine WHERE source = 'storage_entries' GROUP BY namespace, key)
  AND NOT EXISTS (SELECT 1 FROM hypha_entries AS e JOIN hypha_namespaces AS n ON n.id = e.ns_id
                  WHERE n.name = quarantine.namespace AND e.key = quarantine.key);

-- What was indexed is remembered, so that the way up can make the indexes again. Those that could not be made the last
-- time get another chance.
CREATE TABLE hypha_kept_indexes (
  namespace TEXT NOT NULL,
  fields TEXT NOT NULL,
  is_unique INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
INSERT INTO hypha_kept_indexes(namespace, fields, is_unique, created_at)
SELECT n.name, i.fields, i.is_unique, i.created_at
FROM hypha_indexes AS i JOIN hypha_namespaces AS n ON n.id = i.ns_id ORDER BY i.id;
INSERT INTO hypha_kept_indexes(namespace, fields, is_unique, created_at)
SELECT namespace, key, value, created_at FROM quarantine WHERE source = 'hypha_indexes' ORDER BY rowid;
DELETE FROM quarantine WHERE source = 'hypha_indexes';

DROP TABLE hypha_entries;
DROP TABLE hypha_namespaces;
DROP TABLE hypha_indexes;
DROP TABLE hypha_meta;
ALTER TABLE schema_version DROP COLUMN checksum;
PRAGMA application_id = 0;
PRAGMA user_version = 0;
