// All SQL of the key-value store. Text here is literal; every value is bound.
#pragma once

namespace hypha::sql {

inline constexpr const char* kNamespaceId = "SELECT id FROM hypha_namespaces WHERE name = ?1";
inline constexpr const char* kNamespaceName = "SELECT name FROM hypha_namespaces WHERE id = ?1";
inline constexpr const char* kNamespaceGet =
    "SELECT explicit, metadata, created_at FROM hypha_namespaces WHERE name = ?1";
inline constexpr const char* kNamespaceNames = "SELECT name FROM hypha_namespaces ORDER BY name";
inline constexpr const char* kNamespaceAdd =
    "INSERT INTO hypha_namespaces(name, explicit, metadata, created_at) VALUES(?1, ?2, ?3, ?4) RETURNING id";
inline constexpr const char* kNamespaceMakeExplicit =
    "UPDATE hypha_namespaces SET explicit = 1, metadata = coalesce(?2, metadata) WHERE name = ?1 AND explicit = 0";
inline constexpr const char* kNamespaceDelete = "DELETE FROM hypha_namespaces WHERE id = ?1";
inline constexpr const char* kNamespaceAnyEntry = "SELECT 1 FROM hypha_entries WHERE ns_id = ?1 LIMIT 1";

inline constexpr const char* kGet = "SELECT value, crc FROM hypha_entries WHERE ns_id = ?1 AND key = ?2";
inline constexpr const char* kGetEntry =
    "SELECT value, crc, metadata, created_at, updated_at, version FROM hypha_entries WHERE ns_id = ?1 AND key = ?2";
inline constexpr const char* kHas = "SELECT 1 FROM hypha_entries WHERE ns_id = ?1 AND key = ?2";
inline constexpr const char* kGetMetadata =
    "SELECT NULL, crc, metadata, created_at, updated_at, version FROM hypha_entries WHERE ns_id = ?1 AND key = ?2";
inline constexpr const char* kGetVersion = "SELECT version FROM hypha_entries WHERE ns_id = ?1 AND key = ?2";

// A set without metadata keeps what there is. A row that has had no checksum gets one, which takes reading all of it.
inline constexpr const char* kUpsert =
    "INSERT INTO hypha_entries(ns_id, version, created_at, updated_at, crc, key, value) "
    "VALUES(?1, ?2, ?3, ?3, ?7, ?4, ?6) ON CONFLICT(ns_id, key) DO UPDATE SET version = excluded.version, "
    "updated_at = excluded.updated_at, crc = coalesce(hypha_next_crc(crc, updated_at, version, excluded.crc, "
    "excluded.updated_at, excluded.version), hypha_entry_crc(excluded.ns_id, excluded.key, excluded.value, metadata, "
    "created_at, excluded.updated_at, excluded.version)), value = excluded.value";
inline constexpr const char* kUpsertUnchecked =
    "INSERT INTO hypha_entries(ns_id, version, created_at, updated_at, key, value) "
    "VALUES(?1, ?2, ?3, ?3, ?4, ?6) ON CONFLICT(ns_id, key) DO UPDATE SET version = excluded.version, "
    "updated_at = excluded.updated_at, crc = NULL, value = excluded.value";
// Metadata that is given replaces, metadata that is not is kept. What writes over a row has an EntryChange as its last
// parameter, or NULL where entries get no checksum.
inline constexpr const char* kUpsertMetadata =
    "INSERT INTO hypha_entries(ns_id, version, created_at, updated_at, crc, key, metadata, value) "
    "VALUES(?1, ?2, ?3, ?3, ?7, ?4, ?5, ?6) ON CONFLICT(ns_id, key) DO UPDATE SET version = excluded.version, "
    "updated_at = excluded.updated_at, crc = hypha_changed_crc(?8, crc, metadata, created_at, updated_at, version), "
    "metadata = excluded.metadata, value = excluded.value";
inline constexpr const char* kInsert =
    "INSERT INTO hypha_entries(ns_id, version, created_at, updated_at, crc, key, metadata, value) "
    "VALUES(?1, ?2, ?3, ?3, ?7, ?4, ?5, ?6) ON CONFLICT(ns_id, key) DO NOTHING";
inline constexpr const char* kUpdateIfVersion =
    "UPDATE hypha_entries SET version = ?2, updated_at = ?3, "
    "crc = hypha_changed_crc(?8, crc, metadata, created_at, updated_at, version), metadata = coalesce(?5, metadata), "
    "value = ?6 WHERE ns_id = ?1 AND key = ?4 AND version = ?7";
inline constexpr const char* kSetMetadata =
    "UPDATE hypha_entries SET version = ?2, updated_at = ?3, metadata = ?5, "
    "crc = hypha_changed_crc(?8, crc, metadata, created_at, updated_at, version) WHERE ns_id = ?1 AND key = ?4";
inline constexpr const char* kDelete = "DELETE FROM hypha_entries WHERE ns_id = ?1 AND key = ?2";
inline constexpr const char* kDeleteIfVersion =
    "DELETE FROM hypha_entries WHERE ns_id = ?1 AND key = ?2 AND version = ?3";
inline constexpr const char* kDeleteNamespaceEntries = "DELETE FROM hypha_entries WHERE ns_id = ?1";
inline constexpr const char* kDeleteAllEntries = "DELETE FROM hypha_entries";

inline constexpr const char* kCountNamespace = "SELECT count(*) FROM hypha_entries WHERE ns_id = ?1";
inline constexpr const char* kCountEntries = "SELECT count(*) FROM hypha_entries";
inline constexpr const char* kCountNamespaces = "SELECT count(*) FROM hypha_namespaces";

inline constexpr const char* kVersionMarkGet = "SELECT value FROM hypha_meta WHERE name = 'version_mark'";
inline constexpr const char* kVersionMarkSet = "UPDATE hypha_meta SET value = ?1 WHERE name = 'version_mark'";

// Rows that come from elsewhere, with all that belongs to them.
inline constexpr const char* kRestoreInsert =
    "INSERT INTO hypha_entries(ns_id, version, created_at, updated_at, crc, key, metadata, value) "
    "VALUES(?1, ?2, ?3, ?8, ?7, ?4, ?5, ?6) ON CONFLICT(ns_id, key) DO NOTHING";
inline constexpr const char* kRestoreUpdate =
    "UPDATE hypha_entries SET version = ?2, created_at = ?3, updated_at = ?8, crc = ?7, metadata = ?5, value = ?6 "
    "WHERE ns_id = ?1 AND key = ?4";
inline constexpr const char* kRestoreNamespace =
    "UPDATE hypha_namespaces SET explicit = max(explicit, ?2), "
    "metadata = CASE WHEN ?5 THEN coalesce(?3, metadata) ELSE coalesce(metadata, ?3) END, "
    "created_at = CASE WHEN ?5 THEN coalesce(?4, created_at) ELSE created_at END WHERE id = ?1";

inline constexpr const char* kMetaGet = "SELECT CAST(value AS TEXT) FROM hypha_meta WHERE name = ?1";
inline constexpr const char* kMetaSet =
    "INSERT INTO hypha_meta(name, value) VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET value = excluded.value";

}  // namespace hypha::sql
