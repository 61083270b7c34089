DROP TABLE storage_entries;
DROP TABLE storage_namespaces;
DROP TABLE schema_version;
