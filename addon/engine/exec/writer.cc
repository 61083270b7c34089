#include "exec/writer.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <utility>

#include "base/mutant.h"
#include "hypha/caught.h"

namespace hypha {
namespace {

// A group is one transaction: large enough to share its cost, small enough to answer soon.
constexpr std::size_t kGroupOperations = 4096;
constexpr std::size_t kGroupBytes = 8U << 20;
// What a JavaScript thread may do itself: more would hold the event loop.
constexpr std::size_t kInlineOperations = 8;
constexpr std::size_t kInlineBytes = 64U << 10;
constexpr auto kIdleBeforeCheckpoint = std::chrono::milliseconds(20);
constexpr std::size_t kTimedOutKept = 10'000;

// Whether its cost does not grow with what is stored.
bool IsShort(const WriteOp& op) {
  switch (op.kind) {
    case WriteKind::kDeleteNamespace:
    case WriteKind::kClear:
    case WriteKind::kCreateIndex:
    case WriteKind::kDropIndex: return false;
    default: return true;
  }
}

SteadyTime Now() { return std::chrono::steady_clock::now(); }

TransactionId NextTransactionId() {
  static std::atomic<TransactionId> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

Writer::Writer(std::unique_ptr<WriteSession> session, WriterOptions options)
    : options_(options),
      session_(std::move(session)),
      checkpointer_(std::make_unique<Checkpointer>(session_->db())),
      last_work_(Now()),
      thread_([this] { Loop(); }) {}

Writer::~Writer() { Join(); }

void Writer::Join() {
  if (thread_.joinable()) thread_.join();
}

// ---- Callers

Status Writer::Admit(const Item& item) {
  if (closing_) return Status(Code::kClosed);
  if (stopped_) return Status(Code::kStopped);
  if (queued_.operations + item.operations > options_.queue_operations) {
    return {Code::kQueueFull, "the write queue holds limits.queueOperations operations"};
  }
  if (queued_.bytes + item.bytes > options_.queue_bytes) {
    return {Code::kQueueFull, "the write queue holds limits.queueBytes bytes"};
  }
  return Status::Ok();
}

void Writer::Push(Item item) {
  queued_.operations += item.operations;
  queued_.bytes += item.bytes;
  queue_.push_back(std::move(item));
  if (owner_ != Owner::kThread) wake_.NotifyAll();
}

void Writer::Popped(const Item& item) {
  queued_.operations -= item.operations;
  queued_.bytes -= item.bytes;
}

void Writer::Write(WriteRequest request, WriteDone done) {
  Item item;
  item.operations = static_cast<std::int64_t>(request.ops.size());
  item.bytes = static_cast<std::int64_t>(request.Bytes());
  const SteadyTime deadline = Now() + std::chrono::milliseconds(options_.busy_timeout_ms);
  item.write = std::make_unique<QueuedWrite>(QueuedWrite{{std::move(request), {}, deadline}, std::move(done)});
  Status status;
  {
    MutexLock lock(mutex_);
    status = Admit(item);
    if (status.ok()) return Push(std::move(item));
  }
  item.write->done({status, {}});
}

bool Writer::TryRunInline(WriteRequest& request, WriteReply* reply) {
  if (request.durability == Durability::kFull || request.ops.size() > kInlineOperations) return false;
  if (request.Bytes() > kInlineBytes || !std::all_of(request.ops.begin(), request.ops.end(), IsShort)) return false;
  if (!mutex_.TryLock()) return false;
  const bool idle = owner_ == Owner::kNobody && queue_.empty() && !open_ && !closing_ && !stopped_ &&
                    checkpoint_need_ != Checkpointer::Need::kNow;
  if (idle) owner_ = Owner::kBorrower;
  mutex_.Unlock();
  if (!idle) return false;

  WriteJob job{std::move(request), {}, {}};
  const bool done = session_->RunInline(job);
  const Checkpointer::Need need = checkpointer_->need();
  MutexLock lock(mutex_);
  owner_ = Owner::kNobody;
  stopped_ = session_->stopped();
  last_work_ = Now();
  const bool newly_due = need != checkpoint_need_;
  checkpoint_need_ = need;
  if (newly_due || !queue_.empty() || closing_) wake_.NotifyAll();
  if (done) {
    *reply = std::move(job.reply);
  } else {
    request = std::move(job.request);
  }
  return done;
}

void Writer::Begin(const void* owner, Durability durability, std::int64_t timeout_ms, BeginDone done) {
  Item item;
  const SteadyTime give_up = Now() + std::chrono::milliseconds(options_.busy_timeout_ms);
  item.begin = std::make_unique<QueuedBegin>(QueuedBegin{owner, durability, timeout_ms, give_up, std::move(done)});
  Status status;
  {
    MutexLock lock(mutex_);
    status = Admit(item);
    if (status.ok()) return Push(std::move(item));
  }
  item.begin->done(status);
}

void Writer::RunAlone(std::function<void(Checkpointer&)> work, StatusDone fail) {
  Item item;
  item.alone = std::make_unique<QueuedWork>(QueuedWork{std::move(work), std::move(fail)});
  Status status;
  {
    MutexLock lock(mutex_);
    status = Admit(item);
    if (status.ok()) return Push(std::move(item));
  }
  item.alone->fail(status);
}

Status Writer::AddStep(TransactionId id, Step& step) {
  if (!open_ || open_->id != id) {
    if (timed_out_.count(id) != 0) return Status(Code::kTransactionTimeout);
    if (closing_) return Status(Code::kClosed);
    return Status(stopped_ ? Code::kStopped : Code::kTransactionInvalid);
  }
  open_->steps.push_back(std::move(step));
  if (owner_ != Owner::kThread) wake_.NotifyAll();
  return Status::Ok();
}

void Writer::End(TransactionId id, bool commit, StatusDone done) {
  Step step{nullptr, std::move(done), commit};
  Status status;
  {
    MutexLock lock(mutex_);
    status = AddStep(id, step);
  }
  if (!status.ok()) step.answer(status);
}

void Writer::WriteIn(TransactionId id, WriteRequest request, WriteDone done) {
  auto shared = std::make_shared<QueuedWrite>(QueuedWrite{{std::move(request), {}, {}}, std::move(done)});
  Step step;
  step.run = [shared](WriteSession& session) {
    session.Apply(shared->job);
    shared->done(std::move(shared->job.reply));
  };
  step.answer = [shared](Status status) { shared->done({std::move(status), {}}); };
  Status status;
  {
    MutexLock lock(mutex_);
    status = AddStep(id, step);
  }
  if (!status.ok()) step.answer(status);
}

void Writer::RunIn(TransactionId id, std::function<void(ReadContext&)> work, StatusDone fail) {
  Step step;
  step.run = [work = std::move(work)](WriteSession& session) { work(session.reads()); };
  step.answer = std::move(fail);
  Status status;
  {
    MutexLock lock(mutex_);
    status = AddStep(id, step);
  }
  if (!status.ok()) step.answer(status);
}

void Writer::Abandon(const void* owner) {
  MutexLock lock(mutex_);
  if (open_ && open_->owner == owner) open_->abandoned = true;
  if (beginning_ != nullptr && beginning_->owner == owner) beginning_->give_up = SteadyTime{};
  for (auto& item : queue_) {
    if (item.begin != nullptr && item.begin->owner == owner) item.begin->give_up = SteadyTime{};
  }
  wake_.NotifyAll();
}

void Writer::Close(std::function<void()> before_close, StatusDone done) {
  MutexLock lock(mutex_);
  closing_ = true;
  before_close_ = std::move(before_close);
  closed_ = std::move(done);
  wake_.NotifyAll();
}

QueueState Writer::queue_state() {
  MutexLock lock(mutex_);
  return queued_;
}

bool Writer::stopped() {
  MutexLock lock(mutex_);
  return stopped_;
}

// ---- The writer thread

void Writer::Loop() {
  MutexLock lock(mutex_);
  while (TakeTurn()) {
  }
  Finish();
}

// One thing at a time, the most urgent first. False when the writer is to end.
bool Writer::TakeTurn() {
  const bool mine = owner_ == Owner::kNobody;
  if (mine && open_) {
    RunTransaction();
  } else if (mine && checkpoint_need_ == Checkpointer::Need::kNow && !stopped_) {
    CheckpointIfDue();
  } else if (mine && !queue_.empty() && !(closing_ && Mutated(Mutant::kDropQueueAtClose))) {
    RunQueue();
  } else if (mine && closing_) {
    return false;
  } else if (!mine || !CheckpointIfDue()) {
    WaitForWork();
  }
  return true;
}

template <class Work>
void Writer::Own(Work&& work) {
  owner_ = Owner::kThread;
  mutex_.Unlock();
  try {
    work();
  } catch (...) {
    // Whatever could fail has answered for itself; the thread goes on in any case.
  }
  const Checkpointer::Need need = checkpointer_->need();
  const bool stopped = session_->stopped();
  mutex_.Lock();
  owner_ = Owner::kNobody;
  checkpoint_need_ = need;
  stopped_ = stopped;
  last_work_ = Now();
}

Writer::Group Writer::TakeGroup() {
  Group group;
  std::size_t operations = 0;
  std::size_t bytes = 0;
  while (!queue_.empty() && queue_.front().write != nullptr) {
    Item& item = queue_.front();
    operations += static_cast<std::size_t>(item.operations);
    bytes += static_cast<std::size_t>(item.bytes);
    if (!group.empty() && (operations > kGroupOperations || bytes > kGroupBytes)) break;
    try {
      group.push_back(std::move(item.write));
    } catch (const std::bad_alloc&) {
      break;  // the item keeps its request
    }
    Popped(item);
    queue_.pop_front();
  }
  return group;
}

void Writer::RunQueue() {
  if (queue_.front().write != nullptr) {
    Group group = TakeGroup();
    if (!group.empty()) return RunGroup(std::move(group));
  }
  Item item = std::move(queue_.front());
  Popped(item);
  queue_.pop_front();
  if (item.write != nullptr) return Own([&] { item.write->done({Status(Code::kNoMem), {}}); });
  if (item.begin != nullptr) return RunBegin(std::move(item.begin));
  Own([&] {
    if (session_->stopped()) {
      item.alone->fail(Status(Code::kStopped));
    } else {
      item.alone->work(*checkpointer_);
    }
  });
}

void Writer::RunGroup(Group group) {
  Own([&] {
    std::vector<WriteJob*> jobs;
    Status status = Caught([&] {
      jobs.reserve(group.size());
      return Status::Ok();
    });
    for (const auto& write : group) {
      if (status.ok()) {
        jobs.push_back(&write->job);
      } else {
        write->job.reply = {status, {}};
      }
    }
    const auto answer = [&] {
      for (const auto& write : group) write->done(std::move(write->job.reply));
    };
    if (Mutated(Mutant::kAckBeforeCommit)) {
      for (auto* job : jobs) job->reply.outcomes.resize(job->request.ops.size());
      answer();
      return session_->RunGroup(jobs);
    }
    if (status.ok()) session_->RunGroup(jobs);
    session_->Reach("before-answer");
    answer();
    session_->Reach("after-answer");
  });
}

Status Writer::WhyNotBegun(const QueuedBegin& begin) {
  if (begin.give_up == SteadyTime{}) return Status(Code::kClosed);  // Abandon()
  return {Code::kBusy, "another transaction was open for longer than busyTimeout"};
}

void Writer::RunBegin(std::unique_ptr<QueuedBegin> begin) {
  if (closing_ || Now() > begin->give_up) {
    const Status status = closing_ ? Status(Code::kClosed) : WhyNotBegun(*begin);
    Own([&] { begin->done(status); });
    return;
  }
  std::unique_ptr<OpenTransaction> opened;
  beginning_ = begin.get();
  Status status;
  Own([&, give_up = begin->give_up] {
    status = Caught([&] {
      opened = std::make_unique<OpenTransaction>();
      return session_->Begin(begin->durability, give_up);
    });
  });
  beginning_ = nullptr;
  TransactionId id = 0;
  if (status.ok()) {
    id = NextTransactionId();
    const bool abandoned = begin->give_up == SteadyTime{};
    const SteadyTime deadline = Now() + std::chrono::milliseconds(begin->timeout_ms);
    opened->id = id;
    opened->owner = begin->owner;
    opened->deadline = deadline;
    opened->abandoned = abandoned;
    open_ = std::move(opened);
  }
  Own([&] { status.ok() ? begin->done(id) : begin->done(status); });
}

void Writer::RememberTimedOut(TransactionId id) {
  try {
    timed_out_order_.push_back(id);
  } catch (const std::bad_alloc&) {
    return;  // its later uses are told that it is not open, and no longer why
  }
  try {
    timed_out_.insert(id);
  } catch (const std::bad_alloc&) {
    timed_out_order_.pop_back();
    return;
  }
  if (timed_out_order_.size() <= kTimedOutKept) return;
  timed_out_.erase(timed_out_order_.front());
  timed_out_order_.pop_front();
}

void Writer::RunTransaction() {
  if (closing_) return EndTransaction(Status(Code::kClosed));
  if (open_->abandoned) return EndTransaction(Status(Code::kClosed));
  if (Now() >= open_->deadline) {
    RememberTimedOut(open_->id);
    return EndTransaction(Status(Code::kTransactionTimeout));
  }
  if (!open_->steps.empty()) {
    Step step = std::move(open_->steps.front());
    open_->steps.pop_front();
    return RunStep(std::move(step));
  }
  // Having run callbacks with the mutex free, look again at everything before waiting.
  if (!ExpireBegins()) WaitForWork();
}

void Writer::RunStep(Step step) {
  if (step.run != nullptr) {
    Own([&] {
      step.run(*session_);
      session_->Reach("transaction-step");
    });
    // An I/O error inside may have made SQLite drop the transaction.
    if (!session_->in_transaction() && !Mutated(Mutant::kTransactionEndUnheeded))
      EndTransaction(Status(Code::kTransactionInvalid, "the transaction was rolled back by an error"));
    return;
  }
  Status status;
  const std::unique_ptr<OpenTransaction> ended = std::move(open_);
  Own([&] {
    if (step.commit) {
      status = session_->Commit();
    } else {
      session_->RollBack();
    }
    step.answer(status);
    for (auto& late : ended->steps) late.answer(Status(Code::kTransactionInvalid));
  });
}

void Writer::EndTransaction(const Status& for_the_rest) {
  const std::unique_ptr<OpenTransaction> ended = std::move(open_);
  Own([&] {
    session_->RollBack();
    for (auto& step : ended->steps) step.answer(for_the_rest);
  });
}

bool Writer::ExpireBegins() {
  const SteadyTime now = Now();
  const auto late = std::find_if(queue_.begin(), queue_.end(),
                                 [&](const Item& item) { return item.begin != nullptr && item.begin->give_up <= now; });
  if (late == queue_.end()) return false;
  Popped(*late);
  const std::unique_ptr<QueuedBegin> begin = std::move(late->begin);
  queue_.erase(late);
  Own([&] { begin->done(WhyNotBegun(*begin)); });
  return true;
}

bool Writer::CheckpointIfDue() {
  if (checkpoint_need_ == Checkpointer::Need::kNone || stopped_) return false;
  if (checkpoint_need_ == Checkpointer::Need::kWhenIdle && Now() < last_work_ + kIdleBeforeCheckpoint) return false;
  // A checkpoint that fails loses nothing: the log keeps what it could not copy, and the next one tries again.
  Own([&] { static_cast<void>(Caught([&] { return checkpointer_->Run(); })); });
  if (checkpoint_need_ == Checkpointer::Need::kNow) checkpoint_need_ = Checkpointer::Need::kWhenIdle;
  return true;
}

void Writer::WaitForWork() {
  std::optional<SteadyTime> until;
  const auto sooner = [&](SteadyTime time) { until = until ? std::min(*until, time) : time; };
  if (owner_ == Owner::kNobody) {
    if (open_) {
      if (!open_->steps.empty()) return;
      sooner(open_->deadline);
      for (const auto& item : queue_) {
        if (item.begin != nullptr) sooner(item.begin->give_up);
      }
    } else if (checkpoint_need_ != Checkpointer::Need::kNone) {
      sooner(last_work_ + kIdleBeforeCheckpoint);
    }
  }
  if (until) {
    wake_.WaitUntil(mutex_, *until);
  } else {
    wake_.Wait(mutex_);
  }
}

void Writer::Finish() {
  auto before_close = std::move(before_close_);
  auto closed = std::move(closed_);
  mutex_.Unlock();
  if (before_close) before_close();  // readers first, so that the log can be emptied and removed
  Status status = session_->stopped() ? Status::Ok() : Caught([&] { return checkpointer_->Truncate(); });
  // Nothing is lost where another process is in the way: the log stays, and whoever closes last copies it.
  if (status.code() == Code::kBusy) status = Status::Ok();
  session_->Reach("log-emptied");
  checkpointer_.reset();
  session_.reset();
  if (closed) closed(std::move(status));
  mutex_.Lock();
}

}  // namespace hypha
