// Snapshots that last for many reads: connections of their own, served by the reader threads.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/ended_by.h"
#include "base/mutex.h"
#include "exec/reader_pool.h"
#include "exec/transaction_ids.h"
#include "hypha/types.h"

namespace hypha {

struct SnapshotOptions {
  std::int64_t max_snapshots = 0;
  std::int64_t age_ms = 0;
  std::int64_t busy_timeout_ms = 0;
  ReaderGate* gate = nullptr;  // may be null, else it outlives the snapshots
};

// Thread-safe. Every callback runs exactly once, without a lock held, on a reader thread or the calling one.
//
// A snapshot holds a connection, not a thread: its reads run one at a time on whatever reader thread is free. It ends
// at the latest when it reaches its age, also while nobody uses it, so that it never keeps the log from being copied
// for longer: a thread that is started with the first snapshot sees to that.
class Snapshots {
 public:
  using Connect = std::function<Result<std::unique_ptr<Connection>>()>;
  using BeginDone = std::function<void(Result<TransactionId>)>;
  using StatusDone = std::function<void(Status)>;
  // `expires`: when the snapshot ends, and what is at work in it is to end; `by`: why.
  using Work = std::function<void(ReadContext&, SteadyTime expires, EndedBy by)>;

  Snapshots(ReaderPool& pool, Connect connect, SnapshotOptions options)
      : pool_(pool), connect_(std::move(connect)), options_(options) {}
  ~Snapshots() { Stop(); }
  Snapshots(const Snapshots&) = delete;
  Snapshots& operator=(const Snapshots&) = delete;

  // kBusy when there are max_snapshots. `timeout_ms`: of its own, 0 for none.
  void Begin(const void* owner, std::int64_t timeout_ms, BeginDone done);
  // Whether the number is, or recently was, that of a snapshot.
  bool Knows(TransactionId id);
  // Runs `work` in the snapshot after the earlier reads of it, or calls `fail`.
  void Read(TransactionId id, Work work, StatusDone fail);
  // What is still waiting in it fails, what runs ends first. Once `done` is called there is room for another.
  void End(TransactionId id, StatusDone done);
  void Abandon(const void* owner);
  // Ends those that the gate has expired: each use of them is kSnapshotExpired.
  void EndExpired();

  // Ends all of them: what runs is interrupted, what waits fails with kClosed. Idempotent.
  // Call before the pool is closed; it must outlive the pool's threads.
  void Stop();

 private:
  struct Waiting {
    Work work;
    StatusDone fail;
  };
  struct Snapshot {
    TransactionId id = 0;
    const void* owner = nullptr;
    SteadyTime expires{};
    EndedBy expires_by = EndedBy::kAge;
    std::unique_ptr<ReadSession> session;
    std::deque<Waiting> waiting;
    bool scheduled = false;  // a job of the pool's has it, or will
    bool ended = false;
    StatusDone released;  // to be told once its connection is free, if anybody asked
  };
  using Shared = std::shared_ptr<Snapshot>;

  Result<TransactionId> Start(const void* owner, std::int64_t timeout_ms);
  Result<std::unique_ptr<ReadSession>> TakeSession();
  // Marks it as used by this thread, so that Stop() can interrupt it.
  void SetRunning(ReadSession* session, bool running) REQUIRES_LOCK(mutex_);
  void Schedule(const Shared& snapshot);
  void RunNext(const Shared& snapshot);
  // Takes it out of the list and fails what waits; the connection goes when nobody runs on it.
  // `by` is remembered: it ended by itself.
  void Finish(const Shared& snapshot, const Status& why, std::optional<EndedBy> by = std::nullopt);
  void Expire(const Shared& snapshot, EndedBy by) { Finish(snapshot, StatusOf(by), by); }
  // What ends it now, if anything does.
  static std::optional<EndedBy> Overdue(const Snapshot& snapshot);
  void Release(const Shared& snapshot);
  void Watch();
  Status WhyNot(TransactionId id) REQUIRES_LOCK(mutex_);

  ReaderPool& pool_;
  const Connect connect_;
  const SnapshotOptions options_;

  Mutex mutex_;
  CondVar changed_;
  std::unordered_map<TransactionId, Shared> open_ GUARDED_BY(mutex_);
  std::int64_t count_ GUARDED_BY(mutex_) = 0;  // open, beginning, or ended with a read still running
  std::vector<std::unique_ptr<ReadSession>> idle_ GUARDED_BY(mutex_);
  RecentEnds expired_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<ReadSession*> running_ GUARDED_BY(mutex_);
  std::thread watcher_ GUARDED_BY(mutex_);
};

}  // namespace hypha
