// Reads that take a while: to be interrupted, or to be under way when something else happens.
#pragma once

#include <string>
#include <vector>

#include "support/databases.h"
#include "support/filters.h"

namespace hypha::test {

// Runs until it is interrupted.
inline constexpr const char* kEndless =
    "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

// Reads every value to its end.
inline FilterNode Slow() { return Leaf(Source::kValue, {}, Operator::kContains, Str("needle")); }

// Enough text for Slow() to take some milliseconds.
inline std::vector<WriteOp> LongTexts() {
  std::vector<WriteOp> ops;
  for (int i = 0; i < 20'000; ++i) ops.push_back(SetOp("k" + std::to_string(i), "\"" + std::string(200, 'h') + "\""));
  return ops;
}

}  // namespace hypha::test
