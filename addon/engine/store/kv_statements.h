// The fixed statements of the key-value store, prepared once per connection on first use.
#pragma once

#include <array>
#include <cstdint>

#include "sqlite/connection.h"

namespace hypha {

enum class Sql : std::uint8_t {
  kNamespaceId,
  kNamespaceGet,
  kNamespaceNames,
  kNamespaceAdd,
  kNamespaceMakeExplicit,
  kNamespaceDelete,
  kNamespaceAnyEntry,
  kGet,
  kGetEntry,
  kHas,
  kGetMetadata,
  kGetVersion,
  kUpsert,
  kUpsertUnchecked,
  kUpsertMetadata,
  kInsert,
  kUpdateIfVersion,
  kSetMetadata,
  kDelete,
  kDeleteIfVersion,
  kDeleteNamespaceEntries,
  kDeleteAllEntries,
  kCountNamespace,
  kCountEntries,
  kCountNamespaces,
  kVersionMarkGet,
  kVersionMarkSet,
  kRestoreInsert,
  kRestoreUpdate,
  kRestoreNamespace,
  kMetaGet,
  kMetaSet,
  kNamespaceName,
  kCount
};

// Thread: that of the connection. REQUIRES: the connection outlives it.
class KvStatements {
 public:
  explicit KvStatements(Connection& db) : db_(db) {}

  Result<sqlite3_stmt*> Get(Sql id);
  Connection& db() { return db_; }

 private:
  Connection& db_;
  std::array<StatementHandle, static_cast<std::size_t>(Sql::kCount)> prepared_;
};

}  // namespace hypha
