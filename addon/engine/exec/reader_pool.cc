#include "exec/reader_pool.h"

#include <utility>

namespace hypha {

ReadSession::ReadSession(std::unique_ptr<Connection> db)
    : db_(std::move(db)), statements_(*db_), namespaces_(statements_), context_(statements_, namespaces_) {}

Status ReadSession::InSnapshot(SteadyTime lock_deadline, const std::function<void(ReadContext&)>& work) {
  db_->SetLockDeadline(lock_deadline);
  Status status = db_->RunCached("BEGIN");
  if (!status.ok()) return status;
  // The first look-up takes the snapshot; it also tells whether the cached namespaces still hold.
  auto started = namespaces_.OnSnapshot(kDefaultNamespace);
  if (started.ok()) work(context_);
  // Nothing was written: ending a read transaction cannot fail in a way that matters to the answer.
  static_cast<void>(db_->RunCached("COMMIT"));
  return started.status();
}

ReaderPool::ReaderPool(std::vector<std::unique_ptr<ReadSession>> sessions, std::int64_t busy_timeout_ms)
    : busy_timeout_ms_(busy_timeout_ms), sessions_(std::move(sessions)) {
  threads_.reserve(sessions_.size());
  for (const auto& session : sessions_) threads_.emplace_back([this, s = session.get()] { Loop(s); });
}

ReaderPool::~ReaderPool() { Close(); }

void ReaderPool::Run(Work work, Failed failed) {
  {
    MutexLock lock(mutex_);
    if (!closing_) {
      jobs_.push_back({std::move(work), std::move(failed)});
      wake_.NotifyOne();
      return;
    }
  }
  failed(Status(Code::kClosed));
}

void ReaderPool::Loop(ReadSession* session) {
  for (;;) {
    Job job;
    {
      MutexLock lock(mutex_);
      while (jobs_.empty() && !closing_) wake_.Wait(mutex_);
      if (closing_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
      ++running_;
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(busy_timeout_ms_);
    Status status = session->InSnapshot(deadline, job.work);
    if (!status.ok()) job.failed(std::move(status));
    MutexLock lock(mutex_);
    --running_;
    idle_.NotifyAll();
  }
}

void ReaderPool::Close() {
  std::deque<Job> waiting;
  {
    MutexLock lock(mutex_);
    closing_ = true;
    waiting.swap(jobs_);
    wake_.NotifyAll();
    // An interrupt that comes before a job's first statement does nothing, so one is not enough.
    while (running_ > 0) {
      for (const auto& session : sessions_) session->db().Interrupt();
      idle_.WaitUntil(mutex_, std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
    }
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
  sessions_.clear();
  for (auto& job : waiting) job.failed(Status(Code::kClosed));
}

}  // namespace hypha
