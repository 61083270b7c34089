#include "support/call_trace.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <mutex>

namespace hypha::test {
namespace {

std::mutex the_mutex;
std::vector<TracedCall>* the_calls = nullptr;

std::string PathOf(int descriptor) {
  std::array<char, PATH_MAX> path{};
  const std::string link = "/proc/self/fd/" + std::to_string(descriptor);
  const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
  return {path.data(), static_cast<std::size_t>(length > 0 ? length : 0)};
}

// Absolute where the caller names a folder by its descriptor.
std::string PathIn(int folder, const char* name) {
  return folder == AT_FDCWD || name[0] == '/' ? name : PathOf(folder) + "/" + name;
}

template <class Describe>
int Noted(long result, Describe describe) {
  if (result != 0) return static_cast<int>(result);
  const std::lock_guard<std::mutex> lock(the_mutex);
  if (the_calls != nullptr) the_calls->push_back(describe());
  return 0;
}

}  // namespace

CallTrace::CallTrace() {
  const std::lock_guard<std::mutex> lock(the_mutex);
  the_calls = new std::vector<TracedCall>;
}

CallTrace::~CallTrace() {
  const std::lock_guard<std::mutex> lock(the_mutex);
  delete the_calls;
  the_calls = nullptr;
}

std::vector<TracedCall> CallTrace::Calls() {
  const std::lock_guard<std::mutex> lock(the_mutex);
  return *the_calls;
}

}  // namespace hypha::test

using hypha::test::Noted;
using hypha::test::PathIn;
using hypha::test::PathOf;
using hypha::test::TracedCall;

extern "C" int fsync(int descriptor) {
  return Noted(::syscall(SYS_fsync, descriptor), [&] {
    return TracedCall{TracedCall::What::kSync, PathOf(descriptor), ""};
  });
}

extern "C" int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return Noted(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags), [&] {
    return TracedCall{TracedCall::What::kRename, PathIn(from_folder, from), PathIn(to_folder, to)};
  });
}

extern "C" int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return ::renameat2(from_folder, from, to_folder, to, 0);
}

extern "C" int rename(const char* from, const char* to) noexcept {
  return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

extern "C" int unlinkat(int folder, const char* name, int flags) noexcept {
  return Noted(::syscall(SYS_unlinkat, folder, name, flags), [&] {
    return TracedCall{TracedCall::What::kUnlink, PathIn(folder, name), ""};
  });
}

extern "C" int unlink(const char* name) noexcept { return ::unlinkat(AT_FDCWD, name, 0); }
