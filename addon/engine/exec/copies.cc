// Backup, restore and verification: connections and locks around ops/.
#include <utility>

#include "base/file_io.h"
#include "exec/engine_impl.h"
#include "exec/registry.h"
#include "hypha/caught.h"
#include "ops/backup.h"
#include "ops/verify.h"
#include "query/index_catalog.h"
#include "query/sql_functions.h"
#include "schema/migrations.h"

namespace hypha {
namespace {

// The last step of both. Most of the copy has been synced before the lock is taken.
Status PutInPlace(TargetFile& target, const Hooks& hooks) {
  Status status = target.Sync();
  if (!status.ok()) return status;
  return WithFileClosed(target.path(), [&] {
    hooks.Reach("before-publish");
    HeldFile held;
    return target.Publish([&](bool* exists) {
      held.reset();
      auto cleared = ClearTheWay(target, exists);
      if (!cleared.ok()) return cleared.status();
      held = std::move(cleared.value());
      // The old log is gone from the disk before the name leads to another file.
      Status synced = target.SyncFolder();
      hooks.Reach("before-rename");
      return synced;
    });
  });
}

Result<BackupReport> CopyInto(TargetFile& target, const ConnectionOptions& connect, CopyPurpose purpose, DiskPace pace,
                              const CopyControl& control, const Hooks& hooks) {
  Status closed = WithFileClosed(target.path(), [] { return Status::Ok(); });
  if (!closed.ok()) return closed;
  auto source = Connection::Open(connect);
  if (!source.ok()) return source.status();
  auto report = CopyVerified(*source.value(), target, purpose, pace, control, hooks);
  // To SQLite it is an I/O error that its file has another name.
  const Code code = report.status().code();
  if ((code == Code::kIo || code == Code::kBusy) && !target.CheckFolder().ok()) return target.CheckFolder();
  if (!report.ok()) return report;
  Status placed = PutInPlace(target, hooks);
  if (!placed.ok()) return placed;
  hooks.Reach("after-publish");
  return report;
}

Status MustBeCurrent(Connection& db) {
  auto version = SchemaVersion(db);
  if (!version.ok()) return version.status();
  if (version.value() != kLatestSchema) {
    return {Code::kSchemaOutdated,
            "the file to restore has schema " + std::to_string(version.value()) + "; open() would migrate it"};
  }
  // Before anything is written to the copy: a trigger would run.
  Status status = VerifySchema(db);
  return status.ok() ? VerifyIndexes(db) : status;
}

Result<BackupReport> Restore(const std::string& from, const std::string& to, const CopyControl& control,
                             const Hooks& hooks) {
  Status status = RegisterVfses();
  if (!status.ok()) return status;
  auto file = CheckFile(from, false);
  if (!file.ok()) return file.status();
  if (IsSameFile(file.value().path, to)) return Status(Code::kInvalidArgument, "a file cannot be restored to itself");
  auto target = TargetFile::Create(to, true);
  if (!target.ok()) return target.status();
  ConnectionOptions connect;
  connect.path = file.value().path;
  connect.read_only = true;
  connect.busy_timeout_ms = 5000;
  connect.max_text_bytes = 1'000'000'000;
  connect.register_functions = &RegisterSqlFunctions;
  connect.accept = &MustBeCurrent;
  return CopyInto(target.value(), connect, CopyPurpose::kRestore, DiskPace(nullptr), control, hooks);
}

}  // namespace

Result<BackupReport> EngineImpl::Backup(const BackupSpec& spec) {
  return Caught([&]() -> Result<BackupReport> {
    if (!options_.memory && IsSameFile(options_.path, spec.path)) {
      return Status(Code::kInvalidArgument, "the target is the store's own file");
    }
    auto target = TargetFile::Create(spec.path, spec.replace);
    if (!target.ok()) return target.status();
    return CopyInto(target.value(), Connect(Role::kReader), CopyPurpose::kBackup,
                    DiskPace(options_.memory ? nullptr : &metrics_.log_synced), spec.control, hooks_);
  });
}

Result<std::string> EngineImpl::Verify(bool full, const CopyControl& control) {
  return Caught([&]() -> Result<std::string> {
    std::string text;
    Status status = WithSnapshot([&](Connection& db) {
      db.SetDeadline(SteadyTime::max(), control.cancelled.get());
      auto found = hypha::Verify(db, full ? VerifyLevel::kFull : VerifyLevel::kQuick);
      db.ClearDeadline();
      if (found.ok()) text = VerificationJson(found.value());
      return found.status();
    });
    if (status.ok()) return text;
    return control.IsCancelled() ? Status(Code::kAborted) : status;
  });
}

Result<BackupReport> RestoreStore(const std::string& from, const std::string& to, const CopyControl& control,
                                  const Hooks& hooks) {
  return Caught([&] { return Restore(from, to, control, hooks); });
}

}  // namespace hypha
