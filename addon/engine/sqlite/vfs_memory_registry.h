// The names of the files of the in-memory VFS.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "sqlite/vfs_memory_file.h"
#include "sqlite/vfs_memory_shm.h"

namespace hypha {

// One in-memory file. Its parts guard themselves.
struct MemoryNode {
  MemoryBytes bytes;
  MemoryFileLock lock;
  MemoryShm shm;
  int database_handles = 0;  // belongs to the registry: open handles, where this is a main database
};

// Finds nodes by name. A name keeps its node alive, and so does every handle. The log and journal of a database are
// not tied to their own handles (SQLite expects a log to be there after a connection closed it) but to those of the
// database: with the last of these all three names go. Any number of threads; Open may throw std::bad_alloc and has
// then changed nothing.
class MemoryRegistry {
 public:
  // The node for xOpen's `name` and `flags`; null if these do not allow it to be opened.
  std::shared_ptr<MemoryNode> Open(const char* name, int flags);
  // Ends what one Open with SQLITE_OPEN_MAIN_DB began.
  void CloseDatabase(const char* name, const std::shared_ptr<MemoryNode>& node);
  // False: there is no such file.
  bool Remove(const char* name);
  std::shared_ptr<MemoryNode> Find(const char* name);
  int Count();

 private:
  Mutex mutex_;
  std::map<std::string, std::shared_ptr<MemoryNode>, std::less<>> nodes_ GUARDED_BY(mutex_);
};

}  // namespace hypha
