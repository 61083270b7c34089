#include "exec/stats_json.h"

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

namespace hypha {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t Value(const Gauge& gauge) { return gauge.load(std::memory_order_relaxed); }

Json HistogramJson(const Histogram& histogram) {
  const Histogram::Summary summary = histogram.Summarize();
  return {{"count", summary.count}, {"sum", summary.sum}, {"p50", summary.p50},
          {"p95", summary.p95},     {"p99", summary.p99}, {"max", summary.max}};
}

// Of all connections together.
std::int64_t Sum(const Metrics& metrics, Gauge CacheGauges::*gauge) {
  std::int64_t sum = Value(metrics.writer_cache.*gauge);
  for (const auto& cache : metrics.reader_caches) sum += Value(cache.*gauge);
  return sum;
}

Json CheckpointsJson(const Metrics& metrics) {
  constexpr std::array kModes{"passive", "full", "restart", "truncate"};
  Json json;
  std::int64_t runs = 0;
  for (std::size_t mode = 0; mode < kModes.size(); ++mode) {
    json[kModes.at(mode)] = Value(metrics.checkpoints.at(mode));
    runs += Value(metrics.checkpoints.at(mode));
  }
  json["busy"] = Value(metrics.checkpoints_busy);
  json["failed"] = Value(metrics.checkpoints_failed);
  json["last"] = nullptr;
  if (runs > 0) {
    json["last"] = {{"mode", kModes.at(static_cast<std::size_t>(Value(metrics.last_checkpoint_mode)))},
                    {"busy", Value(metrics.last_checkpoint_busy) != 0},
                    {"ms", static_cast<double>(Value(metrics.last_checkpoint_us)) / 1000}};
  }
  return json;
}

}  // namespace

std::string StatsJson(const Metrics& metrics, ReaderGate& gate, const EngineNow& now) {
  const std::chrono::duration<double, std::milli> oldest = gate.OldestAge();
  const Json json{{"queue", {{"operations", now.queued_operations}, {"bytes", now.queued_bytes}}},
                  {"transaction", {{"open", now.transaction_open}}},
                  {"stopped", now.stopped},
                  {"batches", HistogramJson(metrics.batch)},
                  {"latency",
                   {{"write", HistogramJson(metrics.write)},
                    {"inlineWrite", HistogramJson(metrics.inline_write)},
                    {"commit", HistogramJson(metrics.commit)},
                    {"read", HistogramJson(metrics.read)}}},
                  {"commits", Value(metrics.commits)},
                  {"retries", {{"transactions", Value(metrics.retries)}, {"lockWaits", Value(metrics.lock_waits)}}},
                  {"statements",
                   {{"hits", Sum(metrics, &CacheGauges::statement_hits)},
                    {"misses", Sum(metrics, &CacheGauges::statement_misses)}}},
                  {"pageCache",
                   {{"hits", Sum(metrics, &CacheGauges::hits)},
                    {"misses", Sum(metrics, &CacheGauges::misses)},
                    {"writes", Sum(metrics, &CacheGauges::writes)},
                    {"spills", Sum(metrics, &CacheGauges::spills)}}},
                  {"readers",
                   {{"threads", now.reader_threads},
                    {"waiting", now.waiting_reads},
                    {"open", gate.open()},
                    {"oldestAge", oldest.count()},
                    {"expired", gate.expired()}}},
                  {"checkpoints", CheckpointsJson(metrics)},
                  {"log",
                   {{"frames", Value(metrics.log_frames)},
                    {"copied", Value(metrics.log_copied)},
                    {"syncs", Value(metrics.syncs)},
                    {"refused", Value(metrics.refused)}}},
                  {"connections", Value(metrics.connections)}};
  return json.dump();
}

}  // namespace hypha
