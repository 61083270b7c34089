// Copies of a whole store, and what is told about them.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace hypha {

struct CopyControl {
  std::shared_ptr<std::atomic<bool>> cancelled;  // may be null; set by any thread
  // Pages copied and pages in all, now and then and at the end; called on the copying thread. May be empty.
  std::function<void(std::int64_t done, std::int64_t total)> progress;

  bool IsCancelled() const { return cancelled != nullptr && cancelled->load(); }
};

struct BackupSpec {
  std::string path;
  bool replace = false;  // a file that has this name already
  CopyControl control;
};

// What the copy holds, read back from it.
struct BackupReport {
  std::string path;  // absolute
  std::int64_t bytes = 0;
  std::int64_t entries = 0;
  std::int64_t namespaces = 0;
  std::int64_t created_at = 0;  // milliseconds UTC
  std::string content_hash;     // 16 hexadecimal digits over all entries and namespaces
};

}  // namespace hypha
