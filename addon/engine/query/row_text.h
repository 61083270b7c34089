// One result row as JSON text.
#pragma once

#include <string>
#include <vector>

#include "hypha/types.h"

namespace hypha {

struct RowShape {
  QueryShape shape = QueryShape::kEntries;
  std::vector<std::string> select;  // of values that are objects only these properties; empty: all
};

void AppendRow(std::string& out, const EntryView& row, const RowShape& shape);

}  // namespace hypha
