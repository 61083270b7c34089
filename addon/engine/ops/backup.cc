#include "ops/backup.h"

#include <charconv>
#include <chrono>
#include <memory>
#include <utility>

#include "base/json_object.h"
#include "ops/content.h"
#include "ops/verify.h"
#include "query/json_scan.h"
#include "query/sql_functions.h"
#include "sqlite/database_handle.h"
#include "sqlite/error_map.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

constexpr auto kProgressEvery = std::chrono::milliseconds(50);
constexpr char kManifest[] = "backup";

Result<DatabaseHandle> OpenTarget(const TargetFile& target) {
  auto opened = OpenHardened(target.temporary(), SQLITE_OPEN_READWRITE, kFileVfs);
  if (!opened.ok()) return opened;
  sqlite3* db = opened.value().get();
  int rc = RegisterSqlFunctions(db);
  // Nothing of this file counts before it is whole, and then it is synced by its owner.
  if (rc == SQLITE_OK) rc = sqlite3_exec(db, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return FromSqlite(rc, db, "open the copy");
  return opened;
}

Status Exec(sqlite3* db, const char* sql) {
  const int rc = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  return rc == SQLITE_OK ? Status::Ok() : FromSqlite(rc, db, "write the copy");
}

// Tells how far it is, at most every kProgressEvery, and once at the end.
class Progress {
 public:
  explicit Progress(const CopyControl& control) : control_(control) {}

  void Tell(sqlite3_backup* backup, bool last) {
    const auto now = std::chrono::steady_clock::now();
    if (!control_.progress || (!last && now - told_ < kProgressEvery)) return;
    told_ = now;
    const int total = sqlite3_backup_pagecount(backup);
    control_.progress(total - sqlite3_backup_remaining(backup), total);
  }

 private:
  const CopyControl& control_;
  std::chrono::steady_clock::time_point told_{};
};

Status CopyPages(sqlite3* from, sqlite3* to, TargetFile& target, DiskPace pace, const CopyControl& control,
                 const Hooks& hooks) {
  struct Finish {
    void operator()(sqlite3_backup* backup) const noexcept { sqlite3_backup_finish(backup); }
  };
  const std::unique_ptr<sqlite3_backup, Finish> backup(sqlite3_backup_init(to, "main", from, "main"));
  if (backup == nullptr) return FromSqlite(sqlite3_extended_errcode(to), to, "copy");
  Progress progress(control);
  int rc = SQLITE_OK;
  while (rc == SQLITE_OK) {
    if (control.IsCancelled()) return Status(Code::kAborted);
    const int pages = pace.NextPages();
    rc = sqlite3_backup_step(backup.get(), pages);
    hooks.Reach("backup-step");
    if (rc != SQLITE_OK && rc != SQLITE_DONE) return FromSqlite(rc, nullptr, "copy");
    progress.Tell(backup.get(), rc == SQLITE_DONE);
    Status status = target.WriteBack();
    if (!status.ok()) return status;
    pace.Wait(pages);
  }
  return Status::Ok();
}

struct Counts {
  std::int64_t entries = 0;
  std::int64_t namespaces = 0;
};

Status CopySnapshot(Connection& source, sqlite3* to, TargetFile& target, DiskPace pace, const CopyControl& control,
                    const Hooks& hooks, Counts* counts, std::string* manifest) {
  struct End {
    ~End() { sqlite3_exec(db.handle(), "COMMIT", nullptr, nullptr, nullptr); }  // of a read: nothing to lose
    Connection& db;
  };
  Status status = source.Exec("BEGIN");
  if (!status.ok()) return status;
  const End end{source};
  auto entries = source.QueryInteger("SELECT count(*) FROM hypha_entries");
  if (!entries.ok()) return entries.status();
  auto namespaces = source.QueryInteger("SELECT count(*) FROM hypha_namespaces");
  if (!namespaces.ok()) return namespaces.status();
  auto text = source.QueryText("SELECT coalesce((SELECT value FROM hypha_meta WHERE name = 'backup'), '')");
  if (!text.ok()) return text.status();
  *counts = {entries.value(), namespaces.value()};
  *manifest = std::move(text.value());
  return CopyPages(source.handle(), to, target, pace, control, hooks);
}

std::string Hex(std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, number, 16).ptr;
  const std::string text(digits, end);
  return std::string(16 - text.size(), '0') + text;
}

Status CheckManifest(const std::string& manifest, const Content& content) {
  if (manifest.empty()) return Status::Ok();
  const auto holds = [&](std::string_view name, const std::string& wanted) {
    const auto found = json::FindMember(manifest, name);
    return found && json::Trim(*found) == wanted;
  };
  const bool same = json::IsValid(manifest) && holds("contentHash", JsonText(Hex(content.hash))) &&
                    holds("entries", std::to_string(content.entries));
  return same ? Status::Ok() : Status(Code::kCorrupt, "the backup does not hold what its manifest says");
}

Status WriteManifest(sqlite3* to, CopyPurpose purpose, const BackupReport& report) {
  Status status = Exec(to, "DELETE FROM hypha_meta WHERE name = 'backup'");
  if (!status.ok() || purpose == CopyPurpose::kRestore) return status;
  JsonObject manifest;
  manifest.Number("format", 1)
      .Number("createdAt", report.created_at)
      .Number("entries", report.entries)
      .Number("namespaces", report.namespaces)
      .Text("contentHash", report.content_hash);
  const std::string text = std::move(manifest).Take();
  auto statement = Prepare(to, "INSERT INTO hypha_meta(name, value) VALUES(?1, ?2)");
  if (!statement.ok()) return statement.status();
  return Cursor(statement.value().get())
      .Bind(1, std::string_view(kManifest))
      .Bind(2, std::string_view(text))
      .Run("write the manifest");
}

// A fresh look at the copy, as its next user will have.
Status LookAtCopy(const TargetFile& target, const CopyControl& control, BackupReport* report) {
  ConnectionOptions options;
  options.path = target.temporary();
  options.read_only = true;
  options.max_text_bytes = 1'000'000'000;
  options.register_functions = &RegisterSqlFunctions;
  auto db = Connection::Open(options);
  if (!db.ok()) return db.status();
  db.value()->SetDeadline(SteadyTime::max(), control.cancelled.get());
  auto structure = Verify(*db.value(), VerifyLevel::kIntegrity);
  auto pages = db.value()->QueryInteger("PRAGMA page_count");
  auto page_size = db.value()->QueryInteger("PRAGMA page_size");
  db.value()->ClearDeadline();
  for (const Status& status : {structure.status(), pages.status(), page_size.status()}) {
    if (!status.ok()) return control.IsCancelled() ? Status(Code::kAborted) : status;
  }
  const auto& problems = structure.value().problems;
  if (!problems.empty()) return {Code::kCorrupt, "the copy is damaged: " + problems.front().message};
  report->bytes = pages.value() * page_size.value();
  return Status::Ok();
}

}  // namespace

Result<BackupReport> CopyVerified(Connection& source, TargetFile& target, CopyPurpose purpose, DiskPace pace,
                                  const CopyControl& control, const Hooks& hooks) {
  BackupReport report;
  report.path = target.path();
  report.created_at = hooks.now_ms();
  {
    auto to = OpenTarget(target);
    if (!to.ok()) return to.status();
    Counts counts;
    std::string manifest;
    Status status = CopySnapshot(source, to.value().get(), target, pace, control, hooks, &counts, &manifest);
    hooks.Reach("backup-copied");
    // A file that stands alone: no log beside it once it is closed.
    if (status.ok()) status = Exec(to.value().get(), "PRAGMA journal_mode=DELETE");
    if (!status.ok()) return status;
    Status damage;
    auto content = ReadContent(to.value().get(), control.cancelled.get(), [&](const Problem& problem) {
      if (damage.ok()) damage = Status(Code::kCorrupt, problem.message);
    });
    if (!content.ok()) return content.status();
    if (!damage.ok()) return damage;
    if (content.value().entries != counts.entries || content.value().namespaces != counts.namespaces) {
      return Status(Code::kCorrupt, "the copy has another number of entries or namespaces than the store");
    }
    status = CheckManifest(manifest, content.value());
    report.entries = counts.entries;
    report.namespaces = counts.namespaces;
    report.content_hash = Hex(content.value().hash);
    if (status.ok()) status = WriteManifest(to.value().get(), purpose, report);
    if (!status.ok()) return status;
  }
  hooks.Reach("backup-written");
  Status status = LookAtCopy(target, control, &report);
  if (!status.ok()) return status;
  hooks.Reach("backup-verified");
  return report;
}

Status ForgetManifest(Connection& db) {
  auto is_backup = db.QueryInteger("SELECT count(*) FROM hypha_meta WHERE name = 'backup'");
  if (!is_backup.ok() || is_backup.value() == 0) return is_backup.status();
  return db.Exec("DELETE FROM hypha_meta WHERE name = 'backup'");
}

}  // namespace hypha
