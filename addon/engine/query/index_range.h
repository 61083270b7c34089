// Which part of an index a filter term can match.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hypha/filter.h"

namespace hypha {

// Order keys from `low` to below `high`. `exact`: every one of them matches the term.
struct IndexRange {
  std::string low;
  std::string high;
  bool exact = false;
};

// Ascending ranges that do not overlap and hold every value that the term matches; empty when it matches nothing.
// Nothing when an index is of no use to the operator.
std::optional<std::vector<IndexRange>> RangesOf(const Term& term);

}  // namespace hypha
