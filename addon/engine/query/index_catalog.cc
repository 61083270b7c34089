#include "query/index_catalog.h"

#include <string>
#include <utility>

#include "base/mutant.h"
#include "sqlite/savepoint.h"
#include "sqlite/transaction.h"

namespace hypha {
namespace {

// An index by names that hold in another file layout as well.
struct KeptIndex {
  std::string ns;
  std::string fields;
  bool unique = false;
  std::int64_t created_at = 0;
};

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

// The definition of an index that could not be made stays to be seen, and to be tried again.
Status Quarantine(Connection& db, const KeptIndex& kept, std::string_view reason) {
  auto lease = db.cache().Take(
      "INSERT INTO quarantine(source, namespace, key, value, created_at, reason) VALUES('hypha_indexes', ?1, ?2, ?3, "
      "?4, "
      "?5)");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  cursor.Bind(1, std::string_view(kept.ns)).Bind(2, std::string_view(kept.fields));
  cursor.Bind(3, std::int64_t{kept.unique}).Bind(4, kept.created_at).Bind(5, reason);
  return cursor.Run("quarantine an index");
}

// Makes the index, or nothing: kConstraint where its values repeat.
Status TryCreate(Connection& db, const IndexDefinition& index) {
  auto savepoint = Savepoint::Begin(db);
  if (!savepoint.ok()) return savepoint.status();
  Status status = RunAll(db, CreateStatements(index));
  return status.ok() ? std::move(savepoint.value()).Release() : status;
}

constexpr const char* kRepeats = "two entries hold the same value of this unique index";

Result<KeptIndex> KeptOf(Connection& db, const IndexDefinition& index) {
  auto lease = db.cache().Take(
      "SELECT n.name, i.created_at FROM hypha_indexes AS i JOIN hypha_namespaces AS n ON n.id = i.ns_id WHERE i.id = "
      "?1");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  KeptIndex kept{{}, FieldsToJson(index.fields), index.unique, 0};
  if (cursor.Bind(1, index.id).Step())
    kept = {std::string(cursor.Text(0)), kept.fields, kept.unique, cursor.Integer(1)};
  Status status = cursor.status("read the index catalogue");
  if (!status.ok()) return status;
  return kept;
}

// Drops the index and makes it again, or moves it to quarantine.
Status Rebuild(Connection& db, const IndexDefinition& index) {
  Status status = RunAll(db, DropStatements(index));
  if (status.ok()) status = TryCreate(db, index);
  if (status.code() != Code::kConstraint) return status;
  auto kept = KeptOf(db, index);
  if (!kept.ok()) return kept.status();
  status = Quarantine(db, kept.value(), kRepeats);
  return status.ok() ? DropIndex(db, index) : status;
}

Result<std::vector<KeptIndex>> LoadKept(Connection& db) {
  std::vector<KeptIndex> all;
  auto lease =
      db.cache().Take("SELECT namespace, fields, is_unique, created_at FROM hypha_kept_indexes ORDER BY rowid");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  while (cursor.Step()) {
    all.push_back(
        {std::string(cursor.Text(0)), std::string(cursor.Text(1)), cursor.Integer(2) != 0, cursor.Integer(3)});
  }
  Status status = cursor.status("read the indexes that were kept");
  if (!status.ok()) return status;
  return all;
}

// The id of a namespace, which may have been empty but for its index.
Result<std::int64_t> NamespaceOf(Connection& db, std::string_view name, std::int64_t now_ms) {
  auto add = db.cache().Take(
      "INSERT INTO hypha_namespaces(name, explicit, created_at) VALUES(?1, 0, ?2) ON CONFLICT(name) DO NOTHING");
  if (!add.ok()) return add.status();
  Status status = Cursor(add.value().get()).Bind(1, name).Bind(2, now_ms).Run("add a namespace");
  if (!status.ok()) return status;
  auto find = db.cache().Take("SELECT id FROM hypha_namespaces WHERE name = ?1");
  if (!find.ok()) return find.status();
  Cursor cursor(find.value().get());
  if (cursor.Bind(1, name).Step()) return cursor.Integer(0);
  return cursor.status("find a namespace");
}

Status Restore(Connection& db, const KeptIndex& kept, std::int64_t now_ms) {
  auto fields = FieldsFromJson(kept.fields);
  if (!fields || fields->empty()) return Quarantine(db, kept, "the fields of the index are not readable");
  auto ns_id = NamespaceOf(db, kept.ns, now_ms);
  if (!ns_id.ok()) return ns_id.status();
  IndexDefinition index{0, ns_id.value(), std::move(*fields), kept.unique};
  Status status = InsertRow(db, index, kept.created_at);
  return status.ok() ? Rebuild(db, index) : status;
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

Status VerifyIndexes(Connection& db) {
  // One statement, and so one state of the file. The last row, without an id, has the number of indexes alone.
  auto lease = db.cache().Take(
      "SELECT i.id, i.ns_id, i.fields, i.is_unique, (SELECT sql FROM sqlite_schema WHERE name = 'hypha_ix_' || i.id), "
      "(SELECT sql FROM sqlite_schema WHERE name = 'hypha_ux_' || i.id), 0 FROM hypha_indexes AS i "
      "UNION ALL SELECT NULL, 0, '', 0, '', '', count(*) FROM sqlite_schema "
      "WHERE type = 'index' AND substr(name, 1, 9) IN ('hypha_ix_', 'hypha_ux_')");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  std::int64_t expected = 0;
  bool same = true;
  while (same && cursor.Step()) {
    if (!cursor.OptionalInteger(0)) {
      same = cursor.Integer(6) == expected;
      continue;
    }
    const IndexDefinition index = FromRow(cursor, &same);
    if (!same) continue;
    const auto statements = CreateStatements(index);
    expected += static_cast<std::int64_t>(statements.size());
    same = cursor.Text(4) == statements[0] && (!index.unique || cursor.Text(5) == statements[1]);
  }
  Status status = cursor.status("read the index catalogue");
  if (!status.ok() || same || Mutated(Mutant::kSchemaNotVerified)) return status;
  return {Code::kSchemaChanged, "the indexes of this file are not the ones that HyphaDB made"};
}

Status RefreshIndexes(Connection& db) {
  auto any = db.QueryInteger("SELECT count(*) FROM hypha_indexes");
  if (!any.ok()) return any.status();
  auto same = SameBuild(db);
  if (!same.ok()) return same.status();
  if (any.value() == 0 || same.value()) return Status::Ok();
  auto transaction = Transaction::Begin(db);
  if (!transaction.ok()) return transaction.status();
  same = SameBuild(db);  // another process may have done it meanwhile
  if (!same.ok()) return same.status();
  if (same.value()) return Status::Ok();
  auto indexes = LoadIndexes(db, 0);
  if (!indexes.ok()) return indexes.status();
  for (const auto& index : indexes.value()) {
    Status status = Rebuild(db, index);
    if (!status.ok()) return status;
  }
  Status status = RecordBuild(db);
  return status.ok() ? std::move(transaction.value()).Commit() : status;
}

Status RestoreIndexes(Connection& db, std::int64_t now_ms) {
  auto kept_any =
      db.QueryInteger("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'hypha_kept_indexes'");
  if (!kept_any.ok()) return kept_any.status();
  if (kept_any.value() == 0) return Status::Ok();
  auto all = LoadKept(db);
  if (!all.ok()) return all.status();
  for (const auto& kept : all.value()) {
    Status status = Restore(db, kept, now_ms);
    if (!status.ok()) return status;
  }
  Status status = RecordBuild(db);
  return status.ok() ? db.Exec("DROP TABLE hypha_kept_indexes") : status;
}

}  // namespace hypha
