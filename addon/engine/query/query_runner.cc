#include "query/query_runner.h"

#include <algorithm>
#include <random>

#include "query/evaluator.h"
#include "query/explain.h"
#include "query/index_catalog.h"
#include "query/row_reader.h"
#include "query/sql_functions.h"

namespace hypha {
namespace {

// An index that gives more than this part of all rows is slower than reading them all.
constexpr std::int64_t kSelectivePart = 8;
constexpr std::int64_t kAlwaysSelective = 64;

void BindPlan(Cursor& cursor, const Plan& plan, std::int64_t ns_id, BoundFilter* filter) {
  cursor.Bind(1, ns_id);
  if (plan.match) cursor.BindPointer(Plan::kMatchParameter, filter, kFilterPointer);
  for (std::size_t i = 0; i < plan.texts.size(); ++i) {
    cursor.Bind(Plan::kFirstTextParameter + static_cast<int>(i), std::string_view(plan.texts[i]));
  }
}

void BindSegment(Cursor& cursor, const IndexPlan& plan, const IndexSegment& segment, BoundFilter* filter) {
  if (!segment.low.empty()) cursor.BindBlob(1, segment.low);
  if (segment.after_key) {
    cursor.Bind(3, std::string_view(*segment.after_key));
  } else if (!segment.low.empty()) {
    cursor.BindBlob(3, segment.high);
  }
  if (segment.match) cursor.BindPointer(2, filter, kFilterPointer);
  for (std::size_t i = 0; i < plan.equal.size(); ++i) cursor.BindBlob(4 + static_cast<int>(i), plan.equal[i]);
}

// Why the statement ended.
Status Verdict(const Status& status, const BoundFilter& filter) {
  return filter.damaged.ok() ? status : filter.damaged;
}

}  // namespace

Result<std::int64_t> QueryRunner::LastRowid() {
  auto lease = db_.cache().Take("SELECT coalesce(max(id), 0) FROM hypha_entries");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  if (cursor.Step()) return cursor.Integer(0);
  return cursor.status("find the last row");
}

bool QueryRunner::HoldsMostRows(std::int64_t ns_id, std::int64_t last_rowid) {
  constexpr int kProbes = 16;
  auto probe = db_.cache().Take("SELECT ns_id FROM hypha_entries WHERE id >= ?1 LIMIT 1");
  if (!probe.ok()) return false;
  std::minstd_rand random(static_cast<unsigned>(last_rowid) + 1);
  int hits = 0;
  for (int i = 0; i < kProbes; ++i) {
    // A file that others wrote may hold ids below 1.
    const std::int64_t at = 1 + static_cast<std::int64_t>(random()) % std::max<std::int64_t>(last_rowid, 1);
    Cursor cursor(probe.value().get());
    if (cursor.Bind(1, at).Step() && cursor.Integer(0) == ns_id) ++hits;
  }
  return hits * 2 > kProbes;
}

// ---- With an index

Result<std::optional<IndexPlan>> QueryRunner::PlanWithIndex(const QueryJob& job, bool count_only) {
  auto indexes = LoadIndexes(db_, job.ns_id);
  if (!indexes.ok()) return indexes.status();
  if (indexes.value().empty()) return std::optional<IndexPlan>();
  auto plan = PlanIndex(job.spec, indexes.value(), {count_only, job.spec.limit.has_value(), job.after});
  if (!plan) return plan;
  if (plan->check_null_over_metadata) {
    auto lease = db_.cache().Take(plan->null_check_sql);
    if (!lease.ok()) return lease.status();
    Cursor cursor(lease.value().get());
    for (std::size_t i = 0; i < plan->equal.size(); ++i) cursor.BindBlob(4 + static_cast<int>(i), plan->equal[i]);
    if (cursor.Step()) plan.reset();
  } else if (!plan->ordered) {
    auto selective = IsSelective(*plan);
    if (!selective.ok()) return selective.status();
    if (!selective.value()) plan.reset();
  }
  return plan;
}

// Counts entries of the index, as far as the answer needs.
Result<bool> QueryRunner::IsSelective(const IndexPlan& plan) {
  auto last = LastRowid();
  if (!last.ok()) return last.status();
  std::int64_t left = std::max(kAlwaysSelective, last.value() / kSelectivePart);
  for (const auto& segment : plan.segments) {
    if (segment.low.empty()) continue;
    auto lease = db_.cache().Take("SELECT count(*) FROM (SELECT 1" + segment.from + " LIMIT ?2)");
    if (!lease.ok()) return lease.status();
    Cursor cursor(lease.value().get());
    cursor.BindBlob(1, segment.low).BindBlob(3, segment.high).Bind(2, left);
    for (std::size_t i = 0; i < plan.equal.size(); ++i) cursor.BindBlob(4 + static_cast<int>(i), plan.equal[i]);
    if (cursor.Step()) left -= cursor.Integer(0);
    Status status = cursor.status("estimate");
    if (!status.ok()) return status;
    if (left <= 0) return false;
  }
  return true;
}

Result<QueryReply> QueryRunner::RunIndexed(const QueryJob& job, const IndexPlan& plan) {
  const Evaluator evaluator(job.spec.filter);
  BoundFilter filter{&evaluator, job.of(), &db_};
  RowStream stream(job.spec, job.after, job.result_bytes);
  Ranker ranker(job.spec, job.after);
  std::int64_t rows = 0;
  std::int64_t unmatched_rows = 0;  // given by segments that need no evaluator
  for (const auto& segment : plan.segments) {
    if (plan.ordered && !stream.wants_more()) break;
    auto lease = db_.cache().Take(segment.sql);
    if (!lease.ok()) return lease.status();
    Cursor cursor(lease.value().get());
    BindSegment(cursor, plan, segment, &filter);
    const std::int64_t before = rows + stream.rows();
    Status status =
        plan.ordered ? stream.Drain(cursor, job.of()) : DrainInto(ranker, cursor, job.of(), job.result_bytes, &rows);
    status = Verdict(status, filter);
    if (!status.ok()) return status;
    if (!segment.match) unmatched_rows += rows + stream.rows() - before;
  }
  QueryReply reply;
  reply.cursor = plan.ordered ? stream.CursorText() : ranker.CursorText();
  reply.chunks = plan.ordered ? stream.Take() : ranker.Take();
  reply.examined = filter.examined + unmatched_rows;
  reply.index = FieldsToJson(plan.index.fields);
  if (job.spec.explain) reply = Explain(plan, std::move(reply));
  return reply;
}

Result<std::int64_t> QueryRunner::CountIndexed(const QueryJob& job, const IndexPlan& plan) {
  const Evaluator evaluator(job.spec.filter);
  BoundFilter filter{&evaluator, job.of(), &db_};
  std::int64_t count = 0;
  for (const auto& segment : plan.segments) {
    auto lease = db_.cache().Take(segment.sql);
    if (!lease.ok()) return lease.status();
    Cursor cursor(lease.value().get());
    BindSegment(cursor, plan, segment, &filter);
    if (cursor.Step()) count += cursor.Integer(0);
    Status status = Verdict(cursor.status("count"), filter);
    if (!status.ok()) return status;
  }
  return count;
}

// ---- Without

Result<QueryReply> QueryRunner::RunInKeyOrder(const QueryJob& job, const Plan& plan) {
  auto lease = db_.cache().Take(plan.sql);
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  const Evaluator evaluator(job.spec.filter);
  BoundFilter filter{&evaluator, job.of(), &db_};
  BindPlan(cursor, plan, job.ns_id, &filter);
  RowStream stream(job.spec, job.after, job.result_bytes);
  Status status = Verdict(stream.Drain(cursor, job.of()), filter);
  if (!status.ok()) return status;
  QueryReply reply;
  reply.examined = plan.match ? filter.examined : stream.rows();
  reply.cursor = stream.CursorText();
  reply.chunks = stream.Take();
  return reply;
}

// Every row that the predicate on the key leaves, in any order.
Result<QueryReply> QueryRunner::RunUnordered(const QueryJob& job, const Plan& plan) {
  const Evaluator evaluator(job.spec.filter);
  Ranker ranker(job.spec, job.after);
  QueryReply reply;
  if (plan.table_scan) {
    const ScanJob scan{job.spec, evaluator, job.of(), job.result_bytes, job.after};
    auto found = RunScan(db_, partner_, scan, &ranker);
    if (!found.ok()) return found.status();
    reply.examined = found.value().examined;
  } else {
    auto lease = db_.cache().Take(plan.sql);
    if (!lease.ok()) return lease.status();
    Cursor cursor(lease.value().get());
    BoundFilter filter{&evaluator, job.of(), &db_};
    BindPlan(cursor, plan, job.ns_id, &filter);
    std::int64_t rows = 0;
    Status status = Verdict(DrainInto(ranker, cursor, job.of(), job.result_bytes, &rows), filter);
    if (!status.ok()) return status;
    reply.examined = plan.match ? filter.examined : rows;
  }
  reply.cursor = ranker.CursorText();
  reply.chunks = ranker.Take();
  return reply;
}

Result<QueryReply> QueryRunner::RunPlain(const QueryJob& job) {
  auto last = LastRowid();
  if (!last.ok()) return last.status();
  PlanRequest request;
  request.unsorted = job.spec.sort.empty();
  request.limited = job.spec.limit.has_value();
  request.mostly_this_namespace = HoldsMostRows(job.ns_id, last.value());
  if (request.unsorted && job.after != nullptr) request.after_key = job.after->key;
  const Plan plan = MakePlan(job.spec.filter, request);
  auto reply = plan.key_order ? RunInKeyOrder(job, plan) : RunUnordered(job, plan);
  if (reply.ok() && job.spec.explain) return Explain(plan, std::move(reply.value()));
  return reply;
}

Result<std::int64_t> QueryRunner::CountPlain(const QueryJob& job) {
  auto last = LastRowid();
  if (!last.ok()) return last;
  PlanRequest request;
  request.count_only = true;
  request.mostly_this_namespace = HoldsMostRows(job.ns_id, last.value());
  const Plan plan = MakePlan(job.spec.filter, request);
  const Evaluator evaluator(job.spec.filter);
  if (plan.table_scan) {
    auto found = RunScan(db_, partner_, {job.spec, evaluator, job.of()}, nullptr);
    if (!found.ok()) return found.status();
    return found.value().matched;
  }
  auto lease = db_.cache().Take(plan.sql);
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  BoundFilter filter{&evaluator, job.of(), &db_};
  BindPlan(cursor, plan, job.ns_id, &filter);
  if (cursor.Step()) return cursor.Integer(0);
  return Verdict(cursor.status("count"), filter);
}

// ---- Both

Result<QueryReply> QueryRunner::Run(const QuerySpec& spec, std::int64_t ns_id, std::int64_t result_bytes) {
  std::optional<Position> after;
  if (spec.after) {
    after = DecodePosition(*spec.after, spec.sort.size());
    if (!after) return Status(Code::kInvalidArgument, "after must be the cursor of a page with the same sort");
  }
  if (ns_id == 0 || spec.limit == 0) return spec.explain ? ExplainNothing() : QueryReply{};
  const QueryJob job{spec, ns_id, result_bytes, after ? &*after : nullptr};
  auto plan = PlanWithIndex(job, false);
  if (!plan.ok()) return plan.status();
  return plan.value() ? RunIndexed(job, *plan.value()) : RunPlain(job);
}

Result<std::int64_t> QueryRunner::Count(const CountSpec& count, std::int64_t ns_id) {
  if (ns_id == 0) return 0;
  QuerySpec spec;
  spec.ns = count.ns;
  spec.filter = count.filter;
  const QueryJob job{spec, ns_id, 0, nullptr};
  auto indexed = PlanWithIndex(job, true);
  if (!indexed.ok()) return indexed.status();
  if (indexed.value()) return CountIndexed(job, *indexed.value());
  return CountPlain(job);
}

}  // namespace hypha
