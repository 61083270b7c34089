// Pieces of SQL that every plan shares.
#pragma once

#include <string>

#include "query/evaluator.h"

namespace hypha {

inline constexpr const char* kSelectRow = "SELECT key, value, metadata, created_at, updated_at, version";
inline constexpr const char* kSelectCount = "SELECT count(*)";

// " AND hypha_match(?2, ...)", passing only the columns that the evaluator reads.
inline std::string MatchCall(const Evaluator& evaluator) {
  std::string call = " AND hypha_match(?2, key, ";
  call += evaluator.needs_value() ? "value, " : "NULL, ";
  call += evaluator.needs_metadata() ? "metadata, " : "NULL, ";
  return call + "created_at, updated_at, version)";
}

}  // namespace hypha
