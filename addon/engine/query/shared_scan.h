// A query or count that reads the whole table, by one reader or two.
#pragma once

#include <cstdint>
#include <functional>

#include "base/entry_checksum.h"
#include "query/evaluator.h"
#include "query/ranker.h"
#include "query/table_scan.h"

namespace hypha {

// Another reader in the same snapshot, lent for one scan.
class ScanPartner {
 public:
  virtual ~ScanPartner() = default;
  // Runs `theirs` on another connection that sees the very same snapshot and `mine` on this thread, at the same time;
  // returns when both are done. False when there is no such connection now: neither was run.
  virtual bool Together(const std::function<void()>& mine, const std::function<void(Connection&)>& theirs) = 0;
};

struct ScanCounts {
  std::int64_t examined = 0;
  std::int64_t matched = 0;
};

struct ScanJob {
  const QuerySpec& spec;
  const Evaluator& evaluator;
  NamespaceRef of;
  std::int64_t max_bytes = 0;
  const Position* after = nullptr;
};

// Reads all entries of the namespace. `ranker` (null: only count) gets those that match, also what the partner (null:
// none) found. kCorrupt when what the filter reads of an entry, or an entry that is returned, lacks its checksum.
// REQUIRES: as PageReader.
Result<ScanCounts> RunScan(Connection& db, ScanPartner* partner, const ScanJob& job, Ranker* ranker);

}  // namespace hypha
