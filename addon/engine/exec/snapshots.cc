#include "exec/snapshots.h"

#include <algorithm>
#include <utility>

#include "hypha/caught.h"

namespace hypha {
namespace {

// Connections that are kept for the next snapshots.
constexpr std::size_t kIdleKept = 2;

SteadyTime Now() { return std::chrono::steady_clock::now(); }

}  // namespace

// ---- Beginning

void Snapshots::Begin(const void* owner, std::int64_t timeout_ms, BeginDone done) {
  auto shared = std::make_shared<BeginDone>(std::move(done));
  ReaderPool::Job job;
  job.run = [this, owner, timeout_ms, shared](ReadSession& /*lent*/) {
    auto begun = Caught([&] { return Start(owner, timeout_ms); });
    if (!begun.ok()) {
      MutexLock lock(mutex_);
      --count_;
    }
    (*shared)(std::move(begun));
  };
  job.failed = [this, shared](Status status) {
    {
      MutexLock lock(mutex_);
      --count_;
    }
    (*shared)(std::move(status));
  };
  Status status;
  {
    MutexLock lock(mutex_);
    if (stopping_) {
      status = Status(Code::kClosed);
    } else if (count_ >= options_.max_snapshots) {
      status = Status(Code::kBusy, "limits.maxSnapshots snapshots and iterators are open");
    } else {
      ++count_;
    }
  }
  if (!status.ok()) return (*shared)(std::move(status));
  pool_.Run(std::move(job));
}

Result<std::unique_ptr<ReadSession>> Snapshots::TakeSession() {
  {
    MutexLock lock(mutex_);
    if (!idle_.empty()) {
      auto session = std::move(idle_.back());
      idle_.pop_back();
      return session;
    }
  }
  auto db = connect_();
  if (!db.ok()) return db.status();
  return std::make_unique<ReadSession>(std::move(db.value()), options_.gate);
}

Result<TransactionId> Snapshots::Start(const void* owner, std::int64_t timeout_ms) {
  auto snapshot = std::make_shared<Snapshot>();
  auto session = TakeSession();
  if (!session.ok()) return session.status();
  snapshot->session = std::move(session.value());
  snapshot->owner = owner;
  {
    MutexLock lock(mutex_);
    SetRunning(snapshot->session.get(), true);
  }
  const SteadyTime lock_deadline = Now() + std::chrono::milliseconds(options_.busy_timeout_ms);
  Status status = snapshot->session->BeginSnapshot(lock_deadline);
  {
    MutexLock lock(mutex_);
    SetRunning(snapshot->session.get(), false);
    if (stopping_) status = Status(Code::kClosed);
    if (status.ok() && snapshot->session->expired()) status = StatusOf(EndedBy::kLog);
    if (status.ok()) {
      status = Caught([&] {
        snapshot->id = NextTransactionId();
        const bool has_own_limit = timeout_ms > 0 && timeout_ms < options_.age_ms;
        snapshot->expires = Now() + std::chrono::milliseconds(has_own_limit ? timeout_ms : options_.age_ms);
        snapshot->expires_by = has_own_limit ? EndedBy::kDeadline : EndedBy::kAge;
        if (!watcher_.joinable()) watcher_ = std::thread([this] { Watch(); });
        open_.emplace(snapshot->id, snapshot);
        return Status::Ok();
      });
    }
    changed_.NotifyAll();
  }
  if (!status.ok()) return status;
  return snapshot->id;
}

void Snapshots::SetRunning(ReadSession* session, bool running) {
  if (running) {
    running_.push_back(session);
  } else {
    std::erase(running_, session);
  }
}

// ---- Reading

bool Snapshots::Knows(TransactionId id) {
  MutexLock lock(mutex_);
  return open_.count(id) != 0 || expired_.Find(id);
}

Status Snapshots::WhyNot(TransactionId id) {
  if (const auto by = expired_.Find(id)) return StatusOf(*by);
  return Status(stopping_ ? Code::kClosed : Code::kTransactionInvalid);
}

void Snapshots::Read(TransactionId id, Work work, StatusDone fail) {
  Shared snapshot;
  bool schedule = false;
  const Status status = [&] {
    MutexLock lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end()) return WhyNot(id);
    if (const auto by = Overdue(*found->second)) return StatusOf(*by);  // somebody is about to end it
    snapshot = found->second;
    snapshot->waiting.push_back({std::move(work), fail});
    schedule = !std::exchange(snapshot->scheduled, true);
    return Status::Ok();
  }();
  if (!status.ok()) return fail(status);
  if (schedule) Schedule(snapshot);
}

void Snapshots::Schedule(const Shared& snapshot) {
  ReaderPool::Job job;
  job.run = [this, snapshot](ReadSession& /*lent*/) { RunNext(snapshot); };
  job.failed = [this, snapshot](const Status& status) {
    Finish(snapshot, status);
    {
      MutexLock lock(mutex_);
      snapshot->scheduled = false;
    }
    Release(snapshot);
  };
  pool_.Run(std::move(job));
}

// Whoever takes the mark `scheduled` off a snapshot that has ended releases its connection.
void Snapshots::RunNext(const Shared& snapshot) {
  Waiting next;
  {
    MutexLock lock(mutex_);
    if (!snapshot->ended) {
      next = std::move(snapshot->waiting.front());
      snapshot->waiting.pop_front();
      SetRunning(snapshot->session.get(), true);
    }
  }
  if (next.work != nullptr) {
    const Status ran = Caught([&] {
      next.work(snapshot->session->context(), snapshot->expires, snapshot->expires_by);
      return Status::Ok();
    });
    if (!ran.ok()) next.fail(ran);  // it did not come to an answer: what answers does not throw
  }
  bool again = false;
  bool ended = false;
  {
    MutexLock lock(mutex_);
    SetRunning(snapshot->session.get(), false);
    ended = snapshot->ended;
    again = !ended && !snapshot->waiting.empty();
    snapshot->scheduled = again;
    changed_.NotifyAll();
  }
  if (again) return Schedule(snapshot);
  if (ended) Release(snapshot);
}

// ---- Ending

void Snapshots::End(TransactionId id, StatusDone done) {
  Shared snapshot;
  std::optional<EndedBy> by;
  const Status status = [&] {
    MutexLock lock(mutex_);
    const auto found = open_.find(id);
    if (found == open_.end()) return WhyNot(id);
    snapshot = found->second;
    by = Overdue(*snapshot);
    if (!by) snapshot->released = done;
    return Status::Ok();
  }();
  if (!status.ok()) return done(status);
  if (!by) return Finish(snapshot, Status(Code::kTransactionInvalid));
  Expire(snapshot, *by);  // as whoever is about to do it would
  done(StatusOf(*by));
}

std::optional<EndedBy> Snapshots::Overdue(const Snapshot& snapshot) {
  if (snapshot.session->expired()) return EndedBy::kLog;
  return snapshot.expires <= Now() ? std::optional(snapshot.expires_by) : std::nullopt;
}

void Snapshots::Finish(const Shared& snapshot, const Status& why, std::optional<EndedBy> by) {
  std::deque<Waiting> waiting;
  bool release = false;
  {
    MutexLock lock(mutex_);
    if (std::exchange(snapshot->ended, true)) return;
    open_.erase(snapshot->id);
    if (by) expired_.Add(snapshot->id, *by);
    waiting.swap(snapshot->waiting);
    release = !snapshot->scheduled;
  }
  if (release) Release(snapshot);
  for (auto& read : waiting) read.fail(why);
}

// Nobody runs on its connection any more, and nobody will.
void Snapshots::Release(const Shared& snapshot) {
  auto session = std::move(snapshot->session);
  session->EndSnapshot();
  StatusDone released;
  {
    MutexLock lock(mutex_);
    --count_;
    released = std::move(snapshot->released);
    if (!stopping_ && idle_.size() < kIdleKept) {
      static_cast<void>(Caught([&] {
        idle_.push_back(std::move(session));
        return Status::Ok();
      }));
    }
  }
  if (released) released(Status::Ok());
}

void Snapshots::Abandon(const void* owner) {
  for (;;) {
    Shared found;
    {
      MutexLock lock(mutex_);
      for (const auto& [id, snapshot] : open_) {
        if (snapshot->owner == owner) found = snapshot;
      }
    }
    if (found == nullptr) return;
    Finish(found, Status(Code::kClosed));
  }
}

void Snapshots::EndExpired() {
  for (;;) {
    Shared found;
    {
      MutexLock lock(mutex_);
      for (const auto& [id, snapshot] : open_) {
        if (snapshot->session->expired()) found = snapshot;
      }
    }
    if (found == nullptr) return;
    Expire(found, EndedBy::kLog);
  }
}

void Snapshots::Watch() {
  mutex_.Lock();
  while (!stopping_) {
    Shared first;
    for (const auto& [id, snapshot] : open_) {
      if (first == nullptr || snapshot->expires < first->expires) first = snapshot;
    }
    if (first == nullptr) {
      changed_.Wait(mutex_);
      continue;
    }
    const auto by = Overdue(*first);
    if (!by) {
      changed_.WaitUntil(mutex_, first->expires);
    } else {
      mutex_.Unlock();
      static_cast<void>(Caught([&] {  // at the top of this thread nothing may be thrown
        Expire(first, *by);
        return Status::Ok();
      }));
      mutex_.Lock();
    }
  }
  mutex_.Unlock();
}

void Snapshots::Stop() {
  std::thread watcher;
  for (;;) {
    Shared found;
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      changed_.NotifyAll();
      if (!open_.empty()) found = open_.begin()->second;
    }
    if (found == nullptr) break;
    Finish(found, Status(Code::kClosed));
  }
  std::vector<std::unique_ptr<ReadSession>> idle;
  {
    MutexLock lock(mutex_);
    // An interrupt that comes before a read's first statement does nothing, so one is not enough.
    while (!running_.empty()) {
      for (auto* session : running_) session->db().Interrupt();
      changed_.WaitUntil(mutex_, Now() + std::chrono::milliseconds(1));
    }
    watcher.swap(watcher_);
    idle.swap(idle_);
  }
  if (watcher.joinable()) watcher.join();
}

}  // namespace hypha
