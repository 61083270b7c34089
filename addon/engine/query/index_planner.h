// Chooses an index for a query, and says how to read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hypha/types.h"
#include "query/index_definition.h"
#include "query/index_range.h"
#include "query/position.h"

namespace hypha {

// One range of the index's column number `equal.size()`, read by `sql`.
// Binds: ?1 low, ?2 the evaluator (when `match`), ?3 high, ?4 and on the keys of the leading columns.
struct IndexSegment {
  std::string sql;
  std::string from;  // its part that says which rows of the index are read, without the evaluator
  std::string low;   // both empty: the column is absent or null, nothing is bound
  std::string high;
  bool match = true;  // the evaluator decides on each row
  // The column equals `low`, and ?3 is a key: only greater ones are read.
  std::optional<std::string> after_key = std::nullopt;
};

struct IndexPlan {
  IndexDefinition index;
  std::vector<std::string> equal;  // order keys that the leading columns equal
  std::vector<IndexSegment> segments;
  // The segments, one after the other, give the rows in the order that is wanted.
  bool ordered = false;
  // `ordered` rests on no entry having null in the value and something else in the metadata under the sort's name.
  bool check_null_over_metadata = false;
  std::string null_check_sql;
  // Whether nothing but the index decides.
  bool exact = false;
};

struct IndexPlanRequest {
  bool count_only = false;
  bool limited = false;
  const Position* after = nullptr;  // of a page: rows before it need not be read
};

// The best index for the filter and the order, if any is of use.
std::optional<IndexPlan> PlanIndex(const QuerySpec& spec, const std::vector<IndexDefinition>& indexes,
                                   const IndexPlanRequest& request);

}  // namespace hypha
