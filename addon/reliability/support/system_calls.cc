#include "support/system_calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdlib>

#include "sqlite/vfs_shim.h"
#include "support/exempt.h"
#include "support/inject_vfs.h"

namespace hypha::reliability {
namespace {

constexpr char kPlatform[] = "hooked-platform";

// The call, unless the hook says that it fails.
template <class Run>
auto Hooked(Method method, Run run, sqlite3_int64 flags = 0) -> decltype(run()) {
  const VfsCall call{method, FileKind::kOther, kPlatform, flags};
  const int error = AskHook(call);
  if (error != 0) {
    errno = error;
    return -1;
  }
  const auto result = run();
  const int kept = errno;
  TellHook(call);
  errno = kept;
  return result;
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

using hypha::reliability::AskHook;
using hypha::reliability::FileKind;
using hypha::reliability::Hooked;
using hypha::reliability::in_engine;
using hypha::reliability::kPlatform;
using hypha::reliability::Method;

extern "C" int fsync(int descriptor) {
  return Hooked(Method::kFsync, [&] { return static_cast<int>(::syscall(SYS_fsync, descriptor)); });
}

extern "C" int sync_file_range(int descriptor, off64_t from, off64_t bytes, unsigned flags) {
  return Hooked(Method::kSyncFileRange,
                [&] { return static_cast<int>(::syscall(SYS_sync_file_range, descriptor, from, bytes, flags)); });
}

extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return Hooked(
      Method::kRename,
      [&] { return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags)); }, flags);
}

extern "C" int rename(const char* from, const char* to) noexcept {
  return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

extern "C" int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return ::renameat2(from_folder, from, to_folder, to, 0);
}

extern "C" int unlinkat(int folder, const char* name, int flags) noexcept {
  return Hooked(Method::kUnlink, [&] { return static_cast<int>(::syscall(SYS_unlinkat, folder, name, flags)); });
}

extern "C" int unlink(const char* name) noexcept { return ::unlinkat(AT_FDCWD, name, 0); }

// Those below are also called by the programme and its libraries, for themselves.

extern "C" int openat(int folder, const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  const auto run = [&] { return static_cast<int>(::syscall(SYS_openat, folder, name, flags, mode)); };
  return in_engine ? Hooked(Method::kPlainOpen, run) : run();
}

extern "C" int open(const char* name, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return ::openat(AT_FDCWD, name, flags, mode);
}

extern "C" int mkdir(const char* name, mode_t mode) noexcept {
  const auto run = [&] { return static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, name, mode)); };
  return in_engine ? Hooked(Method::kMakeDirectory, run) : run();
}

extern "C" ssize_t read(int descriptor, void* out, size_t bytes) {
  const auto run = [&] { return ::syscall(SYS_read, descriptor, out, bytes); };
  return in_engine ? Hooked(Method::kPlainRead, run) : run();
}

// A failure behind a part that landed is told as a short count.
extern "C" ssize_t write(int descriptor, const void* data, size_t bytes) {
  const auto run = [&](size_t count) { return ::syscall(SYS_write, descriptor, data, count); };
  if (!in_engine) return run(bytes);
  int landed = 0;
  const int error = AskHook({Method::kPlainWrite, FileKind::kOther, kPlatform, 0, static_cast<int>(bytes)}, &landed);
  if (error == 0) return run(bytes);
  if (landed > 0) return run(std::min(bytes, static_cast<size_t>(landed)));
  errno = error;
  return -1;
}

// The descriptor is closed whatever is told.
extern "C" int close(int descriptor) {
  const int closed = static_cast<int>(::syscall(SYS_close, descriptor));
  return in_engine ? Hooked(Method::kClose, [&] { return closed; }) : closed;
}
