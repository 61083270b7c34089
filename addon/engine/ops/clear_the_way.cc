// ClearTheWay: a database file must never meet the log of another.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "ops/backup.h"
#include "sqlite/database_handle.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

Status InUse(const std::string& path) { return {Code::kBusy, path + " is open in another process"}; }

// SQLite's locks lie on 512 bytes from 1 GiB on; every open connection to a file with a log holds one of them.
bool IsLockedByOthers(const std::string& path) {
  constexpr off_t kLockBytes = 0x40000000;
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
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

// Copies what the log holds into the old file, which then stands alone. A file too damaged for that is left as it is.
int BringLogHome(const std::string& path) {
  auto db = OpenHardened(path, SQLITE_OPEN_READWRITE, kFileVfs);
  if (!db.ok()) return db.status().sqlite_code();
  return sqlite3_exec(db.value().get(), "PRAGMA journal_mode=DELETE", nullptr, nullptr, nullptr);
}

}  // namespace

Status ClearTheWay(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) {
    if (IsLockedByOthers(path)) return InUse(path);
    const int rc = BringLogHome(path) & 0xff;
    if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) return InUse(path);
  }
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    if (::unlink((path + suffix).c_str()) != 0 && errno != ENOENT) {
      return {Code::kCantOpen, "cannot remove " + path + suffix};
    }
  }
  return Status::Ok();
}

}  // namespace hypha
