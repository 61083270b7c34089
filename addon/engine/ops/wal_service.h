// Looks after the write-ahead log: short enough, synced in time, and still the file that is open.
#pragma once

#include <cstdint>
#include <string>

#include "hypha/engine.h"
#include "hypha/hooks.h"
#include "hypha/types.h"
#include "ops/checkpointer.h"
#include "ops/file_identity.h"
#include "ops/log_watch.h"
#include "ops/metrics.h"
#include "ops/reader_gate.h"

namespace hypha {

// What is due, and when something will be.
struct WalPlan {
  Checkpointer::Need need = Checkpointer::Need::kNone;
  SteadyTime wake_at = SteadyTime::max();
  bool full = false;  // MayWrite() has to be asked
};

// Thread: the owner of the writer's connection. After a failed sync, or when the files were replaced, fatal() says so
// and nothing may be written any more.
class WalService {
 public:
  // `path` is empty in memory mode; `gate` may be null.
  WalService(Connection& db, LogWatch& watch, const Hooks& hooks, const WalOptions& options, std::string path,
             ReaderGate* gate);
  WalService(const WalService&) = delete;
  WalService& operator=(const WalService&) = delete;

  WalPlan plan() const;

  // Does what the clock asks for: the sync of Durability::kPeriodic, the look at the files' identity, the checkpoint of
  // every few minutes. Inside a transaction only what can be done there.
  void Tick();
  // The checkpoint that plan().need asks for.
  Status Checkpoint();
  // A checkpoint of one of SQLite's modes, now. kBusy when somebody is in the way.
  Status Checkpoint(int mode);
  // Every commit so far is on the disk, or kIndeterminate.
  Status Flush();
  // kWalLimit while the log is at its limit and cannot be emptied. REQUIRES: no open transaction.
  Status MayWrite();
  // What work on the writer's connection came to, a checkpoint or maintenance: a sync that failed in it is fatal.
  Status Settle(Status status);
  // The last checkpoint; being kept from emptying the log is no failure, but reported. REQUIRES: no open transaction.
  Status Close(CloseReport* report);

  // kOk, kWalMoved, or kStopped after a failed sync.
  Code fatal() const { return fatal_; }

  Connection& db() { return db_; }
  LogWatch& watch() { return watch_; }
  Checkpointer& checkpointer() { return checkpointer_; }
  const WalOptions& options() const { return options_; }
  std::int64_t syncs() const { return syncs_; }
  std::int64_t refused() const { return refused_; }
  // Sets the gauges of the log.
  void Publish(Metrics* metrics) const;

 private:
  Status StillOurs();
  Connection& db_;
  LogWatch& watch_;
  const Hooks& hooks_;
  const WalOptions options_;
  const bool has_file_;
  FileIdentity identity_;
  Checkpointer checkpointer_;
  SteadyTime look_at_;          // at the files' identity, and at a checkpoint that was held up
  SteadyTime last_checkpoint_;  // of whatever cause
  SteadyTime next_try_{};       // to empty a log at its limit with a gap between readers
  std::int64_t syncs_ = 0;
  std::int64_t refused_ = 0;
  Code fatal_ = Code::kOk;
};

}  // namespace hypha
