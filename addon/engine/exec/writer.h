// The one writer of a database file: a thread with a queue, group commit, and interactive transactions.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "exec/transaction_ids.h"
#include "exec/write_session.h"
#include "ops/metrics.h"
#include "ops/wal_service.h"

namespace hypha {

struct WriterOptions {
  std::int64_t queue_operations = 0;
  std::int64_t queue_bytes = 0;
  std::int64_t busy_timeout_ms = 0;
  WalOptions wal{};
  std::string path{};          // empty in memory mode
  ReaderGate* gate = nullptr;  // of this process's readers; may be null, else it outlives the writer
  Metrics* metrics = nullptr;  // may be null, else it outlives the writer
};

struct QueueState {
  std::int64_t operations = 0;
  std::int64_t bytes = 0;
};

// Thread-safe. Every callback runs exactly once, on the writer thread, without a lock held, and may call back in.
//
// The connection has one owner at a time: the writer thread while it works, or a JavaScript thread that borrowed it
// while nobody worked (the Try... functions). mutex_ guards the handing over; no work is done under it. Between two
// steps of an open transaction nobody owns it, so that each step may run on either thread.
class Writer {
 public:
  using Cancelled = std::shared_ptr<std::atomic<bool>>;
  using WriteDone = std::function<void(WriteReply)>;
  using StatusDone = std::function<void(Status)>;
  using BeginDone = std::function<void(Result<TransactionId>)>;

  Writer(std::unique_ptr<WriteSession> session, WriterOptions options);
  ~Writer();

  // Queues the request. Requests of one caller commit in the order of these calls.
  void Write(WriteRequest request, WriteDone done);

  // Runs a short request at once on the calling thread, if the writer is idle and the commit needs no sync. False:
  // nothing was done. Never waits.
  bool TryRunInline(WriteRequest& request, WriteReply* reply);
  // The same for transactions: steps while no other step waits, and an end that does not sync.
  bool TryBeginInline(const void* owner, Durability durability, std::int64_t timeout_ms, TransactionId* id);
  bool TryWriteInInline(TransactionId id, WriteRequest& request, WriteReply* reply);
  // `read` is short: of one key.
  bool TryReadInInline(TransactionId id, const std::function<void(ReadContext&)>& read);
  bool TryEndInline(TransactionId id, bool commit, Status* status);

  // Starts a transaction once everything queued before has run; until it ends nobody else writes. kBusy when its turn
  // has not come within the busy timeout. `owner` groups transactions for Abandon().
  void Begin(const void* owner, Durability durability, std::int64_t timeout_ms, Cancelled cancelled, BeginDone done);
  void End(TransactionId id, bool commit, StatusDone done);
  void WriteIn(TransactionId id, WriteRequest request, WriteDone done);
  // Runs `work` on the writer's connection inside the transaction; `fail` instead when the transaction is not open, or
  // the read was cancelled before its turn.
  void RunIn(TransactionId id, std::function<void(ReadContext&)> work, Cancelled cancelled, StatusDone fail);

  // Rolls back the transactions of an owner that went away.
  void Abandon(const void* owner);
  // Looks again at which of the waiting calls are still wanted.
  void Wake();

  // Runs `work` between two groups, outside any transaction. Through `fail`: kClosed when closing, kTimeout or kAborted
  // as `control` says while it has not begun.
  void RunAlone(std::function<void(WalService&)> work, CallControl control, StatusDone fail);
  // Syncs the log once everything queued before has run; while a transaction is open, at once.
  void Flush(CallControl control, StatusDone done);

  // Refuses new work; what is queued still runs, an open transaction is rolled back. Then the log is emptied, the
  // connection closed and `done` called with the outcome of the last checkpoint. Call once; join with Join().
  void Close(std::function<void()> before_close, StatusDone done);
  void Join();
  // REQUIRES: Join() has returned after a Close().
  const CloseReport& close_report() const { return close_report_; }

  QueueState queue_state();
  bool transaction_open();
  bool stopped();

 private:
  enum class Owner : std::uint8_t { kNobody, kThread, kBorrower };

  struct QueuedWrite {
    WriteJob job;
    WriteDone done;
    SteadyTime queued_at{};
  };
  struct QueuedBegin {
    const void* owner;
    Durability durability;
    std::int64_t timeout_ms;
    Wait wait;
    BeginDone done;
    bool abandoned = false;
  };
  struct QueuedWork {
    std::function<void(WalService&)> work;
    StatusDone fail;
    Wait wait;
    bool beside = false;  // may also run while a transaction is open
  };
  struct Item {
    std::unique_ptr<QueuedWrite> write;
    std::unique_ptr<QueuedBegin> begin;
    std::unique_ptr<QueuedWork> alone;
    std::int64_t operations = 1;
    std::int64_t bytes = 0;
  };
  struct Step {
    std::function<void(WriteSession&)> run;  // empty for the end of the transaction
    StatusDone answer;                       // the end's outcome, or why the step could not run
    bool commit = false;
    Wait wait{};
    std::int64_t operations = 1;
    std::int64_t bytes = 0;
  };
  struct OpenTransaction {
    TransactionId id = 0;
    const void* owner = nullptr;
    Durability durability = Durability::kFull;
    SteadyTime deadline{};
    bool abandoned = false;
    bool broken = false;    // an error made SQLite drop it
    std::size_t bytes = 0;  // written in it
    std::deque<Step> steps;
    std::optional<Step> end;  // after all steps; has its place here, since there must be room for it without memory

    bool HasSteps() const { return !steps.empty() || end.has_value(); }
  };
  using Group = std::vector<std::unique_ptr<QueuedWrite>>;

  void Loop();
  bool TakeTurn() REQUIRES_LOCK(mutex_);
  void RunQueue() REQUIRES_LOCK(mutex_);
  void RunGroup(Group group) REQUIRES_LOCK(mutex_);
  void Measure(const Group& group, SteadyTime start) const;
  // Why it may not begin, or OK.
  Status WhyNotBegun(const QueuedBegin& begin) REQUIRES_LOCK(mutex_);
  void RunBegin(std::unique_ptr<QueuedBegin> begin) REQUIRES_LOCK(mutex_);
  // Waits for other processes' locks.
  Status BeginSession(const QueuedBegin& begin) REQUIRES_LOCK(mutex_);
  void RunTransaction() REQUIRES_LOCK(mutex_);
  void RunStep(Step step) REQUIRES_LOCK(mutex_);
  void RunEnd(Step end) REQUIRES_LOCK(mutex_);
  void EndTransaction(const Status& for_the_rest) REQUIRES_LOCK(mutex_);
  // The open one, which is so no longer; its steps leave the queue.
  std::unique_ptr<OpenTransaction> TakeTransaction() REQUIRES_LOCK(mutex_);
  // The wait of an item that may become unwanted, else null.
  static const Wait* WatchedWait(const Item& item);
  // Why the item need not be run any more, or OK.
  Status WhyUnwanted(const Item& item) REQUIRES_LOCK(mutex_);
  static bool MayRunBeside(const Item& item) { return item.alone != nullptr && item.alone->beside; }
  static void AnswerUnwanted(Item& item, const Status& why);
  // True when it answered one, with the mutex free meanwhile.
  bool DropUnwanted() REQUIRES_LOCK(mutex_);
  bool TickIfDue() REQUIRES_LOCK(mutex_);
  bool CheckpointIfDue() REQUIRES_LOCK(mutex_);
  // True when it ran work that may run while a transaction is open, past what has to wait for its end.
  bool RunWorkBesideTransaction() REQUIRES_LOCK(mutex_);
  void RunWork(std::unique_ptr<QueuedWork> work) REQUIRES_LOCK(mutex_);
  void AddAlone(std::unique_ptr<QueuedWork> work);
  void WaitForWork() REQUIRES_LOCK(mutex_);
  void Finish() REQUIRES_LOCK(mutex_);
  Group TakeGroup() REQUIRES_LOCK(mutex_);
  Status Admit(const Item& item) REQUIRES_LOCK(mutex_);
  void Push(Item item) REQUIRES_LOCK(mutex_);
  void Popped(const Item& item) REQUIRES_LOCK(mutex_);
  // Queues a step of transaction `id`, or answers it.
  void AddStep(TransactionId id, Step step);
  Status WhyNotIn(TransactionId id, const Step& step) REQUIRES_LOCK(mutex_);
  // Makes the calling thread the owner, if nobody is and no work waits: for `id`, or outside any transaction for 0.
  enum class Use : std::uint8_t { kStep, kCommit, kRollBack };
  bool Borrow(TransactionId id, Use use);
  bool MayBorrow(TransactionId id, Use use) REQUIRES_LOCK(mutex_);
  // Runs `work` with the connection owned and the mutex free.
  // A template since a std::function may need memory.
  template <class Work>
  void Own(Work&& work) REQUIRES_LOCK(mutex_);
  // What the owner leaves behind. Thread: the owner, before it gives the connection up.
  struct State {
    WalPlan plan;
    Code stop = Code::kOk;
  };
  State TakeState();
  // The end of a loan. The session is read before the mutex is taken: only its owner may.
  struct Borrowed {
    State state;
    bool in_transaction;
  };
  Borrowed LookAtSession() { return {TakeState(), session_->in_transaction()}; }
  void GiveBack(const Borrowed& seen) REQUIRES_LOCK(mutex_);
  // What the owner's connection has counted. Thread: the owner.
  void Publish();
  SteadyTime Now() const { return hooks_.steady_now(); }
  SteadyTime After(std::int64_t milliseconds) const { return Now() + std::chrono::milliseconds(milliseconds); }
  // The wait of a call for its turn.
  Wait WaitOf(CallControl& control) const {
    return {control.timeout_ms > 0 ? After(control.timeout_ms) : SteadyTime::max(), std::move(control.cancelled)};
  }
  static std::int64_t Micros(SteadyTime::duration duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  }

  const WriterOptions options_;
  const Hooks& hooks_;
  std::unique_ptr<WriteSession> session_;  // used by the owner
  std::unique_ptr<WalService> wal_;        // the same

  Mutex mutex_;
  CondVar wake_;
  Owner owner_ GUARDED_BY(mutex_) = Owner::kNobody;
  std::deque<Item> queue_ GUARDED_BY(mutex_);
  QueueState queued_ GUARDED_BY(mutex_);
  std::unique_ptr<OpenTransaction> open_ GUARDED_BY(mutex_);
  QueuedBegin* beginning_ GUARDED_BY(mutex_) = nullptr;  // taken from the queue, its BEGIN not yet done
  RecentEnds timed_out_ GUARDED_BY(mutex_);
  std::int64_t watched_ GUARDED_BY(mutex_) = 0;   // items of the queue that may become unwanted
  std::int64_t beside_ GUARDED_BY(mutex_) = 0;    // items of the queue that may run beside a transaction
  SteadyTime sleeps_until_ GUARDED_BY(mutex_){};  // of the thread in WaitForWork(); the past when it is not there
  std::atomic<bool> attention_{false};            // ends a wait for other processes' locks: see Wake()
  SteadyTime last_work_ GUARDED_BY(mutex_);
  State state_ GUARDED_BY(mutex_);
  bool closing_ GUARDED_BY(mutex_) = false;
  std::function<void()> before_close_ GUARDED_BY(mutex_);
  StatusDone closed_ GUARDED_BY(mutex_);
  CloseReport close_report_;  // the thread's, until it has ended

  std::thread thread_;  // last: starts when everything else is made
};

template <class Work>
void Writer::Own(Work&& work) {
  owner_ = Owner::kThread;
  mutex_.Unlock();
  try {
    work();
  } catch (...) {
    // Whatever could fail has answered for itself; the thread goes on in any case.
  }
  const State state = TakeState();
  Publish();
  mutex_.Lock();
  owner_ = Owner::kNobody;
  state_ = state;
  last_work_ = Now();
}

}  // namespace hypha
