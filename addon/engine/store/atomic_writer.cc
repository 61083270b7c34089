// EntryWriter on what atomic() and nested transactions add: checks, edits inside values, savepoints.
#include "base/mutant.h"
#include "query/json_scan.h"
#include "store/entry_writer.h"
#include "store/stored_entry.h"
#include "store/value_edit.h"

namespace hypha {
namespace {

std::vector<std::string> PathOf(const std::optional<std::string>& json) {
  std::vector<std::string> path;
  if (!json) return path;
  json::ArrayElements parts(*json);
  while (const auto part = parts.Next()) path.push_back(json::DecodeString(*part));
  return path;
}

}  // namespace

WriteOutcome EntryWriter::Check(const WriteOp& op) {
  auto ns_id = namespaces_.Find(op.ns);
  if (!ns_id.ok()) return {ns_id.status(), 0, 0};
  std::int64_t version = 0;
  if (ns_id.value() != 0) {
    auto statement = statements_.Get(Sql::kGetVersion);
    if (!statement.ok()) return {statement.status(), 0, 0};
    Cursor cursor(statement.value());
    if (cursor.Bind(1, ns_id.value()).Bind(2, std::string_view(op.key)).Step()) version = cursor.Integer(0);
    Status status = cursor.status("read a version");
    if (!status.ok()) return {std::move(status), 0, 0};
  }
  if (version == op.if_version.value_or(0) || Mutated(Mutant::kIgnoreConflicts)) return {Status::Ok(), version, 0};
  return {Status(Code::kConflict, "Key \"" + op.key + "\" in namespace \"" + op.ns + "\" has another version"), version,
          0};
}

WriteOutcome EntryWriter::Edit(const WriteOp& op) {
  auto ns_id = namespaces_.Find(op.ns);
  if (!ns_id.ok()) return {ns_id.status(), 0, 0};
  std::string value;
  if (ns_id.value() != 0) {
    auto statement = statements_.Get(Sql::kGet);
    if (!statement.ok()) return {statement.status(), 0, 0};
    Cursor cursor(statement.value());
    if (cursor.Bind(1, ns_id.value()).Bind(2, std::string_view(op.key)).Step()) {
      const StoredEntry row(cursor, ns_id.value(), op.key);
      if (!row.IsValueIntact()) return {DamagedEntry(op.ns, op.key), 0, 0};
      value = row.value();
    }
    Status status = cursor.status("read an entry");
    if (!status.ok()) return {std::move(status), 0, 0};
  }
  auto edited = EditValue(value, op.edit, PathOf(op.metadata), op.value);
  if (!edited.ok()) return {edited.status(), 0, 0};
  if (static_cast<std::int64_t>(edited.value().size()) > value_bytes_) {
    return {
        Status(Code::kTooLarge, "value is larger than limits.valueBytes (" + std::to_string(value_bytes_) + " bytes)"),
        0, 0};
  }
  WriteOp set;
  set.ns = op.ns;
  set.key = op.key;
  set.value = std::move(edited.value());
  return Apply(set);
}

WriteOutcome EntryWriter::RunSavepoint(const WriteOp& op) {
  const char* sql = op.kind == WriteKind::kSavepoint ? "SAVEPOINT nested" : "RELEASE nested";
  if (op.kind == WriteKind::kRollbackTo) {
    Status status = statements_.db().RunCached("ROLLBACK TO nested");
    if (!Mutated(Mutant::kRollbackToKeepsCache)) OnRollback();
    if (!status.ok()) {
      // What was to be taken back must not be committed with the rest.
      static_cast<void>(statements_.db().RollBack());
      return {std::move(status), 0, 0};
    }
  }
  return {statements_.db().RunCached(sql), 0, 0};
}

}  // namespace hypha
