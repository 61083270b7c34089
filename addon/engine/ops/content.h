// One pass over everything that a store holds.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "hypha/status.h"
#include "sqlite3.h"

namespace hypha {

// Something in the file that is not as it should be.
struct Problem {
  std::string kind;  // 'structure', 'schema', 'count', 'namespace', 'value' or 'checksum'
  std::string message;
  std::string ns;  // both empty when it is about no entry
  std::string key;
};
using OnProblem = std::function<void(Problem)>;

struct Content {
  std::int64_t entries = 0;
  std::int64_t namespaces = 0;
  std::uint64_t hash = 0;  // the same for the same entries and namespaces, in whatever order the file keeps them
};

// Reads every row: those with a checksum are checked against it, the values of those without must be JSON.
// `cancelled` may be null. REQUIRES: a schema of this version; the caller has opened the snapshot it wants.
Result<Content> ReadContent(sqlite3* db, const std::atomic<bool>* cancelled, const OnProblem& on_problem);

}  // namespace hypha
