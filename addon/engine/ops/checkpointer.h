// Copies the write-ahead log into the database, off the commit path.
#pragma once

#include <array>
#include <cstdint>

#include "hypha/status.h"
#include "ops/log_watch.h"
#include "ops/reader_gate.h"
#include "sqlite/connection.h"

namespace hypha {

// One checkpoint, and what came of it.
struct CheckpointResult {
  int mode = SQLITE_CHECKPOINT_PASSIVE;
  std::int64_t frames = 0;  // in the log
  std::int64_t copied = 0;  // of those, the frames that are in the database
  bool busy = false;        // somebody kept it from doing all that its mode asks for
  std::int64_t micros = 0;
};

struct CheckpointCounters {
  std::array<std::int64_t, 4> runs{};  // by SQLITE_CHECKPOINT_PASSIVE, FULL, RESTART, TRUNCATE
  std::int64_t busy = 0;
  std::int64_t failed = 0;
  CheckpointResult last;
};

// Thread: that of the connection.
class Checkpointer {
 public:
  enum class Need : std::uint8_t { kNone, kWhenIdle, kNow };

  // `gate` may be null: then readers of this process are met as those of others are.
  Checkpointer(Connection& db, LogWatch& watch, const Hooks& hooks, const WalOptions& options, ReaderGate* gate);
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  Need need() const;
  // Whether the log holds anything that is not in the database, as far as this connection knows.
  bool has_uncopied() const { return watch_.frames() > copied(); }
  // Whether the last checkpoint was kept from copying or emptying what it should have.
  bool held_up() const { return counters_.last.busy; }
  // The log in bytes: of all processes, or when its index cannot be read of this connection's last commit.
  std::int64_t log_bytes() const;
  // The same as of this connection's last commit, without a look at the index.
  std::int64_t known_bytes() const { return watch_.frames() * page_size_; }

  // As much as the log's length calls for: PASSIVE, then a gap between readers in which the log is emptied, then the
  // end of the oldest reader. Being held up is no failure. REQUIRES: no open transaction.
  Status Run();
  // Copies what can be copied without waiting for anybody.
  Status Passive() { return Checkpoint(SQLITE_CHECKPOINT_PASSIVE); }
  // Copies everything and empties the log. kBusy when readers or other processes prevented it for the reader gap.
  Status Truncate() { return InGap(SQLITE_CHECKPOINT_TRUNCATE); }
  // A checkpoint that needs readers out of its way, while no new one may begin.
  Status InGap(int mode);
  // The same without waiting at all.
  Status TruncateNow();

  const CheckpointCounters& counters() const { return counters_; }

 private:
  Status Checkpoint(int mode);
  std::int64_t copied() const { return restarts_ == watch_.restarts() ? counters_.last.copied : 0; }

  Connection& db_;
  LogWatch& watch_;
  const Hooks& hooks_;
  const WalOptions options_;
  ReaderGate* gate_;
  std::int64_t page_size_;
  std::int64_t tried_ = 0;     // of the frames, those that a checkpoint has copied or met a reader before
  std::int64_t restarts_ = 0;  // of the log, when that was
  bool inherited_ = false;     // whether the log was there before this connection, and has not been emptied since
  CheckpointCounters counters_;
};

}  // namespace hypha
