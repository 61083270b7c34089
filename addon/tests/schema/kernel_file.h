// A database file as the Mycelia kernel's own backend leaves it, made of step 1's SQL, with awkward rows in it.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "schema/schema_files.h"
#include "sqlite/vfs_shim.h"
#include "sqlite/vfs_test_util.h"

namespace hypha::test {

inline constexpr int kGoodRows = 1000;
inline constexpr int kBadRows = 11;
inline constexpr int kBadNamespaces = 4;

// Rows that no contract can hold, each with the reason that its quarantine gives. `id` 5000 and up.
inline constexpr const char* kBadRowsSql =
    "INSERT INTO storage_entries(id, namespace, key, value, metadata, created_at, updated_at) VALUES"
    "(5000, 'bad', '', '1', NULL, 1, 1),"                                        // blank key
    "(5001, 'bad', '  ', '1', NULL, 1, 1),"                                      // blank key
    "(5002, '', 'k', '1', NULL, 1, 1),"                                          // blank namespace
    "(5003, 'bad', 'broken', '{\"a\":', NULL, 1, 1),"                            // broken JSON
    "(5004, 'bad', 'blob', x'0102', NULL, 1, 1),"                                // blob value
    "(5005, 'bad', x'6b', '1', NULL, 1, 1),"                                     // blob key
    "(5006, 'bad', replace(hex(zeroblob(2049)), '00', 'kk'), '1', NULL, 1, 1),"  // key of 4,098 bytes
    "(5007, 'bad', CAST(x'6bff' AS TEXT), '1', NULL, 1, 1),"                     // key not UTF-8
    "(5008, 'bad', 'invalid value', CAST(x'22ff22' AS TEXT), NULL, 1, 1),"       // value not UTF-8
    "(5009, 'bad', 'list metadata', '1', '[1]', 1, 1),"                          // metadata no object
    "(5010, 'bad', 'time', '1', NULL, 'yesterday', 1);"                          // time no integer
    "INSERT INTO storage_namespaces(name, metadata, created_at) VALUES"
    "(NULL, NULL, 1), (NULL, '{\"second\":true}', 2), ('', NULL, 1), ('odd', 'not json', 1);";

inline void FillKernelFile(TestDb& db) {
  ASSERT_EQ(db.Exec(std::string(SchemaFiles()[0].up)), SQLITE_OK);
  ASSERT_EQ(
      db.Exec(
          "INSERT INTO schema_version VALUES(1, 1700000000000);"
          "INSERT INTO storage_namespaces VALUES('default', NULL, 1), ('users', '{\"a\":1}', 2), ('empty', NULL, 3);"
          "CREATE TABLE mine(a, b); INSERT INTO mine VALUES(1, 'kept'); CREATE INDEX mine_a ON mine(a);"
          "CREATE VIEW my_view AS SELECT a FROM mine"),
      SQLITE_OK);
  ASSERT_EQ(
      db.Exec("WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 990) "
              "INSERT INTO storage_entries(id, namespace, key, value, metadata, created_at, updated_at) "
              "SELECT 2 * i, CASE i % 3 WHEN 0 THEN 'default' WHEN 1 THEN 'users' ELSE 'implicit' END, 'key' || i, "
              "'{\"i\":' || i || '}', CASE WHEN i % 5 = 0 THEN '{\"m\":1}' END, 1000 + i, 2000 + i FROM n"),
      SQLITE_OK);
  // Good, if unusual: numeric keys become text in the kernel's table too.
  ASSERT_EQ(
      db.Exec("INSERT INTO storage_entries(id, namespace, key, value, created_at, updated_at) VALUES"
              "(4001, 'users', 5, '1', 1, 1), (4002, 'users', 5.0, '1', 1, 1), (4003, 'users', ' padded ', '1', 1, 1),"
              "(4004, 'users', '\xe6\x95\xb0\xe6\x8d\xae', '\"\xf0\x9f\x98\x80\"', 1, 1),"
              "(4005, 'users', 'a' || char(0) || 'b', 'null', 1, 1), (4006, 'users', 'big', '\"' || "
              "hex(zeroblob(524288)) || '\"', 1, 1),"
              "(4007, 'users', replace(hex(zeroblob(2048)), '00', 'kk'), 'true', -5, 0), (4008, 'users', '%_*\"', ' "
              "[1] ', 1, 1),"
              "(4009, 'users', 'text number', 17, 1, 1), (4010, 'users', 'escape', '\"\\ud83d\"', 1, 1)"),
      SQLITE_OK);
  ASSERT_EQ(db.Exec(kBadRowsSql), SQLITE_OK);
}

// `sql` of the kernel's tables and indexes; the row contents, whatever their types.
inline constexpr const char* kKernelSchemaSql =
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name IN ('storage_entries', 'storage_namespaces', "
    "'schema_version') ORDER BY type, name";
inline constexpr const char* kKernelRowsSql =
    "SELECT id, typeof(namespace), quote(namespace), typeof(key), quote(CAST(key AS BLOB)), typeof(value), "
    "quote(CAST(value AS BLOB)), quote(metadata), quote(created_at), quote(updated_at) FROM storage_entries ORDER BY "
    "id";
inline constexpr const char* kKernelNamespacesSql =
    "SELECT quote(name), quote(metadata), quote(created_at) FROM storage_namespaces ORDER BY name, created_at";

struct KernelContent {
  std::string schema;
  std::string rows;
  std::string namespaces;
  std::string mine;
  bool operator==(const KernelContent&) const = default;
};

inline KernelContent ReadKernelFile(const std::string& path) {
  EXPECT_EQ(RegisterFileVfs(), SQLITE_OK);
  TestDb db(path, kFileVfs);
  return {db.Query(kKernelSchemaSql), db.Query(kKernelRowsSql), db.Query(kKernelNamespacesSql),
          db.Query("SELECT * FROM mine UNION ALL SELECT a, 'view' FROM my_view")};
}

inline KernelContent MakeKernelFile(const std::string& path) {
  EXPECT_EQ(RegisterFileVfs(), SQLITE_OK);
  {
    TestDb db(path, kFileVfs);
    EXPECT_EQ(db.Query("PRAGMA journal_mode=WAL"), "wal");
    FillKernelFile(db);
  }
  return ReadKernelFile(path);
}

}  // namespace hypha::test
