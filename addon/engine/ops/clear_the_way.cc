// ClearTheWay: a database file must never meet the log of another.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "ops/backup.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

Status InUse(const std::string& path) { return {Code::kBusy, path + " is open in another process"}; }

// SQLite's locks lie on 512 bytes from 1 GiB on; every open connection to a file with a log holds one of them.
bool IsLockedByOthers(int folder, const char* name) {
  constexpr off_t kLockBytes = 0x40000000;
  const int descriptor = ::openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = kLockBytes;
  lock.l_len = 512;
  const bool locked = ::fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
  ::close(descriptor);
  return locked;
}

// Copies what the log holds into the old file, which then stands alone, and locks that for as long as it is held. A
// file too damaged for that is left as it is.
int BringLogHome(const TargetFile& target, HeldFile* held) {
  auto db = OpenHardened(target.path(), SQLITE_OPEN_READWRITE, kFileVfs);
  if (!db.ok()) return db.status().sqlite_code();
  // SQLite went by the name. It reads and writes nothing before the first statement.
  if (!target.CheckFolder().ok()) return SQLITE_CANTOPEN;
  // In memory at last: with its journal still open SQLite would remove that, by its name, when it closes the file.
  for (const char* step : {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=DELETE", "PRAGMA journal_mode=MEMORY",
                           "BEGIN EXCLUSIVE"}) {
    const int rc = sqlite3_exec(db.value().get(), step, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) return rc;
  }
  *held = std::move(db.value());
  return SQLITE_OK;
}

}  // namespace

Result<HeldFile> ClearTheWay(const TargetFile& target, bool* exists) {
  const std::string name = target.name();
  HeldFile held;
  struct stat info {};
  *exists = ::fstatat(target.folder(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
  if (*exists && S_ISREG(info.st_mode)) {
    if (IsLockedByOthers(target.folder(), name.c_str())) return InUse(target.path());
    const int rc = BringLogHome(target, &held) & 0xff;
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) return InUse(target.path());
  }
  // What belonged to the old file is not taken away from one that is elsewhere now.
  Status status = target.CheckFolder();
  if (status.ok()) status = target.CheckLogs();
  if (!status.ok()) return status;
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    if (::unlinkat(target.folder(), (name + suffix).c_str(), 0) != 0 && errno != ENOENT) {
      return Status(Code::kCantOpen, "cannot remove " + target.path() + suffix);
    }
  }
  return held;
}

}  // namespace hypha
