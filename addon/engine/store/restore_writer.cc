// EntryWriter on rows that come from elsewhere with their times and versions.
#include "base/entry_checksum.h"
#include "store/entry_writer.h"
#include "store/stored_entry.h"

namespace hypha {
namespace {

WriteOutcome Failed(Status status) { return {std::move(status), 0, 0}; }

void BindTime(Cursor& cursor, int index, const std::optional<std::int64_t>& time) {
  if (time) {
    cursor.Bind(index, *time);
  } else {
    cursor.BindNull(index);
  }
}

}  // namespace

WriteOutcome EntryWriter::Restore(const WriteOp& op) {
  if (!op.restore) return Failed(Status(Code::kInternal, "a restored row without its marks"));
  switch (op.restore->what) {
    case RestoredRow::What::kEntry: return RestoreEntry(op);
    case RestoredRow::What::kNamespace: return RestoreNamespace(op);
    case RestoredRow::What::kMeta: return RestoreMeta(op);
  }
  return Failed(Status(Code::kInternal, "unknown kind of row"));
}

WriteOutcome EntryWriter::RestoreEntry(const WriteOp& op) {
  auto ns_id = namespaces_.Find(op.ns);
  if (ns_id.ok() && ns_id.value() == 0) ns_id = AddNamespace(op.ns, std::nullopt, false);
  if (!ns_id.ok()) return Failed(ns_id.status());
  auto version = op.restore->version ? Result<std::int64_t>(*op.restore->version) : versions_.Next();
  if (version.ok() && op.restore->version) {
    Status reserved = versions_.Reserve(version.value());
    if (!reserved.ok()) return Failed(std::move(reserved));
  }
  if (!version.ok()) return Failed(version.status());
  const std::int64_t now = hooks_.now_ms();
  EntryView row{op.key,
                op.value,
                op.metadata ? std::string_view(*op.metadata) : std::string_view(),
                op.restore->created_at.value_or(now),
                op.restore->updated_at.value_or(now),
                version.value()};
  auto rows = RunRestore(Sql::kRestoreInsert, ns_id.value(), row);
  if (!rows.ok()) return Failed(rows.status());
  if (rows.value() == 1) return {Status::Ok(), row.version, 1};
  if (!op.overwrite) {
    return Failed({Code::kExists, "Key \"" + op.key + "\" already exists in namespace \"" + op.ns + "\""});
  }
  if (!op.restore->created_at) {
    Status status = CreationOf(ns_id.value(), op.key, &row.created_at);
    if (!status.ok()) return Failed(std::move(status));
  }
  rows = RunRestore(Sql::kRestoreUpdate, ns_id.value(), row);
  if (!rows.ok()) return Failed(rows.status());
  return {Status::Ok(), row.version, kRestoreReplaced};
}

Result<std::int64_t> EntryWriter::RunRestore(Sql id, std::int64_t ns_id, const EntryView& row) {
  auto statement = statements_.Get(id);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  cursor.Bind(1, ns_id).Bind(2, row.version).Bind(3, row.created_at).Bind(4, row.key);
  if (!row.metadata.empty()) cursor.Bind(5, row.metadata);
  cursor.Bind(6, row.value).Bind(8, row.updated_at);
  if (checksums_) cursor.Bind(7, EntryChecksum(ns_id, row));
  Status status = cursor.Run("restore an entry");
  if (!status.ok()) return status;
  return sqlite3_changes64(statements_.db().handle());
}

Status EntryWriter::CreationOf(std::int64_t ns_id, std::string_view key, std::int64_t* created_at) {
  auto statement = statements_.Get(Sql::kGetEntry);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  if (cursor.Bind(1, ns_id).Bind(2, key).Step()) {
    *created_at = StoredEntry(cursor, ns_id, key).attributes().created_at;
  }
  return cursor.status("read a time");
}

// Of a namespace that exists what is given replaces if it may, and what is missing is added in any case.
WriteOutcome EntryWriter::RestoreNamespace(const WriteOp& op) {
  auto ns_id = namespaces_.Find(op.ns);
  const bool is_new = ns_id.ok() && ns_id.value() == 0;
  if (is_new) ns_id = AddNamespace(op.ns, op.metadata, op.restore->is_explicit);
  if (!ns_id.ok()) return Failed(ns_id.status());
  auto statement = statements_.Get(Sql::kRestoreNamespace);
  if (!statement.ok()) return Failed(statement.status());
  Cursor cursor(statement.value());
  cursor.Bind(1, ns_id.value()).Bind(2, std::int64_t{op.restore->is_explicit}).BindOptional(3, op.metadata);
  BindTime(cursor, 4, op.restore->created_at);
  cursor.Bind(5, std::int64_t{op.overwrite || is_new});
  Status status = cursor.Run("restore a namespace");
  return status.ok() ? WriteOutcome{Status::Ok(), 0, 1} : Failed(std::move(status));
}

WriteOutcome EntryWriter::RestoreMeta(const WriteOp& op) {
  auto statement = statements_.Get(Sql::kMetaSet);
  if (!statement.ok()) return Failed(statement.status());
  Cursor cursor(statement.value());
  cursor.Bind(1, std::string_view(op.key)).Bind(2, std::string_view(op.value));
  Status status = cursor.Run("write a mark");
  return status.ok() ? WriteOutcome{Status::Ok(), 0, 1} : Failed(std::move(status));
}

}  // namespace hypha
