#include "base/claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <string_view>

#include "base/mutant.h"
#include "base/mutex.h"

namespace hypha {
namespace {

constexpr char kInfix[] = ".tmp-";

// This process's own, which it must not even open: closing a descriptor of a database file drops SQLite's locks.
struct Names {
  Mutex mutex;
  std::set<std::string> claimed GUARDED_BY(mutex);
};

Names& OfThisProcess() {
  static auto* names = new Names;
  return *names;
}

bool IsClaimedHere(const std::string& name) {
  Names& names = OfThisProcess();
  MutexLock lock(names.mutex);
  return names.claimed.contains(name);
}

// "12-345"
bool IsPidAndNumber(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || dash == 0 || dash + 1 == text.size()) return false;
  return text.find_first_not_of(kDigits) == dash && text.find_first_not_of(kDigits, dash + 1) == std::string_view::npos;
}

FileHandle OpenPlain(const std::string& name) {
  return FileHandle(::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

}  // namespace

Claim& Claim::operator=(Claim&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(lock_, other.lock_);
  return *this;
}

Status Claim::Take(const std::string& name) {
  Release();
  name_ = name;
  {
    Names& names = OfThisProcess();
    MutexLock lock(names.mutex);
    names.claimed.insert(name);
  }
  Status taken(Code::kExists);
  lock_ = OpenPlain(name);
  if (!lock_.is_open()) return errno == ENOENT ? taken : FileFailure("open", name, errno);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) return taken;
  struct stat info {};
  return ::fstat(lock_.get(), &info) == 0 && info.st_nlink > 0 ? Status::Ok() : taken;
}

void Claim::Release() {
  if (name_.empty()) return;
  lock_ = FileHandle();
  Names& names = OfThisProcess();
  MutexLock lock(names.mutex);
  names.claimed.erase(name_);
  name_.clear();
}

std::string TemporaryNameOf(const std::string& path, std::int64_t number) {
  return path + kInfix + std::to_string(::getpid()) + "-" + std::to_string(number);
}

void RemoveAbandoned(const std::string& path, const std::function<void(const std::string& name)>& remove) {
  const std::string start = NameOf(path) + kInfix;
  const std::string folder = path.substr(0, path.size() - NameOf(path).size());
  auto names = NamesIn(DirectoryOf(path));
  if (!names.ok() || Mutated(Mutant::kKeepAbandoned)) return;
  for (const auto& found : names.value()) {
    if (found.rfind(start, 0) != 0 || !IsPidAndNumber(std::string_view(found).substr(start.size()))) continue;
    const std::string name = folder + found;
    const PathKind kind = KindOfPath(name);
    if ((kind != PathKind::kFile && kind != PathKind::kDirectory) || IsClaimedHere(name)) continue;
    const FileHandle file = OpenPlain(name);
    if (file.is_open() && ::flock(file.get(), LOCK_EX | LOCK_NB) == 0) remove(name);
  }
}

}  // namespace hypha
