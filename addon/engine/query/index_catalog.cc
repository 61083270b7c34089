#include "query/index_catalog.h"

#include <string>
#include <utility>

#include "sqlite/transaction.h"

namespace hypha {
namespace {

IndexDefinition FromRow(const Cursor& cursor, bool* ok) {
  IndexDefinition index;
  index.id = cursor.Integer(0);
  index.ns_id = cursor.Integer(1);
  auto fields = FieldsFromJson(cursor.Text(2));
  *ok = fields.has_value() && !fields->empty();
  if (*ok) index.fields = std::move(*fields);
  index.unique = cursor.Integer(3) != 0;
  return index;
}

Status RunAll(Connection& db, const std::vector<std::string>& statements) {
  for (const auto& sql : statements) {
    Status status = db.Exec(sql.c_str());
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Status InsertRow(Connection& db, IndexDefinition& index, std::int64_t now_ms) {
  auto lease = db.cache().Take(
      "INSERT INTO hypha_indexes(ns_id, fields, is_unique, created_at) VALUES(?1, ?2, ?3, ?4) RETURNING id");
  if (!lease.ok()) return lease.status();
  const std::string fields = FieldsToJson(index.fields);
  Cursor cursor(lease.value().get());
  cursor.Bind(1, index.ns_id).Bind(2, std::string_view(fields)).Bind(3, std::int64_t{index.unique}).Bind(4, now_ms);
  if (cursor.Step()) index.id = cursor.Integer(0);
  return cursor.Run("record an index");
}

// What made the indexes' values.
std::string Build() {
  constexpr const char* kOrderKeyForm = "order keys 1";
#if defined(__x86_64__)
  constexpr const char* kProcessor = "x86-64";
#elif defined(__aarch64__)
  constexpr const char* kProcessor = "aarch64";
#else
  constexpr const char* kProcessor = "other";
#endif
  return std::string(sqlite3_sourceid()) + "; " + kProcessor + "; " + kOrderKeyForm;
}

Status RecordBuild(Connection& db) {
  auto lease = db.cache().Take(
      "INSERT INTO hypha_meta(name, value) VALUES('index_build', ?1) ON CONFLICT(name) DO UPDATE SET value = "
      "excluded.value");
  if (!lease.ok()) return lease.status();
  const std::string build = Build();
  return Cursor(lease.value().get()).Bind(1, std::string_view(build)).Run("record the build of indexes");
}

Result<bool> SameBuild(Connection& db) {
  auto lease = db.cache().Take("SELECT 1 FROM hypha_meta WHERE name = 'index_build' AND value = ?1");
  if (!lease.ok()) return lease.status();
  const std::string build = Build();
  Cursor cursor(lease.value().get());
  const bool same = cursor.Bind(1, std::string_view(build)).Step();
  Status status = cursor.status("read the build of indexes");
  if (!status.ok()) return status;
  return same;
}

}  // namespace

Result<std::vector<IndexDefinition>> LoadIndexes(Connection& db, std::int64_t ns_id) {
  auto lease =
      db.cache().Take("SELECT id, ns_id, fields, is_unique FROM hypha_indexes WHERE ns_id = ?1 OR ?1 = 0 ORDER BY id");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  cursor.Bind(1, ns_id);
  std::vector<IndexDefinition> indexes;
  while (cursor.Step()) {
    bool ok = false;
    indexes.push_back(FromRow(cursor, &ok));
    if (!ok) return Status(Code::kCorrupt, "an entry of the index catalogue cannot be read");
  }
  Status status = cursor.status("read the index catalogue");
  if (!status.ok()) return status;
  return indexes;
}

Status CreateIndex(Connection& db, IndexDefinition& index, std::int64_t now_ms) {
  auto existing = LoadIndexes(db, index.ns_id);
  if (!existing.ok()) return existing.status();
  for (const auto& other : existing.value()) {
    if (other.fields != index.fields) continue;
    index.id = other.id;
    if (other.unique == index.unique) return Status::Ok();
    return {Code::kExists,
            "an index on these fields exists, and it is " + std::string(other.unique ? "" : "not ") + "unique"};
  }
  Status status = InsertRow(db, index, now_ms);
  if (status.ok()) status = RecordBuild(db);
  return status.ok() ? RunAll(db, CreateStatements(index)) : status;
}

Status DropIndex(Connection& db, const IndexDefinition& index) {
  auto lease = db.cache().Take("DELETE FROM hypha_indexes WHERE id = ?1");
  if (!lease.ok()) return lease.status();
  Status status = Cursor(lease.value().get()).Bind(1, index.id).Run("forget an index");
  return status.ok() ? RunAll(db, DropStatements(index)) : status;
}

Status RefreshIndexes(Connection& db) {
  auto indexes = LoadIndexes(db, 0);
  if (!indexes.ok()) return indexes.status();
  if (indexes.value().empty()) return Status::Ok();
  auto same = SameBuild(db);
  if (!same.ok()) return same.status();
  if (same.value()) return Status::Ok();
  auto transaction = Transaction::Begin(db);
  if (!transaction.ok()) return transaction.status();
  for (const auto& index : indexes.value()) {
    for (const auto& statements : {DropStatements(index), CreateStatements(index)}) {
      Status status = RunAll(db, statements);
      if (!status.ok()) return status;
    }
  }
  Status status = RecordBuild(db);
  return status.ok() ? std::move(transaction.value()).Commit() : status;
}

}  // namespace hypha
