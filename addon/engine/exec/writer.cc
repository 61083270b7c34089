#include "exec/writer.h"

#include <algorithm>
#include <atomic>
#include <new>
#include <optional>
#include <utility>

#include "base/mutant.h"
#include "hypha/caught.h"

namespace hypha {
namespace {

// A group is one transaction: large enough to share its cost, small enough to answer soon.
constexpr std::size_t kGroupOperations = 4096;
constexpr std::size_t kGroupBytes = 8U << 20;
constexpr auto kIdleBeforeCheckpoint = std::chrono::milliseconds(20);

SteadyTime Now() { return std::chrono::steady_clock::now(); }

std::unique_ptr<WriteSession> Attentive(std::unique_ptr<WriteSession> session, std::atomic<bool>* attention) {
  session->set_attention(attention);
  return session;
}

}  // namespace

Writer::Writer(std::unique_ptr<WriteSession> session, WriterOptions options)
    : options_(options),
      session_(Attentive(std::move(session), &attention_)),
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
  if (IsWatched(item)) ++watched_;
  queue_.push_back(std::move(item));
  if (owner_ != Owner::kThread) wake_.NotifyAll();
}

void Writer::Popped(const Item& item) {
  queued_.operations -= item.operations;
  queued_.bytes -= item.bytes;
  if (IsWatched(item)) --watched_;
}

void Writer::Write(WriteRequest request, WriteDone done) {
  Item item;
  item.operations = static_cast<std::int64_t>(request.ops.size());
  item.bytes = static_cast<std::int64_t>(request.Bytes());
  const SteadyTime now = Now();
  const SteadyTime deadline = now + std::chrono::milliseconds(options_.busy_timeout_ms);
  Wait wait{SteadyTime::max(), std::move(request.control.cancelled)};
  if (request.control.timeout_ms > 0) wait.until = now + std::chrono::milliseconds(request.control.timeout_ms);
  WriteJob job{std::move(request), {}, deadline, std::move(wait)};
  item.write = std::make_unique<QueuedWrite>(QueuedWrite{std::move(job), std::move(done)});
  Status status;
  {
    MutexLock lock(mutex_);
    status = Admit(item);
    if (status.ok()) return Push(std::move(item));
  }
  item.write->done({status, {}});
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

void Writer::Wake() {
  attention_.store(true);
  MutexLock lock(mutex_);
  wake_.NotifyAll();
}

void Writer::Close(std::function<void()> before_close, StatusDone done) {
  MutexLock lock(mutex_);
  closing_ = true;
  attention_.store(true);
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

bool Writer::CheckpointIfDue() {
  if (checkpoint_need_ == Checkpointer::Need::kNone || stopped_) return false;
  if (checkpoint_need_ == Checkpointer::Need::kWhenIdle && Now() < last_work_ + kIdleBeforeCheckpoint) return false;
  // A checkpoint that fails loses nothing: the log keeps what it could not copy, and the next one tries again.
  Own([&] { static_cast<void>(Caught([&] { return checkpointer_->Run(); })); });
  if (checkpoint_need_ == Checkpointer::Need::kNow) checkpoint_need_ = Checkpointer::Need::kWhenIdle;
  return true;
}

Status Writer::WhyUnwanted(const Item& item) {
  if (item.write != nullptr) return item.write->job.wait.Why(Now(), Code::kTimeout);
  return item.begin != nullptr ? WhyNotBegun(*item.begin) : Status::Ok();
}

void Writer::AnswerUnwanted(Item& item, const Status& why) {
  if (item.write != nullptr) return item.write->done({why, {}});
  if (item.begin != nullptr) return item.begin->done(why);
  item.alone->fail(why);
}

// While a transaction is open the others wait; those that nobody waits for any more hear it at once.
bool Writer::DropUnwanted() {
  if (watched_ == 0) return false;
  Status why;
  const auto unwanted = std::find_if(queue_.begin(), queue_.end(), [&](const Item& item) {
    if (!IsWatched(item)) return false;
    why = WhyUnwanted(item);
    return !why.ok();
  });
  if (unwanted == queue_.end()) return false;
  Item item = std::move(*unwanted);
  Popped(item);
  queue_.erase(unwanted);
  Own([&] { AnswerUnwanted(item, why); });
  return true;
}

void Writer::WaitForWork() {
  std::optional<SteadyTime> until;
  const auto sooner = [&](SteadyTime time) { until = until ? std::min(*until, time) : time; };
  if (owner_ == Owner::kNobody) {
    if (open_) {
      if (!open_->steps.empty()) return;
      sooner(open_->deadline);
      if (watched_ > 0) {
        for (const auto& item : queue_) {
          if (item.write != nullptr) sooner(item.write->job.wait.until);
          if (item.begin != nullptr) sooner(item.begin->wait.until);
        }
      }
    } else if (checkpoint_need_ != Checkpointer::Need::kNone) {
      sooner(last_work_ + kIdleBeforeCheckpoint);
    }
  }
  sleeps_until_ = until.value_or(SteadyTime::max());
  if (until && *until != SteadyTime::max()) {
    wake_.WaitUntil(mutex_, *until);
  } else {
    wake_.Wait(mutex_);
  }
  sleeps_until_ = SteadyTime{};
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
