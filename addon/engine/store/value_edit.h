// Changes inside a value, on its JSON text: everything that is not changed keeps its bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hypha/status.h"
#include "hypha/types.h"

namespace hypha {

// The text of `value` (empty: absent) after `edit` at `path` (none: the whole value) with the JSON text `operand`.
// kSum, kMin, kMax: the number there and the operand; absent counts as 0 for kSum, and takes the operand for the
// others. kAppend: the operand goes to the end of the array there; absent counts as an empty one. Missing objects on
// the way are made. kInvalidValue: something else is there, or a sum that JSON cannot hold.
Result<std::string> EditValue(std::string_view value, EditKind edit, const std::vector<std::string>& path,
                              std::string_view operand);

}  // namespace hypha
