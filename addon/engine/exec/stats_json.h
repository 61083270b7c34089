// What an engine has counted and measured, as JSON text.
#pragma once

#include <cstdint>
#include <string>

#include "ops/metrics.h"
#include "ops/reader_gate.h"

namespace hypha {

// What is true at the moment.
struct EngineNow {
  std::int64_t queued_operations = 0;
  std::int64_t queued_bytes = 0;
  bool transaction_open = false;
  bool stopped = false;
  std::int64_t reader_threads = 0;
  std::int64_t waiting_reads = 0;
};

// {queue: {operations, bytes}, transaction: {open}, stopped, batches: H, latency: {write: H, inlineWrite: H, commit: H,
// read: H}, commits, retries: {transactions, lockWaits}, statements: {hits, misses}, pageCache: {hits, misses, writes,
// spills}, readers: {threads, waiting, open, oldestAge, expired}, checkpoints: {passive, full, restart, truncate, busy,
// failed, last: {mode, busy, ms} or null}, log: {frames, copied, syncs, refused}, connections}. An H is {count, sum,
// p50, p95, p99, max}: of latencies in microseconds, of batches in operations. oldestAge is in milliseconds.
std::string StatsJson(const Metrics& metrics, ReaderGate& gate, const EngineNow& now);

}  // namespace hypha
