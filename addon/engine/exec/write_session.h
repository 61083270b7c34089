// The writer connection and what is done on it: groups of requests, and interactive transactions.
#pragma once

#include <atomic>
#include <limits>
#include <memory>
#include <span>

#include "exec/read_context.h"
#include "hypha/hooks.h"
#include "hypha/types.h"
#include "ops/log_watch.h"
#include "sqlite/connection.h"
#include "store/entry_writer.h"

namespace hypha {

// How long something may wait to be started, and whether it is still wanted.
struct Wait {
  SteadyTime until = SteadyTime::max();
  std::shared_ptr<std::atomic<bool>> cancelled;  // may be null

  bool bounded() const { return cancelled != nullptr || until != SteadyTime::max(); }
  // OK, kAborted, or `late` once its time has passed.
  Status Why(SteadyTime now, Code late) const {
    if (cancelled != nullptr && cancelled->load()) return Status(Code::kAborted);
    return now >= until ? Status(late) : Status::Ok();
  }
};

// A request and, once it has run, its reply.
struct WriteJob {
  WriteRequest request;
  WriteReply reply;
  SteadyTime lock_deadline{};  // how long other processes' locks may hold it up
  Wait wait{};
  bool dropped = false;  // not to be run any more: `reply` says why
};

// Thread: whoever owns the writer at the moment (see Writer). Nothing is reported as done before its COMMIT returned.
// Nothing throws: a request for which there is no memory fails with kNoMem, and so does an interactive transaction.
class WriteSession {
 public:
  // `hooks` outlives it.
  WriteSession(std::unique_ptr<Connection> db, const Hooks& hooks, std::int64_t autocheckpoint_pages = 0);

  // Once `*attention` is set a wait for locks ends, to look again at what is wanted. Null to take it back.
  void set_attention(std::atomic<bool>* attention) {
    attention_ = attention;
    db_->set_attention(attention);
  }

  void Configure(const OpenOptions& options) {
    writer_.set_limits(options.limits);
    writer_.set_checksums(options.checksums);
    log_limit_bytes_ = options.wal.limit_bytes;
  }

  // Runs the jobs as one transaction. One that spoils the transaction for the others is found by running each alone.
  void RunGroup(std::span<WriteJob* const> group);

  // Runs the job without ever waiting for a lock or a sync: on the JavaScript thread. False: nothing was done, it must
  // go through the queue.
  bool RunInline(WriteJob& job);

  // An interactive transaction.
  Status Begin(Durability durability, SteadyTime lock_deadline);
  void Apply(WriteJob& job);
  Status Commit();
  // Commits if that needs no sync; false: nothing was done, and the transaction is still open.
  bool CommitInline(Status* status);
  void RollBack();
  bool in_transaction() const { return db_->in_transaction(); }

  // After a commit of unknown outcome nothing may be written any more. stop_code() is what later writes hear.
  bool stopped() const { return stop_ != Code::kOk; }
  Code stop_code() const { return stop_; }
  void Stop(Code code);
  // Transactions that were tried again since a lock was in the way.
  std::int64_t retries() const { return retries_; }

  Connection& db() { return *db_; }
  void Reach(const char* point) const { hooks_.Reach(point); }
  LogWatch& watch() { return watch_; }
  const Hooks& hooks() const { return hooks_; }
  ReadContext& reads() { return reads_; }

 private:
  Status TryBegin(Durability durability, SteadyTime lock_deadline);
  // One attempt. `lock_deadline`: how long it may be repeated where a lock was in the way.
  Status TryGroup(std::span<WriteJob* const> group, SteadyTime* lock_deadline);
  // Waits before a transaction is tried again. False: there is no time left, or somebody wants a look first.
  bool Again(const Status& status, SteadyTime lock_deadline);
  Status PrepareCommit();
  // Applies one of a group that is still wanted.
  void ApplyWanted(WriteJob& job);
  void MakeIndex(WriteJob& job);
  void TryApply(WriteJob& job);
  void ApplyAtomic(WriteJob& job);
  // Runs the request's checks; false: some conflict, and the outcomes tell which.
  bool ChecksHold(WriteJob& job);
  void RunEachAlone(std::span<WriteJob* const> group);
  // Begins for those of the group that are still wanted, and drops the others; kBusy when none is left.
  Status BeginGroup(std::span<WriteJob* const> group, SteadyTime* lock_deadline);
  // Drops those whose time is up, or nobody wants any more; of those left, the nearest deadline. False: none is left.
  bool DropUnwanted(std::span<WriteJob* const> group, SteadyTime* deadline, Durability* durability) const;
  bool MayCommitWithoutSync();
  Status CommitFailed(int rc);
  Status RunPrepared(StatementHandle& handle, const char* sql);

  std::unique_ptr<Connection> db_;
  const Hooks& hooks_;
  LogWatch watch_;
  KvStatements statements_;
  EntryWriter writer_;
  ReadContext reads_;
  StatementHandle begin_;
  StatementHandle commit_;
  Code stop_ = Code::kOk;
  std::int64_t retries_ = 0;
  std::int64_t requests_ = 0;  // of the open transaction
  std::int64_t log_limit_bytes_ = std::numeric_limits<std::int64_t>::max();
  std::atomic<bool>* attention_ = nullptr;
};

}  // namespace hypha
