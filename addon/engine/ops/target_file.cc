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

#include "base/mutant.h"

namespace hypha {
namespace {

constexpr int kTriesToRename = 10;

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
  if (IsNameOfALog(path)) {
    return Status(Code::kCantOpen, "cannot write " + path + ": a database of another name has its log there");
  }
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(parent.c_str(), nullptr), &std::free);
  if (real == nullptr) return FromErrno(errno, "cannot write into the directory " + parent);
  const std::string folder = real.get();
  return (folder == "/" ? "" : folder) + "/" + (slash == std::string::npos ? path : path.substr(slash + 1));
}

// In `folder`, or of the whole path where that is AT_FDCWD. Allocates nothing: destructors call it when there is no
// memory as well.
void RemoveWithLogs(int folder, const char* file) noexcept {
  std::array<char, PATH_MAX + 16> name;
  // The file last: as long as it is there, what a death leaves of this is found by its name.
  for (const char* suffix : {"-journal", "-wal", "-shm", ""}) {
    const int length = std::snprintf(name.data(), name.size(), "%s%s", file, suffix);
    const bool fits = length > 0 && static_cast<std::size_t>(length) < name.size();
    if (fits && ::unlinkat(folder, name.data(), 0) != 0 && errno != ENOENT) return;
  }
}

const char* LastPartOf(const std::string& path) noexcept {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path.c_str() : path.c_str() + slash + 1;
}

}  // namespace

Result<TargetFile> TargetFile::Create(const std::string& path, bool replace) {
  auto resolved = Resolve(path);
  if (!resolved.ok()) return resolved.status();
  TargetFile file(std::move(resolved.value()), replace);
  Status status = file.OpenFolder();
  if (status.ok()) status = file.CheckTarget();
  if (status.ok()) status = file.CheckLogs();
  if (!status.ok()) return status;
  RemoveAbandoned(file.path_, [&](const std::string& name) { RemoveWithLogs(file.folder(), LastPartOf(name)); });
  status = file.Make();
  if (!status.ok()) return status;
  return file;
}

Status TargetFile::OpenFolder() {
  const std::string folder = DirectoryOf(path_);
  folder_ = FileHandle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return folder_.is_open() ? Status::Ok() : FromErrno(errno, "cannot write into the directory " + folder);
}

Status TargetFile::CheckFolder() const {
  struct stat held {};
  struct stat named {};
  const std::string folder = DirectoryOf(path_);
  if (::fstat(folder_.get(), &held) != 0) return FromErrno(errno, "cannot look at " + folder);
  const bool same = ::stat(folder.c_str(), &named) == 0 && held.st_dev == named.st_dev && held.st_ino == named.st_ino;
  return same ? Status::Ok() : Status(Code::kCantOpen, folder + " was moved or replaced while a copy was made in it");
}

Status TargetFile::CheckTarget() const {
  struct stat info {};
  if (::fstatat(folder_.get(), LastPartOf(path_), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? Status::Ok() : FromErrno(errno, "cannot write " + path_);
  }
  const auto refused = [&](const char* why) { return Status(Code::kCantOpen, "cannot write " + path_ + ": " + why); };
  if (S_ISDIR(info.st_mode)) return refused("it is a directory");
  if (S_ISLNK(info.st_mode)) return refused("it is a symbolic link");
  if (!S_ISREG(info.st_mode)) return refused("it is not a regular file");
  if (info.st_nlink > 1) return refused("it has more than one hard link");
  return replace_ ? Status::Ok() : Status(Code::kExists, path_ + " exists already");
}

Status TargetFile::CheckLogs() const {
  if (replace_) return Status::Ok();
  struct stat info {};
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    const std::string log = name() + suffix;
    if (::fstatat(folder_.get(), log.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      return {Code::kExists, path_ + suffix + " exists already"};
    }
  }
  return Status::Ok();
}

Status TargetFile::Make() {
  std::random_device random;
  for (int tries = 0; tries < 16; ++tries) {
    temporary_ = TemporaryNameOf(path_, random() % 1'000'000'000);
    descriptor_ =
        ::openat(folder_.get(), LastPartOf(temporary_), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    // The mode that the process's umask left is not the one that was asked for.
    if (descriptor_ >= 0 && ::fchmod(descriptor_, 0600) == 0) {
      Status claimed = claim_.Take(temporary_);
      if (claimed.code() != Code::kExists) return claimed;
      ::close(std::exchange(descriptor_, -1));
      RemoveTemporary();
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
      folder_(std::move(other.folder_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      claim_(std::move(other.claim_)) {}

TargetFile::~TargetFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!temporary_.empty()) RemoveTemporary();
}

// By both ways: what SQLite has made beside it, it has made by name.
void TargetFile::RemoveTemporary() noexcept {
  RemoveWithLogs(folder_.get(), LastPartOf(temporary_));
  RemoveWithLogs(AT_FDCWD, temporary_.c_str());
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

Status TargetFile::SyncFolder() { return SyncFile(folder_, DirectoryOf(path_)); }

Status TargetFile::Publish(const std::function<Status(bool*)>& before_rename) {
  Status status = Sync();
  // A file system may tell only now that it had no room.
  if (status.ok() && ::close(std::exchange(descriptor_, -1)) != 0) status = FromErrno(errno, "cannot close");
  for (int tries = 1; status.ok(); ++tries) {
    bool exists = replace_;
    status = CheckFolder();
    if (status.ok() && before_rename) status = before_rename(&exists);
    if (status.ok()) status = CheckFolder();
    if (status.ok()) status = Rename(replace_ && exists);
    if (status.ok()) break;
    if (status.code() == Code::kExists && replace_ && tries < kTriesToRename) status = Status::Ok();
  }
  if (!status.ok()) return status;
  claim_.Release();   // before anybody of this process opens the file by its new name
  RemoveTemporary();  // a log that SQLite could not delete
  temporary_.clear();
  return SyncFolder();
}

// Without `replace` a file that came into being meanwhile stays what it is.
Status TargetFile::Rename(bool replace) {
  const int folder = folder_.get();
  const char* from = LastPartOf(temporary_);
  const char* to = LastPartOf(path_);
#if defined(RENAME_NOREPLACE)
  if (!replace) {
    if (::renameat2(folder, from, folder, to, RENAME_NOREPLACE) == 0) return Status::Ok();
    if (errno != EINVAL && errno != ENOSYS) return FromErrno(errno, "cannot rename to " + path_);
  }
#endif
  Status status = CheckTarget();
  if (!status.ok()) return status;
  if (Mutated(Mutant::kRemoveBeforeRename)) ::unlinkat(folder, to, 0);
  return ::renameat(folder, from, folder, to) == 0 ? Status::Ok() : FromErrno(errno, "cannot rename to " + path_);
}

}  // namespace hypha
