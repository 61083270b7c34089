// The side of the writer thread.
#include <algorithm>
#include <new>
#include <optional>
#include <utility>

#include "base/mutant.h"
#include "exec/writer.h"
#include "hypha/caught.h"

namespace hypha {
namespace {

// A group is one transaction: large enough to share its cost, small enough to answer soon.
constexpr std::size_t kGroupOperations = 4096;
constexpr std::size_t kGroupBytes = 8U << 20;
constexpr auto kIdleBeforeCheckpoint = std::chrono::milliseconds(20);

}  // namespace

void Writer::Loop() {
  MutexLock lock(mutex_);
  while (TakeTurn()) {
  }
  Finish();
}

// One thing at a time, the most urgent first. False when the writer is to end.
bool Writer::TakeTurn() {
  const bool mine = owner_ == Owner::kNobody;
  if (mine && TickIfDue()) return true;
  if (mine && open_) {
    RunTransaction();
  } else if (mine && state_.plan.need == Checkpointer::Need::kNow && state_.stop == Code::kOk) {
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

Writer::State Writer::TakeState() {
  if (wal_->fatal() != Code::kOk) session_->Stop(wal_->fatal());
  return {wal_->plan(), session_->stop_code()};
}

void Writer::Publish() {
  if (options_.metrics == nullptr) return;
  Metrics& metrics = *options_.metrics;
  wal_->Publish(&metrics);
  PublishCache(session_->db(), &metrics.writer_cache);
  metrics.retries.store(session_->retries(), std::memory_order_relaxed);
  metrics.lock_waits.store(session_->db().busy_waits(), std::memory_order_relaxed);
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
      group.emplace_back();
    } catch (const std::bad_alloc&) {
      break;  // the item keeps its request
    }
    Popped(item);
    group.back() = std::move(item.write);
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
  RunWork(std::move(item.alone));
}

void Writer::RunWork(std::unique_ptr<QueuedWork> work) {
  attention_.store(false);
  Own([&] {
    Status why = work->wait.Why(Now(), Code::kTimeout);
    if (!why.ok()) {
      work->fail(std::move(why));
    } else if (session_->stopped()) {
      work->fail(Status(session_->stop_code()));
    } else {
      work->work(*wal_);
    }
  });
}

bool Writer::RunWorkBesideTransaction() {
  if (beside_ == 0) return false;
  const auto found = std::find_if(queue_.begin(), queue_.end(), &MayRunBeside);
  if (found == queue_.end()) return false;
  Popped(*found);
  std::unique_ptr<QueuedWork> work = std::move(found->alone);
  queue_.erase(found);
  RunWork(std::move(work));
  return true;
}

void Writer::RunGroup(Group group) {
  Own([&] {
    std::vector<WriteJob*> jobs;
    Status status = Caught([&] {
      jobs.reserve(group.size());
      return session_->stopped() ? Status::Ok() : wal_->MayWrite();
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
    const SteadyTime start = Now();
    if (status.ok()) session_->RunGroup(jobs);
    Measure(group, start);
    Publish();
    session_->Reach("before-answer");
    answer();
    session_->Reach("after-answer");
  });
}

void Writer::Measure(const Group& group, SteadyTime start) const {
  if (options_.metrics == nullptr) return;
  const SteadyTime end = Now();
  std::size_t operations = 0;
  for (const auto& write : group) {
    operations += write->job.request.ops.size();
    options_.metrics->write.Add(Micros(end - write->queued_at));
  }
  options_.metrics->commit.Add(Micros(end - start));
  options_.metrics->batch.Add(static_cast<std::int64_t>(operations));
}

const Wait* Writer::WatchedWait(const Item& item) {
  if (item.begin != nullptr) return &item.begin->wait;
  const Wait& wait = item.write != nullptr ? item.write->job.wait : item.alone->wait;
  return wait.bounded() ? &wait : nullptr;
}

Status Writer::WhyUnwanted(const Item& item) {
  if (item.begin != nullptr) return WhyNotBegun(*item.begin);
  const Wait* wait = WatchedWait(item);
  return wait == nullptr ? Status::Ok() : wait->Why(Now(), Code::kTimeout);
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

bool Writer::TickIfDue() {
  if (state_.stop != Code::kOk || Now() < state_.plan.wake_at) return false;
  const SteadyTime last_work = last_work_;
  attention_.store(false);  // a look was had: checkpoints may wait for their readers
  Own([&] { wal_->Tick(); });
  last_work_ = last_work;  // nobody has asked for anything
  return true;
}

bool Writer::CheckpointIfDue() {
  const Checkpointer::Need need = state_.plan.need;
  if (need == Checkpointer::Need::kNone || state_.stop != Code::kOk) return false;
  if (need == Checkpointer::Need::kWhenIdle && Now() < last_work_ + kIdleBeforeCheckpoint) return false;
  // A checkpoint that fails loses nothing: the log keeps what it could not copy, and the next one tries again.
  attention_.store(false);
  Own([&] { static_cast<void>(Caught([&] { return wal_->Checkpoint(); })); });
  if (state_.plan.need == Checkpointer::Need::kNow) state_.plan.need = Checkpointer::Need::kWhenIdle;
  return true;
}

void Writer::WaitForWork() {
  std::optional<SteadyTime> until;
  const auto sooner = [&](SteadyTime time) { until = until ? std::min(*until, time) : time; };
  if (owner_ == Owner::kNobody) {
    if (open_) {
      if (open_->HasSteps()) return;
      sooner(open_->deadline);
      if (watched_ > 0) {
        for (const auto& item : queue_) {
          if (const Wait* wait = WatchedWait(item)) sooner(wait->until);
        }
      }
    } else if (state_.plan.need != Checkpointer::Need::kNone && state_.stop == Code::kOk) {
      sooner(last_work_ + kIdleBeforeCheckpoint);
    }
    if (state_.stop == Code::kOk && state_.plan.wake_at != SteadyTime::max()) sooner(state_.plan.wake_at);
  }
  sleeps_until_ = until.value_or(SteadyTime::max());
  if (sleeps_until_ != SteadyTime::max()) {
    // By the real clock: the injected one may stand still, and whoever moves it wakes the thread.
    wake_.WaitUntil(mutex_, std::chrono::steady_clock::now() + (sleeps_until_ - Now()));
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
  attention_.store(false);
  close_report_.last = true;
  close_report_.stopped = session_->stopped();
  Status status = session_->stopped() ? Status::Ok() : Caught([&] { return wal_->Close(&close_report_); });
  if (close_report_.stopped) session_->Stop(Code::kStopped);
  session_->Reach("log-emptied");
  wal_.reset();
  session_.reset();
  if (closed) closed(std::move(status));
  mutex_.Lock();
}

}  // namespace hypha
