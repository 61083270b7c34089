// Applies changes inside an open write transaction.
#pragma once

#include <cstdint>
#include <string_view>

#include "hypha/hooks.h"
#include "hypha/types.h"
#include "store/namespace_cache.h"
#include "store/version_counter.h"

namespace hypha {

// Thread: that of the writer connection. Each Apply() is whole or nothing: operations of more than one statement run in
// a savepoint of their own.
class EntryWriter {
 public:
  EntryWriter(KvStatements& statements, const Hooks& hooks)
      : statements_(statements), hooks_(hooks), namespaces_(statements), versions_(statements) {}

  // The longest metadata that a merge, and value that an edit may come to; JavaScript has checked what it was given.
  void set_limits(const Limits& limits) {
    metadata_bytes_ = limits.metadata_bytes;
    value_bytes_ = limits.value_bytes;
  }

  // Whether entries get a checksum.
  void set_checksums(bool on) { checksums_ = on; }

  // REQUIRES: inside a write transaction.
  WriteOutcome Apply(const WriteOp& op);

  // Call at the start of each write transaction: forgets what another process has changed.
  void OnBegin();
  void OnCommit();
  void OnRollback();

  NamespaceCache& namespaces() { return namespaces_; }

 private:
  WriteOutcome Set(const WriteOp& op);
  WriteOutcome SetInNewNamespace(const WriteOp& op);
  WriteOutcome SetAlways(const WriteOp& op, std::int64_t ns_id);
  WriteOutcome SetIfVersion(const WriteOp& op, std::int64_t ns_id);
  WriteOutcome Delete(const WriteOp& op);
  WriteOutcome SetMetadata(const WriteOp& op);
  WriteOutcome CreateNamespace(const WriteOp& op);
  WriteOutcome DeleteNamespace(const WriteOp& op);
  WriteOutcome RemoveNamespace(const WriteOp& op, std::int64_t ns_id);
  WriteOutcome Clear(const WriteOp& op);
  WriteOutcome CreateIndex(const WriteOp& op);
  WriteOutcome DropIndex(const WriteOp& op);
  Status DropIndexesOf(std::int64_t ns_id);
  WriteOutcome Check(const WriteOp& op);
  WriteOutcome Edit(const WriteOp& op);
  WriteOutcome RunSavepoint(const WriteOp& op);
  // Of more than one statement, without a savepoint: where one fails, the whole transaction is rolled back.
  WriteOutcome Restore(const WriteOp& op);
  WriteOutcome RestoreEntry(const WriteOp& op);
  WriteOutcome RestoreNamespace(const WriteOp& op);
  WriteOutcome RestoreMeta(const WriteOp& op);
  Result<std::int64_t> RunRestore(Sql id, std::int64_t ns_id, const EntryView& row);
  Status CreationOf(std::int64_t ns_id, std::string_view key, std::int64_t* created_at);

  Result<std::int64_t> AddNamespace(std::string_view name, const std::optional<std::string>& metadata,
                                    bool is_explicit);
  // Binds and runs one of the statements that write a whole entry; the number of rows it touched.
  Result<std::int64_t> RunWrite(Sql id, const WriteOp& op, std::int64_t ns_id, std::int64_t version);
  Status OutOfPlace(const WriteOp& op, std::int64_t ns_id);

  KvStatements& statements_;
  const Hooks& hooks_;
  NamespaceCache namespaces_;
  VersionCounter versions_;
  std::int64_t metadata_bytes_ = Limits().metadata_bytes;
  std::int64_t value_bytes_ = Limits().value_bytes;
  bool checksums_ = true;
  unsigned data_version_ = 0;
};

}  // namespace hypha
