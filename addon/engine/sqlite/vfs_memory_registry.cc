#include "sqlite/vfs_memory_registry.h"

#include <string_view>

#include "sqlite3.h"

namespace hypha {
namespace {

// The files SQLite names after a database: "<database>-wal" and "<database>-journal".
bool IsDependent(std::string_view name, std::string_view database) {
  if (name.substr(0, database.size()) != database) return false;
  const std::string_view suffix = name.substr(database.size());
  return suffix == "-wal" || suffix == "-journal";
}

}  // namespace

std::shared_ptr<MemoryNode> MemoryRegistry::Open(const char* name, int flags) {
  if (name == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) return std::make_shared<MemoryNode>();
  MutexLock lock(mutex_);
  auto found = nodes_.find(std::string_view(name));
  const bool must_be_new = (flags & SQLITE_OPEN_EXCLUSIVE) != 0;
  if (found == nodes_.end() ? (flags & SQLITE_OPEN_CREATE) == 0 : must_be_new) return nullptr;
  if (found == nodes_.end()) found = nodes_.emplace(name, std::make_shared<MemoryNode>()).first;
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) ++found->second->database_handles;
  return found->second;
}

void MemoryRegistry::CloseDatabase(const char* name, const std::shared_ptr<MemoryNode>& node) {
  MutexLock lock(mutex_);
  if (--node->database_handles != 0) return;
  const auto database = nodes_.find(std::string_view(name));
  // The name may have been removed, and given to another file.
  if (database == nodes_.end() || database->second != node) return;
  std::erase_if(nodes_, [name](const auto& entry) { return entry.first == name || IsDependent(entry.first, name); });
}

bool MemoryRegistry::Remove(const char* name) {
  MutexLock lock(mutex_);
  const auto found = nodes_.find(std::string_view(name));
  if (found == nodes_.end()) return false;
  nodes_.erase(found);
  return true;
}

std::shared_ptr<MemoryNode> MemoryRegistry::Find(const char* name) {
  MutexLock lock(mutex_);
  const auto found = nodes_.find(std::string_view(name));
  return found == nodes_.end() ? nullptr : found->second;
}

int MemoryRegistry::Count() {
  MutexLock lock(mutex_);
  return static_cast<int>(nodes_.size());
}

}  // namespace hypha
