// One result row as JSON text.
#pragma once

#include <string>

#include "hypha/types.h"

namespace hypha {

void AppendRow(std::string& out, const EntryView& row, QueryShape shape);

}  // namespace hypha
