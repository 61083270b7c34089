// Runs queries and filtered counts on one connection.
#pragma once

#include <cstdint>
#include <vector>

#include "base/entry_checksum.h"
#include "hypha/types.h"
#include "query/index_planner.h"
#include "query/planner.h"
#include "query/shared_scan.h"
#include "sqlite/connection.h"

namespace hypha {

// A query with all that it needs beside the connection.
struct QueryJob {
  const QuerySpec& spec;
  std::int64_t ns_id;
  std::int64_t result_bytes;
  const Position* after;  // of a later page

  NamespaceRef of() const { return {spec.ns, ns_id}; }
};

// Thread: that of the connection. REQUIRES: the caller has opened the snapshot and set the deadline it wants.
class QueryRunner {
 public:
  explicit QueryRunner(Connection& db) : db_(db) {}

  // Long scans are shared with it; null: none.
  void set_partner(ScanPartner* partner) { partner_ = partner; }

  // The entries of namespace `ns_id` that match, sorted and paged, as contract section 2 says.
  // kTooLarge past `result_bytes`; kCorrupt when a row that the filter read or that is returned lacks its checksum.
  Result<QueryReply> Run(const QuerySpec& spec, std::int64_t ns_id, std::int64_t result_bytes);
  Result<std::int64_t> Count(const CountSpec& spec, std::int64_t ns_id);

 private:
  Result<std::optional<IndexPlan>> PlanWithIndex(const QueryJob& job, bool count_only);
  Result<bool> IsSelective(const IndexPlan& plan);
  Result<QueryReply> RunIndexed(const QueryJob& job, const IndexPlan& plan);
  Result<QueryReply> RunPlain(const QueryJob& job);
  Result<QueryReply> RunInKeyOrder(const QueryJob& job, const Plan& plan);
  Result<QueryReply> RunUnordered(const QueryJob& job, const Plan& plan);
  Result<std::int64_t> CountPlain(const QueryJob& job);
  Result<std::int64_t> CountIndexed(const QueryJob& job, const IndexPlan& plan);
  Result<std::int64_t> LastRowid();
  // A guess from a few random rows.
  bool HoldsMostRows(std::int64_t ns_id, std::int64_t last_rowid);

  Connection& db_;
  ScanPartner* partner_ = nullptr;
};

}  // namespace hypha
