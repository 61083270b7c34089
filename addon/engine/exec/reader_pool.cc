#include "exec/reader_pool.h"

#include <chrono>
#include <utility>

#include "exec/partnership.h"
#include "hypha/caught.h"
#include "sqlite3.h"

namespace hypha {
namespace {

bool SameCommits(const WalState& a, const WalState& b) {
  return a.max_frame == b.max_frame && a.change_counter == b.change_counter && a.salt[0] == b.salt[0] &&
         a.salt[1] == b.salt[1];
}

// Of work that has no deadline: what else interrupts it is closing.
Status ClosedIfInterrupted(Status status) {
  return status.code() == Code::kTimeout ? Status(Code::kClosed) : std::move(status);
}

}  // namespace

ReadSession::ReadSession(std::unique_ptr<Connection> db, ReaderGate* gate)
    : db_(std::move(db)), statements_(*db_), namespaces_(statements_), context_(statements_, namespaces_) {
  if (gate != nullptr) seat_.emplace(*gate, db_.get());
  context_.entries().set_list_cache(&lists_);
}

Status ReadSession::BeginSnapshot(SteadyTime lock_deadline) {
  if (seat_) seat_->Sit();
  db_->SetLockDeadline(lock_deadline);
  const auto before = ReadWalState(db_->handle());
  // Left open where there was no memory even for the rollback.
  Status status = db_->RollBack() ? db_->RunCached("BEGIN") : Status(Code::kNoMem);
  if (!status.ok()) {
    if (seat_) seat_->Leave();
    return ClosedIfInterrupted(std::move(status));
  }
  // The first look-up takes the snapshot; it also tells whether the cached namespaces still hold.
  auto started = Caught([&] { return namespaces_.OnSnapshot(kDefaultNamespace); });
  const auto after = ReadWalState(db_->handle());
  snapshot_ = before && after && SameCommits(*before, *after) ? after : std::nullopt;
  status = !started.ok() && expired() ? StatusOf(EndedBy::kLog) : ClosedIfInterrupted(started.status());
  if (!status.ok()) EndSnapshot();
  return status;
}

// Nothing was written: it cannot fail in a way that matters to an answer.
void ReadSession::EndSnapshot() {
  if (!Caught([&] { return db_->RunCached("COMMIT"); }).ok()) static_cast<void>(db_->RollBack());
  if (seat_) seat_->Leave();
}

Status ReadSession::InSnapshot(SteadyTime lock_deadline, const std::function<void(ReadContext&)>& work) {
  Status status = BeginSnapshot(lock_deadline);
  if (!status.ok()) return status;
  // Ends the read transaction on every path, also that of an exception.
  struct End {
    ~End() { session.EndSnapshot(); }
    ReadSession& session;
  };
  const End end{*this};
  work(context_);
  return status;
}

bool ReadSession::SnapshotIsNewest() {
  const auto now = ReadWalState(db_->handle());
  return snapshot_ && now && SameCommits(*snapshot_, *now);
}

ReaderPool::ReaderPool(std::vector<std::unique_ptr<ReadSession>> sessions, std::int64_t busy_timeout_ms,
                       Metrics* metrics, Reopen reopen)
    : busy_timeout_ms_(busy_timeout_ms),
      sessions_(std::move(sessions)),
      metrics_(metrics),
      reopen_(std::move(reopen)),
      own_jobs_(sessions_.size()) {
  try {
    threads_.reserve(sessions_.size());
    for (std::size_t i = 0; i < sessions_.size(); ++i) threads_.emplace_back([this, i] { Loop(i); });
  } catch (...) {
    Close();  // those that started
    throw;
  }
}

ReaderPool::~ReaderPool() { Close(); }

void ReaderPool::Run(Work work, Failed failed) {
  auto shared = std::make_shared<Failed>(std::move(failed));
  Job job;
  job.run = [this, work = std::move(work), shared](ReadSession& session) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms_);
    Partnership partner(*this, session);
    Status status = session.InSnapshot(deadline, [&](ReadContext& context) {
      struct Lend {
        ~Lend() { queries.set_partner(nullptr); }
        QueryRunner& queries;
      };
      const Lend lend{context.queries()};
      context.queries().set_partner(&partner);
      work(context);
    });
    if (!status.ok()) (*shared)(std::move(status));
  };
  job.failed = [shared](Status status) { (*shared)(std::move(status)); };
  Run(std::move(job));
}

void ReaderPool::Run(Job job) {
  {
    MutexLock lock(mutex_);
    if (!closing_) {
      jobs_.push_back(std::move(job));
      wake_.NotifyOne();
      return;
    }
  }
  job.failed(Status(Code::kClosed));
}

bool ReaderPool::RunIfIdle(Job job) {
  MutexLock lock(mutex_);
  if (closing_ || waiting_ <= jobs_.size()) return false;
  jobs_.push_front(std::move(job));
  wake_.NotifyOne();
  return true;
}

std::size_t ReaderPool::waiting_jobs() {
  const MutexLock lock(mutex_);
  return jobs_.size();
}

void ReaderPool::Ping(std::size_t index, std::int64_t timeout_ms, std::function<void(Status)> done) {
  auto shared = std::make_shared<std::function<void(Status)>>(std::move(done));
  Job job;
  job.run = [this, index, timeout_ms, shared](ReadSession&) { (*shared)(PingNow(index, timeout_ms)); };
  job.failed = [shared](Status status) { (*shared)(std::move(status)); };
  {
    MutexLock lock(mutex_);
    if (!closing_) {
      own_jobs_.at(index).push_back(std::move(job));
      wake_.NotifyAll();
      return;
    }
  }
  job.failed(Status(Code::kClosed));
}

// On the thread of that number: nobody else uses the session.
Status ReaderPool::PingNow(std::size_t index, std::int64_t timeout_ms) {
  const auto read = [&](ReadSession& session) {
    // From the file, not from what was read of it before.
    sqlite3_db_release_memory(session.db().handle());
    const SteadyTime deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    Status status;
    Status begun = session.InSnapshot(deadline, [&](ReadContext& context) {
      status = context.db().QueryInteger("SELECT count(*) FROM (SELECT 1 FROM hypha_entries LIMIT 1)").status();
    });
    return begun.ok() ? ClosedIfInterrupted(std::move(status)) : begun;
  };
  Status status = Caught([&] { return read(*sessions_[index]); });
  switch (status.code()) {
    case Code::kCorrupt:
    case Code::kNotADatabase:
    case Code::kIo:
    case Code::kCantOpen: break;
    default: return status;
  }
  if (!reopen_) return status;
  auto fresh = Caught([&] { return reopen_(); });
  if (!fresh.ok()) return fresh.status();
  {
    const MutexLock lock(mutex_);  // Close() interrupts the connections of the others
    std::swap(sessions_[index], fresh.value());
  }
  return Caught([&] { return read(*sessions_[index]); });
}

void ReaderPool::Loop(std::size_t index) {
  for (;;) {
    Job job;
    {
      MutexLock lock(mutex_);
      auto& own = own_jobs_[index];
      ++waiting_;
      while (jobs_.empty() && own.empty() && !closing_) wake_.Wait(mutex_);
      --waiting_;
      if (closing_) return;
      auto& next = own.empty() ? jobs_ : own;
      job = std::move(next.front());
      next.pop_front();
      ++running_;
    }
    try {
      job.run(*sessions_[index]);
    } catch (...) {
      // It did not come to an answer: what answers does not throw.
      job.failed(Status(Code::kNoMem));
    }
    if (metrics_ != nullptr) {
      const auto took = std::chrono::steady_clock::now() - job.queued_at;
      metrics_->read.Add(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
      PublishCache(sessions_[index]->db(), &metrics_->reader_caches.at(index));
    }
    MutexLock lock(mutex_);
    --running_;
    idle_.NotifyAll();
  }
}

void ReaderPool::Close() {
  // First: a job that runs may wait for one that does not.
  for (;;) {
    Job job;
    {
      MutexLock lock(mutex_);
      closing_ = true;
      wake_.NotifyAll();
      std::deque<Job>* waiting = &jobs_;
      for (auto& own : own_jobs_) {
        if (!own.empty()) waiting = &own;
      }
      if (waiting->empty()) break;
      job = std::move(waiting->front());
      waiting->pop_front();
    }
    job.failed(Status(Code::kClosed));
  }
  {
    MutexLock lock(mutex_);
    // An interrupt that comes before a job's first statement does nothing, so one is not enough.
    while (running_ > 0) {
      for (const auto& session : sessions_) session->db().Interrupt();
      idle_.WaitUntil(mutex_, std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
    }
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  sessions_.clear();
}

}  // namespace hypha
