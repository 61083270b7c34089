#include "schema/keep_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/claim.h"
#include "base/file_io.h"
#include "base/mutant.h"
#include "sqlite/database_handle.h"
#include "sqlite/error_map.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

Result<std::string> First(sqlite3* db, const char* sql) {
  std::string text;
  const auto keep = [](void* out, int, char** values, char**) {
    if (values[0] != nullptr) *static_cast<std::string*>(out) = values[0];
    return 0;
  };
  const int rc = sqlite3_exec(db, sql, keep, &text, nullptr);
  if (rc != SQLITE_OK) return FromSqlite(rc, db, "check a copy");
  return text;
}

Status CopyPages(sqlite3* from, sqlite3* to) {
  sqlite3_backup* backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == nullptr) return FromSqlite(sqlite3_extended_errcode(to), to, "copy");
  sqlite3_backup_step(backup, -1);
  const int rc = sqlite3_backup_finish(backup);
  return rc == SQLITE_OK ? Status::Ok() : FromSqlite(rc, to, "copy");
}

Status SameContent(sqlite3* from, sqlite3* to) {
  auto integrity = First(to, "PRAGMA integrity_check");
  if (!integrity.ok()) return integrity.status();
  if (integrity.value() != "ok") return {Code::kCorrupt, "the file fails its integrity check: " + integrity.value()};
  const char* sums =
      "SELECT (SELECT count(*) || ',' || coalesce(sum(length(value)), 0) FROM storage_entries) || ',' || "
      "(SELECT count(*) FROM storage_namespaces)";
  auto before = First(from, sums);
  if (!before.ok()) return before.status();
  auto after = First(to, sums);
  if (!after.ok()) return after.status();
  return before.value() == after.value() ? Status::Ok() : Status(Code::kIo, "the copy differs from the file");
}

std::string FreeName(const std::string& wanted) {
  struct stat unused {};
  std::string name = wanted;
  for (int n = 2; ::lstat(name.c_str(), &unused) == 0; ++n) name = wanted + "." + std::to_string(n);
  return name;
}

Status CopyAndCheck(const std::string& from, const std::string& to, const Hooks& hooks) {
  auto source = OpenHardened(from, SQLITE_OPEN_READWRITE, kFileVfs);
  if (!source.ok()) return source.status();
  auto target = OpenHardened(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, kFileVfs);
  if (!target.ok()) return target.status();
  hooks.Reach("copy-created");
  Status status = CopyPages(source.value().get(), target.value().get());
  hooks.Reach("copy-written");
  if (!status.ok()) return status;
  // A file that stands alone: no -wal beside it once it is closed.
  auto mode = First(target.value().get(), "PRAGMA journal_mode=DELETE");
  if (!mode.ok()) return mode.status();
  return SameContent(source.value().get(), target.value().get());
}

void Remove(const std::string& name) {
  ::unlink((name + "-journal").c_str());
  ::unlink(name.c_str());  // last: by its name the rest is found again
}

// SQLite opens it afterwards, and whoever holds the claim closes it last.
Status Make(const std::string& name, Claim* claim) {
  const FileHandle file(::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return {Code::kCantOpen, "cannot make " + name + ": " + std::strerror(errno)};
  Status taken = claim->Take(name);
  return taken.code() == Code::kExists ? Status(Code::kCantOpen, name + " was taken away") : taken;
}

}  // namespace

Status KeepCopy(const std::string& from, const std::string& to, const Hooks& hooks) {
  static std::atomic<std::int64_t> number{0};
  RemoveAbandoned(to, Remove);
  const std::string temporary =
      Mutated(Mutant::kCopyUnderFinalName) ? FreeName(to) : TemporaryNameOf(to, number.fetch_add(1));
  Claim claim;
  Status status = Make(temporary, &claim);
  const bool is_ours = status.ok();
  if (is_ours) status = CopyAndCheck(from, temporary, hooks);
  hooks.Reach("copy-checked");
  if (status.ok() && ::rename(temporary.c_str(), FreeName(to).c_str()) != 0) {
    status = Status(Code::kIo, std::string("cannot rename the copy: ") + std::strerror(errno));
  }
  if (!status.ok()) {
    if (is_ours) Remove(temporary);
    return {status.code(), "no copy of the old file could be kept: " + status.message(), status.sqlite_code()};
  }
  hooks.Reach("copy-renamed");
  return SyncDirectory(DirectoryOf(to));
}

}  // namespace hypha
