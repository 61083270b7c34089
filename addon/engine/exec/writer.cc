#include "exec/writer.h"

#include <utility>

namespace hypha {
namespace {

std::unique_ptr<WriteSession> Attentive(std::unique_ptr<WriteSession> session, std::atomic<bool>* attention) {
  session->set_attention(attention);
  return session;
}

}  // namespace

Writer::Writer(std::unique_ptr<WriteSession> session, WriterOptions options)
    : options_(std::move(options)),
      hooks_(session->hooks()),
      session_(Attentive(std::move(session), &attention_)),
      wal_(std::make_unique<WalService>(session_->db(), session_->watch(), hooks_, options_.wal, options_.path,
                                        options_.gate)),
      last_work_(Now()),
      state_(TakeState()),
      thread_([this] { Loop(); }) {}

Writer::~Writer() { Join(); }

void Writer::Join() {
  if (thread_.joinable()) thread_.join();
}

// The side of the callers; writer_thread.cc is the other one, and two more are for transactions and what runs in line.

Status Writer::Admit(const Item& item) {
  if (closing_) return Status(Code::kClosed);
  if (state_.stop != Code::kOk) return Status(state_.stop);
  // The first of all has nothing to wait behind: refused, it would be again and again.
  if (queued_.operations == 0) return Status::Ok();
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
  if (WatchedWait(item) != nullptr) ++watched_;
  if (MayRunBeside(item)) ++beside_;
  queue_.push_back(std::move(item));
  if (owner_ != Owner::kThread) wake_.NotifyAll();
}

void Writer::Popped(const Item& item) {
  queued_.operations -= item.operations;
  queued_.bytes -= item.bytes;
  if (WatchedWait(item) != nullptr) --watched_;
  if (MayRunBeside(item)) --beside_;
}

void Writer::Write(WriteRequest request, WriteDone done) {
  Item item;
  item.operations = static_cast<std::int64_t>(request.ops.size());
  item.bytes = static_cast<std::int64_t>(request.Bytes());
  const SteadyTime now = Now();
  const SteadyTime deadline = now + std::chrono::milliseconds(options_.busy_timeout_ms);
  Wait wait = WaitOf(request.control);
  WriteJob job{std::move(request), {}, deadline, std::move(wait)};
  item.write = std::make_unique<QueuedWrite>(QueuedWrite{std::move(job), std::move(done), now});
  Status status;
  {
    MutexLock lock(mutex_);
    status = Admit(item);
    if (status.ok()) return Push(std::move(item));
  }
  item.write->done({status, {}});
}

void Writer::RunAlone(std::function<void(WalService&)> work, CallControl control, StatusDone fail) {
  AddAlone(std::make_unique<QueuedWork>(QueuedWork{std::move(work), std::move(fail), WaitOf(control)}));
}

void Writer::Flush(CallControl control, StatusDone done) {
  auto shared = std::make_shared<StatusDone>(std::move(done));
  const auto flush = [this, shared](WalService& wal) {
    Status status = wal.Flush();
    Publish();  // who hears of it finds it counted
    (*shared)(std::move(status));
  };
  AddAlone(std::make_unique<QueuedWork>(QueuedWork{flush, *shared, WaitOf(control), true}));
}

void Writer::AddAlone(std::unique_ptr<QueuedWork> work) {
  Item item;
  item.alone = std::move(work);
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

bool Writer::transaction_open() {
  MutexLock lock(mutex_);
  return open_ != nullptr;
}

bool Writer::stopped() {
  MutexLock lock(mutex_);
  return state_.stop != Code::kOk;
}

}  // namespace hypha
