#include "ops/checkpointer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/mutant.h"
#include "sqlite/error_map.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

constexpr std::int64_t kDefaultPageSize = 4096;
// A reader that has only just begun is not what holds the log.
constexpr auto kYoungReader = std::chrono::milliseconds(50);

std::int64_t MicrosSince(const Hooks& hooks, SteadyTime start) {
  return std::chrono::duration_cast<std::chrono::microseconds>(hooks.steady_now() - start).count();
}

}  // namespace

Checkpointer::Checkpointer(Connection& db, LogWatch& watch, const Hooks& hooks, const WalOptions& options,
                           ReaderGate* gate)
    : db_(db), watch_(watch), hooks_(hooks), options_(options), gate_(gate), page_size_(kDefaultPageSize) {
  auto page_size = db.QueryInteger("PRAGMA page_size");
  if (page_size.ok()) page_size_ = page_size.value();
  // What the last user left in the log counts from the start.
  const auto wal = ReadWalState(db.handle());
  if (wal && watch.frames() == 0) watch.set_frames(wal->max_frame);
  inherited_ = wal && wal->max_frame > 0;
}

Checkpointer::Need Checkpointer::need() const {
  const std::int64_t tried = restarts_ == watch_.restarts() ? tried_ : 0;
  const std::int64_t pending = (watch_.frames() - tried) * page_size_;
  if (pending >= options_.busy_bytes) return Need::kNow;
  return pending >= options_.idle_bytes ? Need::kWhenIdle : Need::kNone;
}

std::int64_t Checkpointer::log_bytes() const {
  const auto wal = ReadWalState(db_.handle());
  return (wal ? static_cast<std::int64_t>(wal->max_frame) : watch_.frames()) * page_size_;
}

Status Checkpointer::Run() {
  // First without anybody waiting, so that only what was written meanwhile is left for the gap.
  Status status = Passive();
  if (!status.ok() || log_bytes() < options_.restart_bytes) return status;
  status = Truncate();
  if (status.code() != Code::kBusy) return status;
  const bool too_long = log_bytes() >= options_.expire_bytes;
  if (too_long && gate_ != nullptr && gate_->ExpireOldest(kYoungReader)) status = Truncate();
  return status.code() == Code::kBusy ? Status::Ok() : status;
}

Status Checkpointer::InGap(int mode) {
  struct Gap {
    explicit Gap(ReaderGate* readers) : gate(readers) {
      if (gate != nullptr) gate->Pause();
    }
    ~Gap() {
      if (gate != nullptr) gate->Resume();
    }
    ReaderGate* gate;
  };
  const Gap gap(gate_);
  db_.SetLockDeadline(hooks_.steady_now() + std::chrono::milliseconds(options_.reader_gap_ms));
  return Checkpoint(mode);
}

Status Checkpointer::TruncateNow() {
  db_.SetLockDeadline(SteadyTime{});
  return Checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
}

Status Checkpointer::Checkpoint(int mode) {
  // Commits that were promised durability lie in the same log as those that were not, and those that will be promised
  // it rest on what is copied now.
  Status synced;
  if (Mutated(Mutant::kCheckpointAtWeakLevel)) {
    synced = db_.SetDurability(Durability::kOff);
  } else if (db_.durability() == Durability::kOff) {
    synced = db_.SetDurability(Durability::kNormal);
  }
  if (!synced.ok()) return synced;
  const SteadyTime start = hooks_.steady_now();
  int frames = -1;
  int copied = -1;
  db_.Reach("before-checkpoint");
  const int rc = sqlite3_wal_checkpoint_v2(db_.handle(), "main", mode, &frames, &copied);
  db_.Reach("after-checkpoint");
  CheckpointResult result{mode, watch_.frames(), counters_.last.copied, false, MicrosSince(hooks_, start)};
  if (frames >= 0) {
    watch_.set_frames(frames);
    result.frames = frames;
    result.copied = std::max(copied, 0);
    // The log is synced before a frame is copied.
    if (result.copied == result.frames && result.frames > 0) watch_.Synced();
  }
  const bool in_the_way = (rc & 0xff) == SQLITE_BUSY;
  result.busy = in_the_way || result.copied < result.frames;
  // What could not be copied now is tried again after as much has been written once more.
  tried_ = watch_.frames();
  restarts_ = watch_.restarts();
  ++counters_.runs.at(static_cast<std::size_t>(std::clamp(mode, 0, 3)));
  counters_.busy += result.busy ? 1 : 0;
  counters_.failed += rc != SQLITE_OK && !in_the_way ? 1 : 0;
  counters_.last = result;
  if (rc != SQLITE_OK) return FromSqlite(rc, db_.handle(), "checkpoint");
  if (mode != SQLITE_CHECKPOINT_TRUNCATE || !std::exchange(inherited_, false)) return Status::Ok();
  // Where a sync failed before it was opened, the disk may hold only a first part of the log, though all of it could be
  // read and copied. That part must not be found after a loss of power: it would be put over what is newer.
  return watch_.Sync();
}

}  // namespace hypha
