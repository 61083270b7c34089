#include "store/entry_writer.h"

#include "base/mutant.h"
#include "query/json_scan.h"
#include "query/sql_functions.h"
#include "sqlite/savepoint.h"
#include "store/stored_entry.h"

namespace hypha {
namespace {

WriteOutcome Failed(Status status) { return {std::move(status), 0, 0}; }

Status MissingKey(const WriteOp& op) {
  return {Code::kNotFound, "Key \"" + op.key + "\" not found in namespace \"" + op.ns + "\""};
}

Status NamespaceTaken(const WriteOp& op) {
  return {Code::kNamespaceExists, "Namespace \"" + op.ns + "\" already exists"};
}

Status MissingNamespace(const WriteOp& op) {
  return {Code::kNamespaceNotFound, "Namespace \"" + op.ns + "\" does not exist"};
}

std::int64_t Changes(Connection& db) { return sqlite3_changes64(db.handle()); }

}  // namespace

void EntryWriter::OnBegin() {
  if (DataVersion(statements_.db()) == data_version_ || Mutated(Mutant::kIgnoreOtherProcesses)) return;
  namespaces_.Clear();
  versions_.Forget();
}

void EntryWriter::OnCommit() { data_version_ = DataVersion(statements_.db()); }

void EntryWriter::OnRollback() {
  if (!Mutated(Mutant::kKeepNamespaceCache)) namespaces_.Clear();
  if (!Mutated(Mutant::kKeepVersionBlock)) versions_.Forget();
}

WriteOutcome EntryWriter::Apply(const WriteOp& op) {
  switch (op.kind) {
    case WriteKind::kSet: return Set(op);
    case WriteKind::kDelete: return Delete(op);
    case WriteKind::kSetMetadata:
    case WriteKind::kMergeMetadata: return SetMetadata(op);
    case WriteKind::kCreateNamespace: return CreateNamespace(op);
    case WriteKind::kDeleteNamespace: return DeleteNamespace(op);
    case WriteKind::kClear: return Clear(op);
    case WriteKind::kCreateIndex: return CreateIndex(op);
    case WriteKind::kDropIndex: return DropIndex(op);
    case WriteKind::kCheck: return Check(op);
    case WriteKind::kEdit: return Edit(op);
    case WriteKind::kSavepoint:
    case WriteKind::kRelease:
    case WriteKind::kRollbackTo: return RunSavepoint(op);
    case WriteKind::kRestore: return Restore(op);
  }
  return Failed(Status(Code::kInternal, "unknown kind of write"));
}

Result<std::int64_t> EntryWriter::AddNamespace(std::string_view name, const std::optional<std::string>& metadata,
                                               bool is_explicit) {
  auto statement = statements_.Get(Sql::kNamespaceAdd);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  cursor.Bind(1, name).Bind(2, std::int64_t{is_explicit});
  cursor.BindOptional(3, metadata).Bind(4, hooks_.now_ms());
  const std::int64_t id = cursor.Step() ? cursor.Integer(0) : 0;
  while (cursor.Step()) {
  }
  Status status = cursor.status("add a namespace");
  if (!status.ok()) return status;
  namespaces_.Put(name, id);
  return id;
}

Result<std::int64_t> EntryWriter::RunWrite(Sql id, const WriteOp& op, std::int64_t ns_id, std::int64_t version) {
  auto statement = statements_.Get(id);
  if (!statement.ok()) return statement.status();
  const std::int64_t now = hooks_.now_ms();
  const bool sets_value = id != Sql::kSetMetadata;
  EntryChange change{ns_id, op.key, std::nullopt, std::nullopt, now, version};
  Cursor cursor(statement.value());
  cursor.Bind(1, ns_id).Bind(2, version).Bind(3, now).Bind(4, std::string_view(op.key));
  if (op.metadata) cursor.Bind(5, std::string_view(*op.metadata));
  if (sets_value) cursor.Bind(6, std::string_view(op.value));
  if (id == Sql::kUpdateIfVersion) cursor.Bind(7, *op.if_version);
  if (checksums_) {
    if (op.metadata || !sets_value) change.metadata = op.metadata ? *op.metadata : std::string_view();
    if (sets_value) change.value_half = ValueChecksum(ns_id, op.key, op.value);
    if (id == Sql::kInsert || id == Sql::kUpsert || id == Sql::kUpsertMetadata) {
      const EntryView row{op.key, {}, change.metadata.value_or(""), now, now, version};
      cursor.Bind(7, JoinChecksum(AttributesChecksum(ns_id, row), *change.value_half));
    }
    if (id != Sql::kInsert && id != Sql::kUpsert) cursor.BindPointer(8, &change, kChangePointer);
  }
  Status status = cursor.Run("write an entry");
  if (!status.ok()) return status;
  return Changes(statements_.db());
}

WriteOutcome EntryWriter::Set(const WriteOp& op) {
  auto ns_id = namespaces_.Find(op.ns);
  if (!ns_id.ok()) return Failed(ns_id.status());
  if (ns_id.value() == 0) return SetInNewNamespace(op);
  return op.if_version ? SetIfVersion(op, ns_id.value()) : SetAlways(op, ns_id.value());
}

// The namespace exists only if the entry does.
WriteOutcome EntryWriter::SetInNewNamespace(const WriteOp& op) {
  if (op.if_version.value_or(0) != 0) return Failed(OutOfPlace(op, 0));
  auto savepoint = Savepoint::Begin(statements_.db());
  if (!savepoint.ok()) return Failed(savepoint.status());
  auto ns_id = AddNamespace(op.ns, std::nullopt, false);
  if (!ns_id.ok()) return Failed(ns_id.status());
  WriteOutcome outcome = SetAlways(op, ns_id.value());
  if (outcome.status.ok()) outcome.status = std::move(savepoint.value()).Release();
  if (!outcome.status.ok()) OnRollback();
  return outcome;
}

WriteOutcome EntryWriter::SetAlways(const WriteOp& op, std::int64_t ns_id) {
  auto version = versions_.Next();
  if (!version.ok()) return Failed(version.status());
  const Sql upsert = op.metadata ? Sql::kUpsertMetadata : checksums_ ? Sql::kUpsert : Sql::kUpsertUnchecked;
  auto rows = RunWrite(op.overwrite ? upsert : Sql::kInsert, op, ns_id, version.value());
  if (!rows.ok()) return Failed(rows.status());
  if (rows.value() == 0) {
    return Failed({Code::kExists, "Key \"" + op.key + "\" already exists in namespace \"" + op.ns + "\""});
  }
  return {Status::Ok(), version.value(), 1};
}

WriteOutcome EntryWriter::SetIfVersion(const WriteOp& op, std::int64_t ns_id) {
  auto version = versions_.Next();
  if (!version.ok()) return Failed(version.status());
  auto rows = RunWrite(*op.if_version == 0 ? Sql::kInsert : Sql::kUpdateIfVersion, op, ns_id, version.value());
  if (!rows.ok()) return Failed(rows.status());
  if (rows.value() == 0) return Failed(OutOfPlace(op, ns_id));
  return {Status::Ok(), version.value(), 1};
}

Status EntryWriter::OutOfPlace(const WriteOp& op, std::int64_t ns_id) {
  auto statement = statements_.Get(Sql::kGetVersion);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  const bool present = cursor.Bind(1, ns_id).Bind(2, std::string_view(op.key)).Step();
  const std::string found = present ? "version " + std::to_string(cursor.Integer(0)) : "no entry";
  Status status = cursor.status("read a version");
  if (!status.ok()) return status;
  const std::string wanted = *op.if_version == 0 ? "no entry" : "version " + std::to_string(*op.if_version);
  return {Code::kConflict,
          "Key \"" + op.key + "\" in namespace \"" + op.ns + "\": expected " + wanted + ", found " + found};
}

WriteOutcome EntryWriter::Delete(const WriteOp& op) {
  auto ns_id = namespaces_.Find(op.ns);
  if (!ns_id.ok()) return Failed(ns_id.status());
  if (ns_id.value() == 0 && !op.if_version) return {Status::Ok(), 0, 0};
  auto statement = statements_.Get(op.if_version ? Sql::kDeleteIfVersion : Sql::kDelete);
  if (!statement.ok()) return Failed(statement.status());
  std::int64_t rows = 0;
  {
    Cursor cursor(statement.value());
    cursor.Bind(1, ns_id.value()).Bind(2, std::string_view(op.key));
    if (op.if_version) cursor.Bind(3, *op.if_version);
    Status status = cursor.Run("delete an entry");
    if (!status.ok()) return Failed(std::move(status));
    rows = Changes(statements_.db());
  }
  if (op.if_version && rows == 0) return Failed(OutOfPlace(op, ns_id.value()));
  return {Status::Ok(), 0, rows};
}

WriteOutcome EntryWriter::SetMetadata(const WriteOp& op) {
  auto ns_id = namespaces_.Find(op.ns);
  if (!ns_id.ok()) return Failed(ns_id.status());
  if (ns_id.value() == 0) return Failed(MissingKey(op));
  WriteOp merged;
  const WriteOp* effective = &op;
  if (op.kind == WriteKind::kMergeMetadata) {
    auto statement = statements_.Get(Sql::kGetMetadata);
    if (!statement.ok()) return Failed(statement.status());
    Cursor cursor(statement.value());
    cursor.Bind(1, ns_id.value()).Bind(2, std::string_view(op.key));
    merged.key = op.key;
    if (cursor.Step()) {
      const StoredEntry row(cursor, ns_id.value(), op.key);
      if (!row.AreAttributesIntact()) return Failed(DamagedEntry(op.ns, op.key));
      const std::string_view present = row.attributes().metadata;
      merged.metadata = json::MergeObjects(present.empty() ? "{}" : present, *op.metadata);
    }
    Status status = cursor.status("read metadata");
    if (!status.ok()) return Failed(std::move(status));
    if (!merged.metadata) return Failed(MissingKey(op));
    if (static_cast<std::int64_t>(merged.metadata->size()) > metadata_bytes_) {
      return Failed({Code::kTooLarge,
                     "metadata is larger than limits.metadataBytes (" + std::to_string(metadata_bytes_) + " bytes)"});
    }
    effective = &merged;
  }
  auto version = versions_.Next();
  if (!version.ok()) return Failed(version.status());
  auto rows = RunWrite(Sql::kSetMetadata, *effective, ns_id.value(), version.value());
  if (!rows.ok()) return Failed(rows.status());
  if (rows.value() == 0) return Failed(MissingKey(op));
  return {Status::Ok(), version.value(), 1};
}

WriteOutcome EntryWriter::CreateNamespace(const WriteOp& op) {
  if (op.ns == kDefaultNamespace) return Failed(NamespaceTaken(op));
  auto ns_id = namespaces_.Find(op.ns);
  if (!ns_id.ok()) return Failed(ns_id.status());
  if (ns_id.value() == 0) {
    auto added = AddNamespace(op.ns, op.metadata, true);
    return added.ok() ? WriteOutcome{} : Failed(added.status());
  }
  auto statement = statements_.Get(Sql::kNamespaceMakeExplicit);
  if (!statement.ok()) return Failed(statement.status());
  Status status =
      Cursor(statement.value()).Bind(1, std::string_view(op.ns)).BindOptional(2, op.metadata).Run("create a namespace");
  if (!status.ok()) return Failed(std::move(status));
  if (Changes(statements_.db()) == 0) {
    return Failed(NamespaceTaken(op));
  }
  return {};
}

WriteOutcome EntryWriter::DeleteNamespace(const WriteOp& op) {
  if (op.ns == kDefaultNamespace) return Failed(Status(Code::kNamespaceReserved));
  auto ns_id = namespaces_.Find(op.ns);
  if (!ns_id.ok()) return Failed(ns_id.status());
  if (ns_id.value() == 0) return Failed(MissingNamespace(op));
  if (!op.recursive) {
    auto statement = statements_.Get(Sql::kNamespaceAnyEntry);
    if (!statement.ok()) return Failed(statement.status());
    Cursor cursor(statement.value());
    if (cursor.Bind(1, ns_id.value()).Step()) {
      return Failed({Code::kNamespaceNotEmpty, "Namespace \"" + op.ns + "\" still has entries"});
    }
    Status status = cursor.status("look for entries");
    if (!status.ok()) return Failed(std::move(status));
  }
  return RemoveNamespace(op, ns_id.value());
}

WriteOutcome EntryWriter::RemoveNamespace(const WriteOp& op, std::int64_t ns_id) {
  auto savepoint = Savepoint::Begin(statements_.db());
  if (!savepoint.ok()) return Failed(savepoint.status());
  Status dropped = DropIndexesOf(ns_id);
  if (!dropped.ok()) return Failed(std::move(dropped));
  std::int64_t rows = 0;
  for (const Sql id : {Sql::kDeleteNamespaceEntries, Sql::kNamespaceDelete}) {
    auto statement = statements_.Get(id);
    if (!statement.ok()) return Failed(statement.status());
    Status status = Cursor(statement.value()).Bind(1, ns_id).Run("delete a namespace");
    if (!status.ok()) return Failed(std::move(status));
    if (id == Sql::kDeleteNamespaceEntries) rows = Changes(statements_.db());
  }
  Status status = std::move(savepoint.value()).Release();
  if (!status.ok()) return Failed(std::move(status));
  namespaces_.Erase(op.ns);
  return {Status::Ok(), 0, rows};
}

WriteOutcome EntryWriter::Clear(const WriteOp& op) {
  std::int64_t ns_id = 0;
  if (!op.all) {
    auto found = namespaces_.Find(op.ns);
    if (!found.ok()) return Failed(found.status());
    ns_id = found.value();
    if (ns_id == 0) return {};
  }
  auto statement = statements_.Get(op.all || Mutated(Mutant::kClearEverything) ? Sql::kDeleteAllEntries
                                                                               : Sql::kDeleteNamespaceEntries);
  if (!statement.ok()) return Failed(statement.status());
  Cursor cursor(statement.value());
  if (!op.all && !Mutated(Mutant::kClearEverything)) cursor.Bind(1, ns_id);
  Status status = cursor.Run("clear");
  if (!status.ok()) return Failed(std::move(status));
  return {Status::Ok(), 0, Changes(statements_.db())};
}

}  // namespace hypha
