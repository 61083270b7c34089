#include "support/system_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "sqlite/vfs_shim.h"
#include "support/inject_vfs.h"

namespace hypha::reliability {
namespace {

constexpr char kPlatform[] = "hooked-platform";

// False, and errno, when the hook says so.
bool MayGoOn(Method method) {
  const int error = AskHook({method, FileKind::kOther, kPlatform});
  if (error != 0) errno = error;
  return error == 0;
}

}  // namespace

void HookPlatformFiles() {
  static const bool done = [] {
    sqlite3_initialize();
    return RegisterInjectVfs(kPlatform, PlatformVfs(), true) == SQLITE_OK && RegisterFileVfs() == SQLITE_OK;
  }();
  if (!done) std::abort();
}

}  // namespace hypha::reliability

using hypha::reliability::MayGoOn;
using hypha::reliability::Method;

extern "C" int fsync(int descriptor) {
  return MayGoOn(Method::kFsync) ? static_cast<int>(::syscall(SYS_fsync, descriptor)) : -1;
}

extern "C" int sync_file_range(int descriptor, off64_t from, off64_t bytes, unsigned flags) {
  if (!MayGoOn(Method::kSyncFileRange)) return -1;
  return static_cast<int>(::syscall(SYS_sync_file_range, descriptor, from, bytes, flags));
}

extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  if (!MayGoOn(Method::kRename)) return -1;
  return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
}

extern "C" int rename(const char* from, const char* to) noexcept {
  return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

extern "C" int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return ::renameat2(from_folder, from, to_folder, to, 0);
}
