// Whole pages of the open snapshot, read through SQLite's own pager.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sqlite/btree_page.h"
#include "sqlite/connection.h"
#include "sqlite/statement_cache.h"

namespace hypha {

// One page's bytes and what they are. The page views the bytes: do not copy or move one that is in use.
struct LoadedPage {
  std::string bytes;
  btree::Page page;
};

// Stepping through rows costs SQLite several times what it costs to read their pages, so scans read pages: with the
// table sqlite_dbpage, which answers from the pager, so that the snapshot, the log, the cache and encryption are the
// same as for every other statement.
//
// Thread: that of the connection. REQUIRES: a snapshot or transaction is open throughout. Each call looks at the
// connection's deadline (kTimeout); a page that does not hold together is kCorrupt.
class PageReader {
 public:
  explicit PageReader(Connection& db) : db_(db) {}

  // The root page of the table or index `name`.
  Result<btree::PageNumber> Open(std::string_view name);

  Status Load(btree::PageNumber number, LoadedPage* into);
  // The whole record of a cell: a view of its page, or of `*scratch`.
  Result<std::string_view> Record(const btree::Cell& cell, std::string* scratch);

 private:
  Status Fetch(btree::PageNumber number, std::string* into);
  static Status Damaged(btree::PageNumber number);

  Connection& db_;
  std::optional<StatementCache::Lease> statement_;
  btree::Geometry geometry_;
  std::string overflow_;  // the page of an overflow chain that is being read
};

// No b-tree of SQLite is deeper: each interior page has two children at least.
inline constexpr int kMaxTreeDepth = 32;

}  // namespace hypha
