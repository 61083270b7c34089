// The one door to SQLite's handles: whatever the engine opens, for a store or for a copy, comes out of here hardened.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hypha/status.h"
#include "sqlite3.h"

namespace hypha {

struct CloseDatabase {
  void operator()(sqlite3* db) const noexcept { sqlite3_close(db); }
};
using DatabaseHandle = std::unique_ptr<sqlite3, CloseDatabase>;

// The longest text where no limit of a store is known.
inline constexpr std::int64_t kLongestText = 1'000'000'000;

// sqlite3_open_v2() without following links, and then, each read back: the defensive flags, the limits, no temporary
// files, checked cells, and the authorizer. No statement has read the file by then. `flags` are SQLITE_OPEN_*; `vfs`
// may be null for SQLite's default; a text of more than `longest` bytes is an error.
Result<DatabaseHandle> OpenHardened(const std::string& path, int flags, const char* vfs,
                                    std::int64_t longest = kLongestText);

}  // namespace hypha
