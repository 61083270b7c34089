#include "base/file_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace hypha {
namespace {

Code CodeOf(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return Code::kFull;
    case EEXIST:
    case ENOTEMPTY: return Code::kExists;
    case ENOMEM: return Code::kNoMem;
    case ENOENT:
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENXIO:
    case EMFILE:
    case ENFILE: return Code::kCantOpen;
    default: return Code::kIo;
  }
}

Status Refused(const std::string& path, const char* why) {
  return {Code::kCantOpen, "cannot open " + path + ": " + why};
}

}  // namespace

FileHandle::~FileHandle() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status FileFailure(const char* action, const std::string& path, int error) {
  return {CodeOf(error), std::string("cannot ") + action + " " + path + ": " + std::strerror(error)};
}

Result<FileHandle> OpenForReading(const std::string& path) {
  // Looked at before it is opened: opening a FIFO or a device may have effects of its own.
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return FileFailure("open", path, errno);
  if (S_ISDIR(info.st_mode)) return Refused(path, "it is a directory");
  if (!S_ISREG(info.st_mode)) return Refused(path, "it is not a regular file");
  FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.is_open()) return FileFailure("open", path, errno);
  return file;
}

Result<FileHandle> CreateFile(const std::string& path) {
  FileHandle file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  // A umask may have taken rights from the owner as well.
  if (!file.is_open() || ::fchmod(file.get(), 0600) != 0) return FileFailure("create", path, errno);
  return file;
}

Status MakeDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 && ::chmod(path.c_str(), 0700) == 0) return Status::Ok();
  return FileFailure("create", path, errno);
}

Result<std::size_t> ReadSome(const FileHandle& file, const std::string& path, char* out, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(file.get(), out, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return FileFailure("read", path, errno);
  }
}

Status WriteAll(const FileHandle& file, const std::string& path, std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = ::write(file.get(), data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileFailure("write", path, errno);
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return Status::Ok();
}

Status SyncFile(const FileHandle& file, const std::string& path) {
  // Not tried again: after a failed sync the pages may be lost although a second one succeeds.
  return ::fsync(file.get()) == 0 ? Status::Ok() : FileFailure("sync", path, errno);
}

Status SyncDirectory(const std::string& directory) {
  const FileHandle file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open()) return FileFailure("open", directory, errno);
  return SyncFile(file, directory);
}

std::string DirectoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string NameOf(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

bool IsNameOfALog(const std::string& path) {
  const std::string_view name = path;
  return name.ends_with("-wal") || name.ends_with("-shm") || name.ends_with("-journal");
}

PathKind KindOfPath(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return PathKind::kAbsent;
  if (S_ISREG(info.st_mode)) return PathKind::kFile;
  return S_ISDIR(info.st_mode) ? PathKind::kDirectory : PathKind::kOther;
}

Result<std::vector<std::string>> NamesIn(const std::string& directory) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(directory.c_str()), &::closedir);
  if (stream == nullptr) return FileFailure("open", directory, errno);
  std::vector<std::string> names;
  for (errno = 0;; errno = 0) {
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr && errno != 0) return FileFailure("read", directory, errno);
    if (entry == nullptr) return names;
    const std::string name = &entry->d_name[0];
    if (name != "." && name != "..") names.push_back(name);
  }
}

bool IsDirectory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Status RenameToNew(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return Status::Ok();
  if (errno != EINVAL && errno != ENOSYS) return FileFailure("make", to, errno);
  // A file system without that flag: the moment between the look and the renaming is the best it offers.
  if (KindOfPath(to) != PathKind::kAbsent) return FileFailure("make", to, EEXIST);
  return ::rename(from.c_str(), to.c_str()) == 0 ? Status::Ok() : FileFailure("make", to, errno);
}

Status ExchangeNames(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return Status::Ok();
  if (errno == EINVAL || errno == ENOSYS) return {Code::kInternal, "the file system cannot exchange two names"};
  return FileFailure("replace", to, errno);
}

}  // namespace hypha
