#include "ops/wal_service.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/mutant.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

constexpr auto kLookEvery = std::chrono::seconds(1);
constexpr auto kTryEvery = std::chrono::milliseconds(100);

// What is done about a long log has to be done before the limit is reached.
WalOptions WithinLimit(WalOptions options) {
  options.idle_bytes = std::min(options.idle_bytes, options.limit_bytes / 4);
  options.busy_bytes = std::min(options.busy_bytes, options.limit_bytes / 2);
  options.restart_bytes = std::min(options.restart_bytes, options.limit_bytes * 3 / 4);
  return options;
}

}  // namespace

WalService::WalService(Connection& db, LogWatch& watch, const Hooks& hooks, const WalOptions& options, std::string path,
                       ReaderGate* gate)
    : db_(db),
      watch_(watch),
      hooks_(hooks),
      options_(WithinLimit(options)),
      has_file_(!path.empty()),
      identity_(std::move(path)),
      checkpointer_(db, watch, hooks, options_, gate),
      look_at_(hooks.steady_now() + kLookEvery),
      last_checkpoint_(hooks.steady_now()) {}

WalPlan WalService::plan() const {
  WalPlan plan;
  plan.need = checkpointer_.need();
  plan.full = checkpointer_.known_bytes() >= options_.limit_bytes;
  if (has_file_ || checkpointer_.held_up()) plan.wake_at = look_at_;
  if (const auto since = watch_.periodic_since()) {
    plan.wake_at = std::min(plan.wake_at, *since + std::chrono::milliseconds(options_.sync_interval_ms));
  }
  if (checkpointer_.has_uncopied()) {
    plan.wake_at =
        std::min(plan.wake_at, last_checkpoint_ + std::chrono::milliseconds(options_.checkpoint_interval_ms));
  }
  return plan;
}

void WalService::Tick() {
  const SteadyTime now = hooks_.steady_now();
  const auto since = watch_.periodic_since();
  if (since && now >= *since + std::chrono::milliseconds(options_.sync_interval_ms)) {
    if (Mutated(Mutant::kSkipPeriodicSync) || !Flush().ok()) return watch_.PutOff();
  }
  const bool free = !db_.in_transaction();
  if (now >= look_at_) {
    look_at_ = now + kLookEvery;
    if (!StillOurs().ok()) return;
    const bool retry = free && checkpointer_.held_up() && checkpointer_.log_bytes() >= options_.restart_bytes;
    if (retry && !Settle(checkpointer_.Run()).ok()) return;
  }
  if (now < last_checkpoint_ + std::chrono::milliseconds(options_.checkpoint_interval_ms)) return;
  last_checkpoint_ = now;
  if (!checkpointer_.has_uncopied() || !StillOurs().ok()) return;
  // A checkpoint that fails loses nothing: the log keeps what it could not copy, and the next one tries again.
  if (free) static_cast<void>(Settle(checkpointer_.Passive()));
}

Status WalService::Checkpoint() {
  Status ours = StillOurs();
  if (!ours.ok()) return ours;
  last_checkpoint_ = hooks_.steady_now();
  return Settle(checkpointer_.Run());
}

Status WalService::Checkpoint(int mode) {
  Status ours = StillOurs();
  if (!ours.ok()) return ours;
  last_checkpoint_ = hooks_.steady_now();
  return Settle(mode == SQLITE_CHECKPOINT_PASSIVE ? checkpointer_.Passive() : checkpointer_.InGap(mode));
}

void WalService::Publish(Metrics* metrics) const {
  const auto set = [](Gauge& gauge, std::int64_t value) { gauge.store(value, std::memory_order_relaxed); };
  const CheckpointCounters& counters = checkpointer_.counters();
  for (std::size_t mode = 0; mode < counters.runs.size(); ++mode)
    set(metrics->checkpoints.at(mode), counters.runs.at(mode));
  set(metrics->checkpoints_busy, counters.busy);
  set(metrics->checkpoints_failed, counters.failed);
  set(metrics->last_checkpoint_mode, counters.last.mode);
  set(metrics->last_checkpoint_busy, counters.last.busy ? 1 : 0);
  set(metrics->last_checkpoint_us, counters.last.micros);
  set(metrics->log_frames, watch_.frames());
  set(metrics->log_copied, counters.last.copied);
  set(metrics->commits, watch_.commits());
  set(metrics->syncs, syncs_);
  set(metrics->log_synced, watch_.synced());
  set(metrics->refused, refused_);
}

Status WalService::Flush() {
  ++syncs_;
  Status status = watch_.Sync();
  // A full disk took none of the frames that an open transaction had waiting: nothing that is committed is in doubt.
  if (status.ok() || status.code() == Code::kFull) return status;
  fatal_ = Code::kStopped;
  return {Code::kIndeterminate, "whether the last commits are on the disk is unknown: " + status.message(),
          status.sqlite_code()};
}

Status WalService::MayWrite() {
  if (checkpointer_.log_bytes() < options_.limit_bytes) return Status::Ok();
  const SteadyTime now = hooks_.steady_now();
  const bool patient = now >= next_try_;
  if (patient) next_try_ = now + kTryEvery;
  Status ours = StillOurs();
  if (!ours.ok()) return ours;
  Status status = Settle(patient ? checkpointer_.Run() : checkpointer_.TruncateNow());
  if (fatal_ != Code::kOk) return status;
  if (checkpointer_.log_bytes() < options_.limit_bytes) return Status::Ok();
  ++refused_;
  return {Code::kWalLimit, "the write-ahead log has reached wal.limitBytes (" + std::to_string(options_.limit_bytes) +
                               " bytes), and a reader keeps it from being emptied"};
}

// Nothing is lost where another process is in the way: the log stays, and whoever closes last copies it.
Status WalService::Close(CloseReport* report) {
  Status status = StillOurs();
  if (status.ok()) status = Settle(checkpointer_.Truncate());
  report->busy = status.code() == Code::kBusy;
  report->stopped = fatal_ != Code::kOk;
  report->frames = watch_.frames();
  return report->busy ? Status::Ok() : status;
}

Status WalService::StillOurs() {
  Status status = identity_.Check();
  if (!status.ok()) fatal_ = status.code();
  return status;
}

Status WalService::Settle(Status status) {
  if (status.ok() || status.code() == Code::kBusy) return status;
  const bool sync_failed = TakeSyncFailure(db_.handle()) || status.sqlite_code() == SQLITE_IOERR_FSYNC;
  if (sync_failed) fatal_ = Code::kStopped;
  return status;
}

}  // namespace hypha
