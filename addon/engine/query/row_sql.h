// Pieces of SQL that every plan shares.
#pragma once

#include <string>

#include "query/evaluator.h"

namespace hypha {

inline constexpr const char* kSelectRow = "SELECT key, value, metadata, created_at, updated_at, version, crc";
inline constexpr const char* kSelectCount = "SELECT count(*)";

// " AND hypha_match(?2, ...)", passing only the columns that the evaluator reads, and those that their checksum takes.
inline std::string MatchCall(const Evaluator& evaluator) {
  const bool attributes = evaluator.needs_metadata() || evaluator.needs_numbers();
  std::string call = " AND hypha_match(?2, key, ";
  call += evaluator.needs_value() ? "value, " : "NULL, ";
  call += attributes ? "metadata, created_at, updated_at, version, " : "NULL, NULL, NULL, NULL, ";
  return call + (evaluator.needs_value() || attributes ? "crc)" : "NULL)");
}

}  // namespace hypha
