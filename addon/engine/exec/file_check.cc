#include <sys/stat.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "base/file_io.h"
#include "base/mutant.h"
#include "exec/registry.h"

namespace hypha {
namespace {

Status CantOpen(const std::string& path, const std::string& why) {
  return {Code::kCantOpen, "cannot open " + path + ": " + why};
}

Status MakeDirectories(const std::string& directory) {
  for (std::size_t at = 0; at != std::string::npos;) {
    at = directory.find('/', at + 1);
    const std::string part = directory.substr(0, at);
    // The umask may have taken rights from the owner as well.
    const bool made = ::mkdir(part.c_str(), 0700) == 0 ? ::chmod(part.c_str(), 0700) == 0 : errno == EEXIST;
    if (!made) return CantOpen(part, std::strerror(errno));
  }
  return Status::Ok();
}

Result<std::string> RealPath(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (real == nullptr) return CantOpen(path, std::strerror(errno));
  return std::string(real.get());
}

// OK for a regular file with one name, and for none at all.
Status CheckLeaf(const std::string& path, bool create, bool* exists) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return CantOpen(path, std::strerror(errno));
    *exists = false;
    return create ? Status::Ok() : CantOpen(path, "no such file, and create is false");
  }
  *exists = true;
  if (S_ISDIR(info.st_mode)) return CantOpen(path, "it is a directory");
  if (S_ISLNK(info.st_mode)) return CantOpen(path, "it is a symbolic link");
  if (!S_ISREG(info.st_mode)) return CantOpen(path, "it is not a regular file");
  // SQLite takes a single byte for an empty file.
  if (info.st_size == 1) return {Code::kNotADatabase, path + " is not a database"};
  // Under two names the file would have two write-ahead logs.
  if (info.st_nlink > 1 && !Mutated(Mutant::kAcceptHardLinks)) return CantOpen(path, "it has more than one hard link");
  return Status::Ok();
}

}  // namespace

Result<FileCheck> CheckFile(const std::string& path, bool create) {
  if (path.empty()) return Status(Code::kInvalidArgument, "path must be a non-empty string");
  if (path.find('\0') != std::string::npos) return Status(Code::kInvalidArgument, "path holds a NUL byte");
  if (path.back() == '/') return CantOpen(path, "it is a directory");
  if (IsNameOfALog(path)) return CantOpen(path, "a database of another name has its log there");
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (create) {
    Status status = MakeDirectories(parent);
    if (!status.ok()) return status;
  }
  auto real_parent = RealPath(parent);
  if (!real_parent.ok()) return real_parent.status();
  const std::string leaf = slash == std::string::npos ? path : path.substr(slash + 1);
  FileCheck check;
  check.path = (real_parent.value() == "/" ? "" : real_parent.value()) + "/" + leaf;
  Status status = CheckLeaf(check.path, create, &check.exists);
  if (!status.ok()) return status;
  return check;
}

}  // namespace hypha
