#include "exec/stats_json.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <initializer_list>
#include <utility>

#include "base/json_object.h"

namespace hypha {
namespace {

std::int64_t Value(const Gauge& gauge) { return gauge.load(std::memory_order_relaxed); }

std::string HistogramJson(const Histogram& histogram) {
  const Histogram::Summary summary = histogram.Summarize();
  JsonObject json;
  json.Number("count", summary.count).Number("sum", summary.sum).Number("p50", summary.p50);
  json.Number("p95", summary.p95).Number("p99", summary.p99).Number("max", summary.max);
  return std::move(json).Take();
}

// Of all connections together.
std::int64_t Sum(const Metrics& metrics, Gauge CacheGauges::*gauge) {
  std::int64_t sum = Value(metrics.writer_cache.*gauge);
  for (const auto& cache : metrics.reader_caches) sum += Value(cache.*gauge);
  return sum;
}

std::string LastCheckpointJson(const Metrics& metrics, const char* mode) {
  JsonObject last;
  last.Text("mode", mode).Boolean("busy", Value(metrics.last_checkpoint_busy) != 0);
  last.Decimal("ms", Value(metrics.last_checkpoint_us), 3);
  return std::move(last).Take();
}

std::string CheckpointsJson(const Metrics& metrics) {
  constexpr std::array kModes{"passive", "full", "restart", "truncate"};
  JsonObject json;
  std::int64_t runs = 0;
  for (std::size_t mode = 0; mode < kModes.size(); ++mode) {
    json.Number(kModes.at(mode), Value(metrics.checkpoints.at(mode)));
    runs += Value(metrics.checkpoints.at(mode));
  }
  json.Number("busy", Value(metrics.checkpoints_busy)).Number("failed", Value(metrics.checkpoints_failed));
  const auto last = static_cast<std::size_t>(Value(metrics.last_checkpoint_mode));
  json.Raw("last", runs > 0 ? LastCheckpointJson(metrics, kModes.at(last)) : "null");
  return std::move(json).Take();
}

// An object of numbers.
std::string Numbers(std::initializer_list<std::pair<const char*, std::int64_t>> members) {
  JsonObject json;
  for (const auto& [name, number] : members) json.Number(name, number);
  return std::move(json).Take();
}

std::string LatencyJson(const Metrics& metrics) {
  JsonObject json;
  json.Raw("write", HistogramJson(metrics.write)).Raw("inlineWrite", HistogramJson(metrics.inline_write));
  json.Raw("commit", HistogramJson(metrics.commit)).Raw("read", HistogramJson(metrics.read));
  return std::move(json).Take();
}

std::string ReadersJson(ReaderGate& gate, const EngineNow& now) {
  const auto oldest = std::chrono::duration_cast<std::chrono::microseconds>(gate.OldestAge());
  JsonObject json;
  json.Number("threads", now.reader_threads).Number("waiting", now.waiting_reads).Number("open", gate.open());
  json.Decimal("oldestAge", std::max<std::int64_t>(oldest.count(), 0), 3).Number("expired", gate.expired());
  return std::move(json).Take();
}

}  // namespace

std::string StatsJson(const Metrics& metrics, ReaderGate& gate, const EngineNow& now) {
  JsonObject transaction;
  transaction.Boolean("open", now.transaction_open);
  JsonObject json;
  json.Raw("queue", Numbers({{"operations", now.queued_operations}, {"bytes", now.queued_bytes}}));
  json.Raw("transaction", std::move(transaction).Take()).Boolean("stopped", now.stopped);
  json.Raw("batches", HistogramJson(metrics.batch)).Raw("latency", LatencyJson(metrics));
  json.Number("commits", Value(metrics.commits));
  json.Raw("retries", Numbers({{"transactions", Value(metrics.retries)}, {"lockWaits", Value(metrics.lock_waits)}}));
  json.Raw("statements", Numbers({{"hits", Sum(metrics, &CacheGauges::statement_hits)},
                                  {"misses", Sum(metrics, &CacheGauges::statement_misses)}}));
  json.Raw("pageCache", Numbers({{"hits", Sum(metrics, &CacheGauges::hits)},
                                 {"misses", Sum(metrics, &CacheGauges::misses)},
                                 {"writes", Sum(metrics, &CacheGauges::writes)},
                                 {"spills", Sum(metrics, &CacheGauges::spills)}}));
  json.Raw("readers", ReadersJson(gate, now)).Raw("checkpoints", CheckpointsJson(metrics));
  json.Raw("log", Numbers({{"frames", Value(metrics.log_frames)},
                           {"copied", Value(metrics.log_copied)},
                           {"syncs", Value(metrics.syncs)},
                           {"refused", Value(metrics.refused)}}));
  json.Number("connections", Value(metrics.connections));
  return std::move(json).Take();
}

}  // namespace hypha
