#include "query/query_runner.h"

#include <random>

#include "base/json_writer.h"
#include "query/evaluator.h"
#include "query/planner.h"
#include "query/ranker.h"
#include "query/row_text.h"
#include "query/sql_functions.h"

namespace hypha {
namespace {

EntryView RowOf(const Cursor& cursor) {
  const auto column = [](RowColumn c) { return static_cast<int>(c); };
  EntryView row;
  row.key = cursor.Text(column(RowColumn::kKey));
  row.value = cursor.Text(column(RowColumn::kValue));
  row.metadata = cursor.Text(column(RowColumn::kMetadata));
  row.created_at = cursor.Integer(column(RowColumn::kCreatedAt));
  row.updated_at = cursor.Integer(column(RowColumn::kUpdatedAt));
  row.version = cursor.Integer(column(RowColumn::kVersion));
  return row;
}

void BindPlan(Cursor& cursor, const Plan& plan, std::int64_t ns_id, Evaluator* evaluator) {
  cursor.Bind(1, ns_id);
  if (plan.match) {
    sqlite3_bind_pointer(cursor.statement(), Plan::kMatchParameter, evaluator, kEvaluatorPointer, nullptr);
  }
  for (std::size_t i = 0; i < plan.texts.size(); ++i) {
    cursor.Bind(Plan::kFirstTextParameter + static_cast<int>(i), std::string_view(plan.texts[i]));
  }
}

Status TooLarge() { return {Code::kTooLarge, "the result is larger than limits.resultBytes"}; }

// Rows that come in the order in which they are wanted: skip, take, stop.
Status Stream(Cursor& cursor, const QuerySpec& spec, std::int64_t result_bytes, ChunkWriter& out) {
  std::int64_t skip = spec.offset;
  std::int64_t left = spec.limit.value_or(-1);
  while (left != 0 && cursor.Step()) {
    if (skip > 0) {
      --skip;
      continue;
    }
    if (left > 0) --left;
    AppendRow(out.Element(), RowOf(cursor), spec.shape);
    if (static_cast<std::int64_t>(out.Close()) > result_bytes) return TooLarge();
  }
  return cursor.status("query");
}

}  // namespace

bool QueryRunner::HoldsMostRows(std::int64_t ns_id) {
  constexpr int kProbes = 16;
  auto last = db_.QueryInteger("SELECT coalesce(max(id), 0) FROM hypha_entries");
  auto probe = db_.cache().Take("SELECT ns_id FROM hypha_entries WHERE id >= ?1 LIMIT 1");
  if (!last.ok() || !probe.ok()) return false;
  std::minstd_rand random(static_cast<unsigned>(last.value()) + 1);
  int hits = 0;
  for (int i = 0; i < kProbes; ++i) {
    const std::int64_t at = 1 + static_cast<std::int64_t>(random()) % (last.value() + 1);
    Cursor cursor(probe.value().get());
    if (cursor.Bind(1, at).Step() && cursor.Integer(0) == ns_id) ++hits;
  }
  return hits * 2 > kProbes;
}

Result<JsonChunks> QueryRunner::Run(const QuerySpec& spec, std::int64_t ns_id, std::int64_t result_bytes) {
  if (ns_id == 0 || spec.limit == 0) return JsonChunks{};
  PlanRequest request;
  request.unsorted = spec.sort.empty();
  request.limited = spec.limit.has_value();
  request.mostly_this_namespace = HoldsMostRows(ns_id);
  const Plan plan = MakePlan(spec.filter, request);
  Evaluator evaluator(spec.filter);
  auto lease = db_.cache().Take(plan.sql);
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  BindPlan(cursor, plan, ns_id, &evaluator);
  if (plan.key_order) {
    ChunkWriter out;
    Status status = Stream(cursor, spec, result_bytes, out);
    if (!status.ok()) return status;
    return out.Take();
  }
  Ranker ranker(spec.sort, spec.offset, spec.limit, spec.shape);
  while (cursor.Step()) {
    if (!ranker.Add(RowOf(cursor), result_bytes)) return TooLarge();
  }
  Status status = cursor.status("query");
  if (!status.ok()) return status;
  return ranker.Take();
}

Result<std::int64_t> QueryRunner::Count(const FilterNode& filter, std::int64_t ns_id) {
  if (ns_id == 0) return 0;
  PlanRequest request;
  request.count_only = true;
  request.mostly_this_namespace = HoldsMostRows(ns_id);
  const Plan plan = MakePlan(filter, request);
  Evaluator evaluator(filter);
  auto lease = db_.cache().Take(plan.sql);
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  BindPlan(cursor, plan, ns_id, &evaluator);
  if (cursor.Step()) return cursor.Integer(0);
  return cursor.status("count");
}

}  // namespace hypha
