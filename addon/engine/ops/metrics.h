// What an engine counts and measures. Any thread may add and read.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/histogram.h"
#include "sqlite/connection.h"

namespace hypha {

// Set to the latest value of a number that its owner counts by itself.
using Gauge = std::atomic<std::int64_t>;

// SQLite's page cache and the prepared statements of one connection.
struct CacheGauges {
  Gauge hits{0};
  Gauge misses{0};
  Gauge writes{0};
  Gauge spills{0};
  Gauge statement_hits{0};
  Gauge statement_misses{0};
};

// Durations in microseconds.
struct Metrics {
  static constexpr int kMostReaders = 64;

  Histogram write;         // from the call to the answer, through the queue
  Histogram inline_write;  // on the caller's own thread
  Histogram commit;        // one transaction of a group, its commit included
  Histogram batch;         // operations in a group
  Histogram read;          // from the call to the answer, on a reader thread

  Gauge commits{0};  // that wrote
  Gauge retries{0};
  Gauge lock_waits{0};
  Gauge refused{0};
  Gauge syncs{0};       // of the log that were asked for
  Gauge log_synced{0};  // whatever the cause, commits at full included
  Gauge log_frames{0};
  Gauge log_copied{0};
  std::array<Gauge, 4> checkpoints{};  // by SQLite's number of the mode
  Gauge checkpoints_busy{0};
  Gauge checkpoints_failed{0};
  Gauge last_checkpoint_mode{0};
  Gauge last_checkpoint_busy{0};
  Gauge last_checkpoint_us{0};
  Gauge connections{0};  // opened since the start

  CacheGauges writer_cache;
  std::array<CacheGauges, kMostReaders> reader_caches;
};

// Sets the gauges to what the connection has counted. Thread: that of the connection.
void PublishCache(Connection& db, CacheGauges* gauges);

}  // namespace hypha
