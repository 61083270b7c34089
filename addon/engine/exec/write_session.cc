#include "exec/write_session.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "base/mutant.h"
#include "hypha/caught.h"
#include "query/index_definition.h"
#include "query/sql_functions.h"
#include "sqlite/error_map.h"
#include "sqlite/savepoint.h"
#include "sqlite/vfs_shim.h"
#include "sqlite/write_turn.h"

namespace hypha {
namespace {

// How long the first attempt at a transaction waits for locks; each one after it twice as long.
constexpr auto kFirstAttempt = std::chrono::milliseconds(100);
constexpr int kMostDoublings = 6;
// Between two attempts; the odd microseconds keep two processes from keeping step.
constexpr auto kBetweenAttempts = std::chrono::microseconds(1013);

// By value: the status may be that of one of the outcomes.
void Fail(WriteJob& job, Status status) {
  job.reply.outcomes.clear();
  job.reply.status = std::move(status);
}

// The failure that made SQLite drop the whole transaction.
Status LastFailure(const WriteJob& job) {
  if (!job.reply.status.ok()) return job.reply.status;
  if (!job.reply.outcomes.empty() && !job.reply.outcomes.back().status.ok()) return job.reply.outcomes.back().status;
  return Status(Code::kInternal, "the transaction ended by itself");
}

// A unique index is two, and the condition of the second looks at each value again.
std::int64_t ValuesPerEntry(const WriteOp& op) {
  const auto fields = FieldsFromJson(op.value);
  const auto count = static_cast<std::int64_t>(fields ? fields->size() : 0);
  return op.unique ? 3 * count : count;
}

}  // namespace

WriteSession::WriteSession(std::unique_ptr<Connection> db, const Hooks& hooks, std::int64_t autocheckpoint_pages)
    : db_(std::move(db)),
      hooks_(hooks),
      watch_(*db_, hooks, autocheckpoint_pages),
      statements_(*db_),
      writer_(statements_, hooks),
      reads_(statements_, writer_.namespaces()) {}

Status WriteSession::RunPrepared(StatementHandle& handle, const char* sql) {
  if (handle == nullptr) {
    auto prepared = Prepare(db_->handle(), sql);
    if (!prepared.ok()) return prepared.status();
    handle = std::move(prepared.value());
  }
  return Cursor(handle.get()).Run(sql);
}

Status WriteSession::Begin(Durability durability, SteadyTime lock_deadline) {
  for (int attempt = 1;; ++attempt) {
    const SteadyTime patience = hooks_.steady_now() + kFirstAttempt * (1 << std::min(attempt - 1, kMostDoublings));
    Status status = Caught([&] { return TryBegin(durability, std::min(patience, lock_deadline)); });
    if (status.ok()) return status;
    if (db_->in_transaction()) RollBack();
    if (status.code() == Code::kBusy) status.set_attempts(attempt);
    if (!Again(status, lock_deadline)) return status;
  }
}

bool WriteSession::Again(const Status& status, SteadyTime lock_deadline) {
  if (status.code() != Code::kBusy || hooks_.steady_now() + kBetweenAttempts >= lock_deadline) return false;
  if (attention_ != nullptr && attention_->load()) return false;
  ++retries_;
  std::this_thread::sleep_for(kBetweenAttempts);
  return true;
}

void WriteSession::Stop(Code code) {
  if (stopped()) return;
  stop_ = code;
  // Closing must not copy a log whose pages may be missing on the disk: the next open recovers what is there.
  sqlite3_db_config(db_->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Status WriteSession::TryBegin(Durability durability, SteadyTime lock_deadline) {
  if (stopped() && !Mutated(Mutant::kWriteAfterStop)) return Status(stop_);
  // Left open where there was no memory even for the rollback.
  if (!db_->RollBack()) return Status(Code::kNoMem);
  Status status = db_->SetDurability(durability);
  if (!status.ok()) return status;
  if (OthersWantToWrite(db_->handle())) {
    if (lock_deadline == SteadyTime{}) return {Code::kBusy, "another process waits for its turn"};
    LetOthersWrite(db_->handle(), lock_deadline);
  }
  db_->SetLockDeadline(lock_deadline);
  hooks_.Reach("before-begin");
  status = RunPrepared(begin_, "BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  writer_.OnBegin();
  requests_ = 0;
  hooks_.Reach("after-begin");
  return Status::Ok();
}

Status WriteSession::Commit() {
  Status prepared = Caught([&] { return PrepareCommit(); });
  if (!prepared.ok()) {
    RollBack();
    return prepared;
  }
  TakeSyncFailure(db_->handle());  // a failure before this commit says nothing about it
  // From here on only the code counts: what a lack of memory may take away is the text.
  int rc = SQLITE_OK;
  {
    Cursor commit(commit_.get());
    while (commit.Step()) {
    }
    rc = commit.rc();
  }
  if (rc != SQLITE_OK && Mutated(Mutant::kFailedCommitIsOk)) {
    RollBack();
    return Status::Ok();
  }
  if (rc != SQLITE_OK) return CommitFailed(rc);
  writer_.OnCommit();
  // A transaction that changed nothing syncs nothing, but what it saw must be durable too.
  if (db_->durability() == Durability::kFull && watch_.unsynced() && !watch_.Sync().ok()) {
    Stop(Code::kStopped);
    return Status(Code::kIndeterminate, "the commits before this one may not be durable");
  }
  if (watch_.sync_failed()) Stop(Code::kStopped);
  hooks_.Reach("after-commit");
  return Status::Ok();
}

Status WriteSession::PrepareCommit() {
  hooks_.Reach("before-commit");
  if (commit_ != nullptr) return Status::Ok();
  auto prepared = Prepare(db_->handle(), "COMMIT");
  if (!prepared.ok()) return prepared.status();
  commit_ = std::move(prepared.value());
  return Status::Ok();
}

// The commit's frames are in the log before they are synced: after a failed sync, or a failed write that may have
// landed, nobody knows whether a restart will find them. A full disk refuses a frame as a whole, and is definite.
Status WriteSession::CommitFailed(int rc) {
  Status status = Caught([&] { return FromSqlite(rc, db_->handle(), "commit"); });
  bool unknown = TakeSyncFailure(db_->handle()) || (rc & 0xff) == SQLITE_IOERR;
  if (Mutated(Mutant::kFailedSyncIsDefinite)) unknown = false;
  RollBack();
  if (!unknown) return status;
  Stop(Code::kStopped);
  Status told = Caught(
      [&] { return Status(Code::kIndeterminate, "the outcome of the commit is unknown: " + status.message(), rc); });
  return told.code() == Code::kIndeterminate ? told : Status(Code::kIndeterminate, "", rc);
}

void WriteSession::RollBack() {
  hooks_.Reach("before-rollback");
  static_cast<void>(db_->RollBack());
  hooks_.Reach("after-rollback");
  writer_.OnRollback();
}

void WriteSession::Apply(WriteJob& job) {
  Status status = Caught([&] {
    TryApply(job);
    return Status::Ok();
  });
  if (status.ok() || Mutated(Mutant::kNoMemoryIsOk)) return;
  // Nobody knows how far it came.
  RollBack();
  Fail(job, std::move(status));
}

void WriteSession::TryApply(WriteJob& job) {
  job.reply = {Status::Ok(), {}, db_->durability()};
  // The first request of a transaction finds nothing of it in the log.
  if (requests_++ > 0 && !job.request.may_fill_log) {
    Status room = watch_.MayGrow(log_limit_bytes_);
    if (!room.ok()) return Fail(job, std::move(room));
  }
  job.reply.outcomes.reserve(job.request.ops.size());
  if (job.request.atomic && !ChecksHold(job)) return;
  if (job.request.atomic && job.request.ops.size() > 1) return ApplyAtomic(job);
  for (const auto& op : job.request.ops) {
    hooks_.Reach("before-operation");
    job.reply.outcomes.push_back(writer_.Apply(op));
    hooks_.Reach("after-operation");
    if (!db_->in_transaction() && !Mutated(Mutant::kIgnoreAutocommit)) return;
    // One operation alone needs no savepoint to be atomic.
    if (job.request.atomic && !job.reply.outcomes.back().status.ok())
      return Fail(job, job.reply.outcomes.back().status);
  }
}

bool WriteSession::ChecksHold(WriteJob& job) {
  const auto& ops = job.request.ops;
  bool hold = true;
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (ops[i].kind != WriteKind::kCheck) continue;
    WriteOutcome outcome = writer_.Apply(ops[i]);
    if (outcome.status.ok()) continue;
    if (hold) job.reply.outcomes.assign(ops.size(), WriteOutcome{});
    hold = false;
    job.reply.outcomes[i] = std::move(outcome);
  }
  return hold;
}

void WriteSession::ApplyAtomic(WriteJob& job) {
  auto savepoint = Savepoint::Begin(*db_);
  if (!savepoint.ok()) return Fail(job, savepoint.status());
  for (const auto& op : job.request.ops) {
    hooks_.Reach("before-operation");
    job.reply.outcomes.push_back(writer_.Apply(op));
    hooks_.Reach("inside-request");
    if (Mutated(Mutant::kCommitInsideRequest) && op.key.empty() == false && job.reply.outcomes.size() == 2) {
      static_cast<void>(db_->Exec("COMMIT; BEGIN IMMEDIATE; SAVEPOINT hypha"));
    }
    if (!job.reply.outcomes.back().status.ok()) {
      Fail(job, job.reply.outcomes.back().status);
      // The savepoint takes back what the caches learnt as well.
      writer_.OnRollback();
      return;
    }
  }
  Status status = std::move(savepoint.value()).Release();
  if (!status.ok()) {
    writer_.OnRollback();
    return Fail(job, status);
  }
  hooks_.Reach("after-release");
}

bool WriteSession::DropUnwanted(std::span<WriteJob* const> group, SteadyTime* deadline, Durability* durability) const {
  const SteadyTime now = hooks_.steady_now();
  *deadline = SteadyTime::max();
  *durability = Durability::kOff;
  bool any = false;
  for (auto* job : group) {
    if (job->dropped) continue;
    Status why = job->wait.Why(now, Code::kTimeout);
    if (!why.ok()) {
      job->dropped = true;
      Fail(*job, std::move(why));
      continue;
    }
    any = true;
    *deadline = std::min({*deadline, job->lock_deadline, job->wait.until});
    *durability = std::max(*durability, job->request.durability);
  }
  return any;
}

// Each request waits for other processes as long as it may itself, whoever shares its group.
Status WriteSession::BeginGroup(std::span<WriteJob* const> group, SteadyTime* lock_deadline) {
  Status status(Code::kBusy);
  SteadyTime deadline;
  Durability durability = Durability::kOff;
  *lock_deadline = SteadyTime{};
  while (DropUnwanted(group, &deadline, &durability)) {
    *lock_deadline = deadline;
    if (attention_ != nullptr) attention_->store(false);
    status = Begin(durability, deadline);
    if (status.code() != Code::kBusy) return status;
    const SteadyTime now = hooks_.steady_now() + kBetweenAttempts;  // by when there is no other attempt
    const bool looked_up = attention_ != nullptr && attention_->load();
    bool again = looked_up;
    for (auto* job : group) {
      if (job->dropped || looked_up) continue;
      if (job->wait.until <= now) {
        again = true;  // it hears kTimeout
      } else if (job->lock_deadline <= now) {
        again = job->dropped = true;
        Fail(*job, status);
      }
    }
    if (!again) return status;
  }
  return status;
}

void WriteSession::ApplyWanted(WriteJob& job) {
  const auto& ops = job.request.ops;
  const bool makes_index = ops.size() == 1 && ops[0].kind == WriteKind::kCreateIndex;
  if (!makes_index || !job.wait.bounded()) return Apply(job);
  db_->SetDeadline(job.wait.until, job.wait.cancelled.get());
  MakeIndex(job);
  db_->ClearDeadline();
  if (db_->in_transaction()) return;
  Status why = job.wait.Why(hooks_.steady_now(), Code::kTimeout);
  if (why.ok()) return;
  // SQLite has dropped the whole transaction: the others of the group run again, without this one.
  job.dropped = true;
  Fail(job, std::move(why));
}

void WriteSession::MakeIndex(WriteJob& job) {
  Progress* progress = job.request.control.progress.get();
  if (progress == nullptr) return Apply(job);
  const WriteOp& op = job.request.ops[0];
  const auto entries = reads_.entries().Count(op.ns);
  progress->total = entries.ok() ? entries.value() * ValuesPerEntry(op) : 0;
  CountExtractions counting(*progress);
  Apply(job);
}

void WriteSession::RunGroup(std::span<WriteJob* const> group) {
  // The whole of it again when a lock came in the way: nothing of it is there.
  SteadyTime deadline{};
  Status status = TryGroup(group, &deadline);
  while (!status.ok() && Again(status, deadline)) status = TryGroup(group, &deadline);
  if (status.ok()) {
    // Of each request at least what it asked for: the group has the highest level of its members.
    for (auto* job : group) job->reply.durability = db_->durability();
    return;
  }
  const bool may_split = group.size() > 1 && status.code() != Code::kBusy && !stopped();
  if (may_split) return RunEachAlone(group);
  for (auto* job : group) {
    if (!job->dropped) Fail(*job, status);
    if (Mutated(Mutant::kGroupFailureToFirstOnly)) break;
  }
}

Status WriteSession::TryGroup(std::span<WriteJob* const> group, SteadyTime* lock_deadline) {
  Status status = BeginGroup(group, lock_deadline);
  for (std::size_t i = 0; status.ok() && i < group.size(); ++i) {
    WriteJob& job = *group[i];
    if (job.dropped) continue;
    if (job.wait.bounded()) {
      Status why = job.wait.Why(hooks_.steady_now(), Code::kTimeout);
      if (!why.ok()) {
        job.dropped = true;
        Fail(job, std::move(why));
        continue;
      }
    }
    ApplyWanted(job);
    if (!db_->in_transaction() && !Mutated(Mutant::kIgnoreAutocommit)) status = LastFailure(job);
  }
  if (status.ok()) return Commit();
  RollBack();
  return status;
}

void WriteSession::RunEachAlone(std::span<WriteJob* const> group) {
  hooks_.Reach("before-each-alone");
  if (Mutated(Mutant::kRunGroupTwice)) RunGroup(group.first(1));
  for (auto* job : group) {
    if (!job->dropped) RunGroup({&job, 1});
  }
}

bool WriteSession::MayCommitWithoutSync() {
  if (watch_.autocheckpoints()) return false;
  const auto wal = ReadWalState(db_->handle());
  // A log that is empty or wholly copied is started over by the next commit, and its new header is synced.
  return wal && wal->max_frame > 0 && wal->backfilled < wal->max_frame;
}

bool WriteSession::CommitInline(Status* status) {
  if (stopped() || !MayCommitWithoutSync()) return false;
  *status = Commit();
  return true;
}

bool WriteSession::RunInline(WriteJob& job) {
  if (stopped() || job.request.durability == Durability::kFull) return false;
  if (!Begin(job.request.durability, SteadyTime{}).ok()) return false;
  if (!MayCommitWithoutSync()) {
    RollBack();
    return false;
  }
  hooks_.Reach("before-inline-write");
  Apply(job);
  Status status = db_->in_transaction() ? Commit() : LastFailure(job);
  if (!status.ok()) {
    RollBack();
    Fail(job, status);
  }
  job.reply.durability = job.request.durability;
  return true;
}

}  // namespace hypha
