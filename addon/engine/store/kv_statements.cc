#include "store/kv_statements.h"

#include "store/sql.h"

namespace hypha {
namespace {

constexpr std::array kTexts{sql::kNamespaceId,
                            sql::kNamespaceGet,
                            sql::kNamespaceNames,
                            sql::kNamespaceAdd,
                            sql::kNamespaceMakeExplicit,
                            sql::kNamespaceDelete,
                            sql::kNamespaceAnyEntry,
                            sql::kGet,
                            sql::kGetEntry,
                            sql::kHas,
                            sql::kGetMetadata,
                            sql::kGetVersion,
                            sql::kUpsert,
                            sql::kUpsertUnchecked,
                            sql::kUpsertMetadata,
                            sql::kInsert,
                            sql::kUpdateIfVersion,
                            sql::kSetMetadata,
                            sql::kDelete,
                            sql::kDeleteIfVersion,
                            sql::kDeleteNamespaceEntries,
                            sql::kDeleteAllEntries,
                            sql::kCountNamespace,
                            sql::kCountEntries,
                            sql::kCountNamespaces,
                            sql::kVersionMarkGet,
                            sql::kVersionMarkSet,
                            sql::kRestoreInsert,
                            sql::kRestoreUpdate,
                            sql::kRestoreNamespace,
                            sql::kMetaGet,
                            sql::kMetaSet,
                            sql::kNamespaceName};
static_assert(kTexts.size() == static_cast<std::size_t>(Sql::kCount), "one text for each statement, in enum order");

}  // namespace

Result<sqlite3_stmt*> KvStatements::Get(Sql id) {
  const auto index = static_cast<std::size_t>(id);
  StatementHandle& handle = prepared_[index];
  if (handle == nullptr) {
    auto prepared = Prepare(db_.handle(), kTexts[index]);
    if (!prepared.ok()) return prepared.status();
    handle = std::move(prepared.value());
  }
  return handle.get();
}

}  // namespace hypha
