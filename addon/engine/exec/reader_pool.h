// Reader threads, each with a connection of its own.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "exec/read_context.h"
#include "ops/metrics.h"
#include "ops/reader_gate.h"
#include "sqlite/connection.h"
#include "sqlite/vfs_shim.h"

namespace hypha {

// A reader's connection and what hangs on it. Thread: one at a time.
class ReadSession {
 public:
  // `gate` may be null, else it outlives the session.
  explicit ReadSession(std::unique_ptr<Connection> db, ReaderGate* gate = nullptr);

  // Takes a snapshot, to be ended by EndSnapshot(); other processes' locks may hold it up until `lock_deadline`, and
  // the gate for a moment. kSnapshotExpired when it was ended at once, to make room for a checkpoint.
  Status BeginSnapshot(SteadyTime lock_deadline);
  void EndSnapshot();
  // Runs `work` in one snapshot, taken now.
  Status InSnapshot(SteadyTime lock_deadline, const std::function<void(ReadContext&)>& work);
  ReadContext& context() { return context_; }
  // Whether nobody has committed since the open snapshot was taken: one taken now is the same.
  bool SnapshotIsNewest();
  // Whether the gate has ended the open snapshot: what it would have read is lost.
  bool expired() const { return seat_ && seat_->expired(); }
  Connection& db() { return *db_; }

 private:
  std::unique_ptr<Connection> db_;
  std::optional<ReaderSeat> seat_;
  KvStatements statements_;
  NamespaceCache namespaces_;
  ListCache lists_;
  ReadContext context_;
  std::optional<WalState> snapshot_;  // the log when the snapshot was taken, if nobody wrote meanwhile
};

// Thread-safe. Each job's `done` runs exactly once, on a reader thread, or on the closing thread with kClosed.
class ReaderPool {
 public:
  using Work = std::function<void(ReadContext&)>;
  using Failed = std::function<void(Status)>;

  // A session in place of one whose connection is broken.
  using Reopen = std::function<Result<std::unique_ptr<ReadSession>>()>;

  // `metrics` may be null, else it outlives the pool.
  ReaderPool(std::vector<std::unique_ptr<ReadSession>> sessions, std::int64_t busy_timeout_ms,
             Metrics* metrics = nullptr, Reopen reopen = nullptr);
  ~ReaderPool();

  // Calls `work` in a fresh snapshot, or `failed` when there can be none.
  void Run(Work work, Failed failed);

  struct Job {
    std::function<void(ReadSession&)> run;
    Failed failed;
    SteadyTime queued_at = std::chrono::steady_clock::now();
  };
  // Runs the job on some thread, which lends its own session; `failed` when the pool is closing.
  void Run(Job job);
  // Runs the job before all others if a thread is free to take it at once; false: it will not be run.
  bool RunIfIdle(Job job);
  // Reads something with thread number `index`, which gets a new connection first if its own is broken.
  void Ping(std::size_t index, std::int64_t timeout_ms, std::function<void(Status)> done);

  std::size_t threads() const { return sessions_.size(); }
  std::size_t waiting_jobs();

  // Interrupts what runs, fails what waits, joins the threads and closes the connections. Idempotent.
  void Close();

 private:
  void Loop(std::size_t index);
  Status PingNow(std::size_t index, std::int64_t timeout_ms);

  const std::int64_t busy_timeout_ms_;
  std::vector<std::unique_ptr<ReadSession>> sessions_;
  Mutex mutex_;
  CondVar wake_;
  Metrics* const metrics_;
  const Reopen reopen_;
  std::deque<Job> jobs_ GUARDED_BY(mutex_);
  std::vector<std::deque<Job>> own_jobs_ GUARDED_BY(mutex_);  // of each thread alone
  std::size_t waiting_ GUARDED_BY(mutex_) = 0;                // threads without a job
  bool closing_ GUARDED_BY(mutex_) = false;
  int running_ GUARDED_BY(mutex_) = 0;
  CondVar idle_;
  std::vector<std::thread> threads_;
};

}  // namespace hypha
