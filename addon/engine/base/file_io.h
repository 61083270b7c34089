// Plain files that are no databases: made under a temporary name, synced, and put in place at once.
//
// Never use this on a database file or its -wal and -shm: closing any descriptor of those drops SQLite's locks.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hypha/status.h"

namespace hypha {

// A file descriptor that is closed at the end.
class FileHandle {
 public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : descriptor_(descriptor) {}
  FileHandle(FileHandle&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileHandle& operator=(FileHandle&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  FileHandle(const FileHandle&) = delete;
  FileHandle& operator=(const FileHandle&) = delete;
  ~FileHandle();

  int get() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

// What the system's `error` means for "cannot <action> <path>": kFull, kExists, kCantOpen, kNoMem or kIo.
Status FileFailure(const char* action, const std::string& path, int error);

// Opens a regular file for reading; kCantOpen for anything else, a FIFO or a directory included.
Result<FileHandle> OpenForReading(const std::string& path);
// Makes a file of mode 0600 that did not exist.
Result<FileHandle> CreateFile(const std::string& path);
// A new directory for its owner alone, whatever the umask.
Status MakeDirectory(const std::string& path);
// Up to `size` bytes; 0 at the end of the file.
Result<std::size_t> ReadSome(const FileHandle& file, const std::string& path, char* out, std::size_t size);
Status WriteAll(const FileHandle& file, const std::string& path, std::string_view data);
// Content and size reach the disk.
Status SyncFile(const FileHandle& file, const std::string& path);
// Names made, changed or removed in the directory reach the disk.
Status SyncDirectory(const std::string& directory);

// The directory that `path` is in, "." for a bare name; and its last part. REQUIRES: no slash at the end.
std::string DirectoryOf(const std::string& path);
std::string NameOf(const std::string& path);
// Whether SQLite gives such a name to what belongs to a database of another name: its logs and their index. Used as a
// file of its own it would be written over, removed, or lose the locks that others have on it.
bool IsNameOfALog(const std::string& path);

enum class PathKind { kAbsent, kFile, kDirectory, kOther };
// Symbolic links are not followed: they are kOther. What cannot be looked at is kAbsent: making it will tell why.
PathKind KindOfPath(const std::string& path);
// What is in the directory, in no order.
Result<std::vector<std::string>> NamesIn(const std::string& directory);
// Symbolic links are followed.
bool IsDirectory(const std::string& path);

// Gives `from` the name `to`, which must be free: kExists. Atomic.
Status RenameToNew(const std::string& from, const std::string& to);
// Gives `from` the name `to` in place of what has it, which gets the name `from`. Atomic. kInternal where the file
// system cannot do it: nothing was changed.
Status ExchangeNames(const std::string& from, const std::string& to);

}  // namespace hypha
