// From a query to SQL: a predicate that never selects less than the filter does, and how the rows come.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hypha/types.h"

namespace hypha {

// SQL text made of this module's own literals, and what to bind to its ?1, ?2, ... The first bind is always the
// namespace's id; a plan with `match` binds the Evaluator at kMatchParameter.
struct Plan {
  static constexpr int kMatchParameter = 2;
  static constexpr int kFirstTextParameter = 3;

  std::string sql;
  std::vector<std::string> texts;  // bound from kFirstTextParameter on
  bool match = true;               // the predicate is wider than the filter: the evaluator decides
  bool key_order = false;          // rows come in key order
  bool table_scan = false;         // reads the whole table, page by page (shared_scan.h); `sql` says the same
  bool count_only = false;
};

// Columns of the rows that a plan's statement gives.
enum class RowColumn : std::uint8_t { kKey, kValue, kMetadata, kCreatedAt, kUpdatedAt, kVersion, kCrc };

struct PlanRequest {
  bool count_only = false;
  bool unsorted = false;               // the result is in key order
  bool limited = false;                // the caller stops early
  bool mostly_this_namespace = false;  // most rows of the table belong to the namespace
  std::string_view after_key;          // of an unsorted page: only greater keys are wanted
};

// Predicates on the key (eq, in, startsWith with text operands) become a range of the unique index; all else is left to
// the evaluator.
Plan MakePlan(const FilterNode& filter, const PlanRequest& request);

}  // namespace hypha
