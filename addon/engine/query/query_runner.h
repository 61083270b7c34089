// Runs queries and filtered counts on one connection.
#pragma once

#include <cstdint>

#include "hypha/types.h"
#include "sqlite/connection.h"

namespace hypha {

// Thread: that of the connection. REQUIRES: the caller has opened the snapshot and set the deadline it wants.
class QueryRunner {
 public:
  explicit QueryRunner(Connection& db) : db_(db) {}

  // The entries of namespace `ns_id` that match, sorted and paged, as contract section 2 says.
  // kTooLarge past `result_bytes`.
  Result<JsonChunks> Run(const QuerySpec& spec, std::int64_t ns_id, std::int64_t result_bytes);
  Result<std::int64_t> Count(const FilterNode& filter, std::int64_t ns_id);

 private:
  // A guess from a few random rows.
  bool HoldsMostRows(std::int64_t ns_id);

  Connection& db_;
};

}  // namespace hypha
