-- The layout that the Mycelia kernel's own SQLite backend writes. Its files are databases of version 1.
CREATE TABLE IF NOT EXISTS storage_entries (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  namespace TEXT NOT NULL DEFAULT 'default',
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  metadata TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE(namespace, key)
);
CREATE INDEX IF NOT EXISTS idx_storage_namespace_key ON storage_entries(namespace, key);
CREATE INDEX IF NOT EXISTS idx_storage_namespace ON storage_entries(namespace);
CREATE INDEX IF NOT EXISTS idx_storage_created_at ON storage_entries(created_at);
CREATE INDEX IF NOT EXISTS idx_storage_updated_at ON storage_entries(updated_at);
CREATE TABLE IF NOT EXISTS storage_namespaces (
  name TEXT PRIMARY KEY,
  metadata TEXT,
  created_at INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS schema_version (
  version INTEGER PRIMARY KEY,
  applied_at INTEGER NOT NULL
);
