#include "ops/target_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <utility>

#include "base/file_io.h"

namespace hypha {
namespace {

Status FromErrno(int error, const std::string& what) {
  const std::string text = what + ": " + std::strerror(error);
  switch (error) {
    case ENOSPC:
    case EDQUOT: return {Code::kFull, text};
    case EEXIST: return {Code::kExists, text};
    case ENOMEM: return {Code::kNoMem, text};
    case EIO: return {Code::kIo, text};
    default: return {Code::kCantOpen, text};
  }
}

Result<std::string> Resolve(const std::string& path) {
  if (path.empty()) return Status(Code::kInvalidArgument, "path must be a non-empty string");
  if (path.find('\0') != std::string::npos) return Status(Code::kInvalidArgument, "path holds a NUL byte");
  if (path.back() == '/') return Status(Code::kCantOpen, "cannot write " + path + ": it is a directory");
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(parent.c_str(), nullptr), &std::free);
  if (real == nullptr) return FromErrno(errno, "cannot write into the directory " + parent);
  const std::string folder = real.get();
  return (folder == "/" ? "" : folder) + "/" + (slash == std::string::npos ? path : path.substr(slash + 1));
}

Status CheckTarget(const std::string& path, bool replace) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    return errno == ENOENT ? Status::Ok() : FromErrno(errno, "cannot write " + path);
  }
  if (S_ISDIR(info.st_mode)) return {Code::kCantOpen, "cannot write " + path + ": it is a directory"};
  if (S_ISLNK(info.st_mode)) return {Code::kCantOpen, "cannot write " + path + ": it is a symbolic link"};
  if (!S_ISREG(info.st_mode)) return {Code::kCantOpen, "cannot write " + path + ": it is not a regular file"};
  if (info.st_nlink > 1) return {Code::kCantOpen, "cannot write " + path + ": it has more than one hard link"};
  return replace ? Status::Ok() : Status(Code::kExists, path + " exists already");
}

// Allocates nothing: destructors call it when there is no memory as well.
void RemoveWithLogs(const std::string& file) noexcept {
  std::array<char, PATH_MAX + 16> name;
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
    const int length = std::snprintf(name.data(), name.size(), "%s%s", file.c_str(), suffix);
    if (length > 0 && static_cast<std::size_t>(length) < name.size()) ::unlink(name.data());
  }
}

}  // namespace

Result<TargetFile> TargetFile::Create(const std::string& path, bool replace) {
  auto resolved = Resolve(path);
  if (!resolved.ok()) return resolved.status();
  Status status = CheckTarget(resolved.value(), replace);
  if (!status.ok()) return status;
  RemoveAbandoned(resolved.value(), &RemoveWithLogs);
  TargetFile file(std::move(resolved.value()), replace);
  status = file.Make();
  if (!status.ok()) return status;
  return file;
}

Status TargetFile::Make() {
  std::random_device random;
  for (int tries = 0; tries < 16; ++tries) {
    temporary_ = TemporaryNameOf(path_, random() % 1'000'000'000);
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    // The mode that the process's umask left is not the one that was asked for.
    if (descriptor_ >= 0 && ::fchmod(descriptor_, 0600) == 0) {
      if (claim_.Take(temporary_)) return Status::Ok();
      ::close(std::exchange(descriptor_, -1));
      RemoveWithLogs(temporary_);
      errno = EEXIST;
      continue;
    }
    if (descriptor_ >= 0 || errno != EEXIST) break;
  }
  const int error = errno;
  if (descriptor_ < 0) temporary_.clear();
  Status status = FromErrno(error, "cannot make a file beside " + path_);
  return status.code() == Code::kExists ? Status(Code::kCantOpen, status.message()) : status;
}

TargetFile::TargetFile(TargetFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      replace_(other.replace_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      claim_(std::move(other.claim_)) {}

TargetFile::~TargetFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (temporary_.empty()) return;
  RemoveWithLogs(temporary_);
}

// A sync of the whole file would make the file system commit its journal for every piece, and the syncs of the store's
// own log wait for that.
Status TargetFile::WriteBack() {
#if defined(SYNC_FILE_RANGE_WRITE)
  constexpr unsigned kAndWait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  if (::sync_file_range(descriptor_, 0, 0, kAndWait) == 0) return Status::Ok();
  if (errno != ENOSYS && errno != EINVAL) return FromErrno(errno, "cannot write " + temporary_);
#endif
  return Sync();
}

Status TargetFile::Sync() {
  return ::fsync(descriptor_) == 0 ? Status::Ok() : FromErrno(errno, "cannot sync " + temporary_);
}

Status TargetFile::Publish(const std::function<Status()>& before_rename) {
  Status status = Sync();
  // A file system may tell only now that it had no room.
  if (status.ok() && ::close(std::exchange(descriptor_, -1)) != 0) status = FromErrno(errno, "cannot close");
  if (status.ok() && before_rename) status = before_rename();
  if (status.ok()) status = Rename();
  if (!status.ok()) return status;
  claim_.Release();            // before anybody of this process opens the file by its new name
  RemoveWithLogs(temporary_);  // a log that SQLite could not delete
  temporary_.clear();
  return SyncDirectory(DirectoryOf(path_));
}

// Without `replace` a file that came into being meanwhile stays what it is.
Status TargetFile::Rename() {
#if defined(RENAME_NOREPLACE)
  if (!replace_) {
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), RENAME_NOREPLACE) == 0) return Status::Ok();
    if (errno != EINVAL && errno != ENOSYS) return FromErrno(errno, "cannot rename to " + path_);
  }
#endif
  Status status = CheckTarget(path_, replace_);
  if (!status.ok()) return status;
  return ::rename(temporary_.c_str(), path_.c_str()) == 0 ? Status::Ok()
                                                          : FromErrno(errno, "cannot rename to " + path_);
}

}  // namespace hypha
