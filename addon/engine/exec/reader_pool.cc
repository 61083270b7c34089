#include "exec/reader_pool.h"

#include <utility>

#include "exec/partnership.h"
#include "hypha/caught.h"

namespace hypha {
namespace {

bool SameCommits(const WalState& a, const WalState& b) {
  return a.max_frame == b.max_frame && a.change_counter == b.change_counter && a.salt[0] == b.salt[0] &&
         a.salt[1] == b.salt[1];
}

}  // namespace

ReadSession::ReadSession(std::unique_ptr<Connection> db)
    : db_(std::move(db)), statements_(*db_), namespaces_(statements_), context_(statements_, namespaces_) {
  context_.entries().set_list_cache(&lists_);
}

Status ReadSession::BeginSnapshot(SteadyTime lock_deadline) {
  db_->SetLockDeadline(lock_deadline);
  const auto before = ReadWalState(db_->handle());
  // Left open where there was no memory even for the rollback.
  if (!db_->RollBack()) return Status(Code::kNoMem);
  Status status = db_->RunCached("BEGIN");
  if (!status.ok()) return status;
  // The first look-up takes the snapshot; it also tells whether the cached namespaces still hold.
  auto started = Caught([&] { return namespaces_.OnSnapshot(kDefaultNamespace); });
  const auto after = ReadWalState(db_->handle());
  snapshot_ = before && after && SameCommits(*before, *after) ? after : std::nullopt;
  if (!started.ok()) EndSnapshot();
  return started.status();
}

// Nothing was written: it cannot fail in a way that matters to an answer.
void ReadSession::EndSnapshot() {
  if (Caught([&] { return db_->RunCached("COMMIT"); }).ok()) return;
  static_cast<void>(db_->RollBack());
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

ReaderPool::ReaderPool(std::vector<std::unique_ptr<ReadSession>> sessions, std::int64_t busy_timeout_ms)
    : busy_timeout_ms_(busy_timeout_ms), sessions_(std::move(sessions)) {
  try {
    threads_.reserve(sessions_.size());
    for (const auto& session : sessions_) threads_.emplace_back([this, s = session.get()] { Loop(s); });
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

void ReaderPool::Loop(ReadSession* session) {
  for (;;) {
    Job job;
    {
      MutexLock lock(mutex_);
      ++waiting_;
      while (jobs_.empty() && !closing_) wake_.Wait(mutex_);
      --waiting_;
      if (closing_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      ++running_;
    }
    try {
      job.run(*session);
    } catch (...) {
      // It did not come to an answer: what answers does not throw.
      job.failed(Status(Code::kNoMem));
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
      if (jobs_.empty()) break;
      job = std::move(jobs_.front());
      jobs_.pop_front();
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
