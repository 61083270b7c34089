// Every entry of a namespace in the order in which the table holds them, read page by page.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "query/js_value.h"
#include "sqlite/connection.h"
#include "sqlite/page_reader.h"

namespace hypha {

// The table's b-tree in parts, each a page with all that is below it. Thread-safe once Find() is done: connections of
// the same snapshot take the parts that are left, so that none waits for the slower one.
class TableParts {
 public:
  // Enough parts to share, and not so many that their list grows with the table.
  static constexpr std::size_t kEnough = 256;

  // REQUIRES: as PageReader.
  Status Find(Connection& db);
  std::size_t count() const { return parts_.size(); }
  // A page and the rowids that may be below it: behind `after`, up to `last`.
  struct Part {
    btree::PageNumber page = 0;
    std::int64_t after = std::numeric_limits<std::int64_t>::min();
    std::int64_t last = std::numeric_limits<std::int64_t>::max();
  };
  // The next part; false when all are taken.
  bool Take(Part* part) {
    const std::size_t i = next_.fetch_add(1, std::memory_order_relaxed);
    if (i >= parts_.size()) return false;
    *part = parts_[i];
    return true;
  }
  // Whether a leaf so far below its part is as deep as every other one.
  bool IsLeafDepth(int depth) {
    int known = -1;
    return leaf_depth_.compare_exchange_strong(known, depth, std::memory_order_relaxed) || known == depth;
  }

 private:
  static Status AddChildren(const btree::Page& page, const Part& parent, std::vector<Part>* below);

  std::vector<Part> parts_;
  std::atomic<std::size_t> next_{0};
  std::atomic<int> leaf_depth_{-1};
};

// Takes the entries of a scan.
class EntrySink {
 public:
  virtual ~EntrySink() = default;
  // `entry` lives for the call; `crc` is its stored checksum, if it has one.
  virtual Status Take(const EntryView& entry, std::optional<std::int64_t> crc) = 0;
};

// Thread: that of the connection.
class TableScan {
 public:
  explicit TableScan(Connection& db) : pages_(db) {}

  // Gives the sink every entry of namespace `ns_id` in the parts that it gets hold of. REQUIRES: as PageReader.
  Status Run(TableParts& parts, std::int64_t ns_id, EntrySink& sink);

 private:
  Status ScanBelow(TableParts& parts, btree::PageNumber number, int depth);
  Status ScanLeaf(const btree::Page& page);
  Status ReadEntry(const btree::Cell& cell);

  PageReader pages_;
  std::int64_t ns_id_ = 0;
  EntrySink* sink_ = nullptr;
  // Rowids only rise: a page that is read twice, or in the place of another, is damage.
  std::int64_t rowid_ = 0;
  std::int64_t last_rowid_ = 0;
  std::array<LoadedPage, kMaxTreeDepth> levels_;
  std::string scratch_;
};

}  // namespace hypha
