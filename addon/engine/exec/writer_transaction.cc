// Interactive transactions of the Writer: their steps run one by one, on the writer thread unless a caller runs them in
// line (writer_inline.cc).
#include <algorithm>
#include <utility>

#include "base/mutant.h"
#include "exec/writer.h"
#include "hypha/caught.h"

namespace hypha {

// ---- Callers

void Writer::Begin(const void* owner, Durability durability, std::int64_t timeout_ms, Cancelled cancelled,
                   BeginDone done) {
  Item item;
  Wait wait{After(options_.busy_timeout_ms), std::move(cancelled)};
  item.begin =
      std::make_unique<QueuedBegin>(QueuedBegin{owner, durability, timeout_ms, std::move(wait), std::move(done)});
  Status status;
  {
    MutexLock lock(mutex_);
    status = Admit(item);
    if (status.ok()) return Push(std::move(item));
  }
  item.begin->done(status);
}

Status Writer::WhyNotIn(TransactionId id, const Step& step) {
  if (!open_ || open_->id != id) {
    if (const auto why = timed_out_.Find(id)) return StatusOf(*why);
    if (closing_) return Status(Code::kClosed);
    return Status(state_.stop != Code::kOk ? state_.stop : Code::kTransactionInvalid);
  }
  if (open_->end) return Status(Code::kTransactionInvalid);
  // The end is always taken: it makes room.
  if (step.run == nullptr) return Status::Ok();
  if (queued_.operations == 0) return Status::Ok();
  if (queued_.operations + step.operations > options_.queue_operations) {
    return {Code::kQueueFull, "the write queue holds limits.queueOperations operations"};
  }
  if (queued_.bytes + step.bytes > options_.queue_bytes) {
    return {Code::kQueueFull, "the write queue holds limits.queueBytes bytes"};
  }
  return Status::Ok();
}

void Writer::AddStep(TransactionId id, Step step) {
  Status status;
  {
    MutexLock lock(mutex_);
    status = WhyNotIn(id, step);
    if (status.ok()) {
      queued_.operations += step.operations;
      queued_.bytes += step.bytes;
      open_->bytes += static_cast<std::size_t>(step.bytes);
      if (step.run == nullptr) {
        open_->end = std::move(step);
      } else {
        open_->steps.push_back(std::move(step));
      }
      if (owner_ != Owner::kThread) wake_.NotifyAll();
      return;
    }
  }
  step.answer(std::move(status));
}

void Writer::End(TransactionId id, bool commit, StatusDone done) {
  Step step;
  step.answer = std::move(done);
  step.commit = commit;
  AddStep(id, std::move(step));
}

void Writer::WriteIn(TransactionId id, WriteRequest request, WriteDone done) {
  Step step;
  step.operations = static_cast<std::int64_t>(request.ops.size());
  step.bytes = static_cast<std::int64_t>(request.Bytes());
  step.wait = WaitOf(request.control);
  auto shared = std::make_shared<QueuedWrite>(QueuedWrite{{std::move(request), {}, {}}, std::move(done)});
  step.run = [shared](WriteSession& session) {
    session.Apply(shared->job);
    shared->done(std::move(shared->job.reply));
  };
  step.answer = [shared](Status status) { shared->done({std::move(status), {}}); };
  AddStep(id, std::move(step));
}

void Writer::RunIn(TransactionId id, std::function<void(ReadContext&)> work, Cancelled cancelled, StatusDone fail) {
  Step step;
  step.run = [work = std::move(work)](WriteSession& session) { work(session.reads()); };
  step.answer = std::move(fail);
  step.wait.cancelled = std::move(cancelled);
  AddStep(id, std::move(step));
}

void Writer::Abandon(const void* owner) {
  attention_.store(true);
  MutexLock lock(mutex_);
  if (open_ && open_->owner == owner) open_->abandoned = true;
  if (beginning_ != nullptr && beginning_->owner == owner) beginning_->abandoned = true;
  for (auto& item : queue_) {
    if (item.begin != nullptr && item.begin->owner == owner) item.begin->abandoned = true;
  }
  wake_.NotifyAll();
}

// ---- The writer thread

Status Writer::WhyNotBegun(const QueuedBegin& begin) {
  if (closing_ || begin.abandoned) return Status(Code::kClosed);
  Status why = begin.wait.Why(Now(), Code::kBusy);
  if (why.code() != Code::kBusy) return why;
  return {Code::kBusy, "the writer was not free within busyTimeout"};
}

Status Writer::BeginSession(const QueuedBegin& begin) {
  for (;;) {
    Status status = WhyNotBegun(begin);
    if (!status.ok()) return status;
    attention_.store(false);
    Own([&] {
      if (!session_->stopped()) status = wal_->MayWrite();
      if (status.ok()) status = session_->Begin(begin.durability, begin.wait.until);
    });
    if (status.code() != Code::kBusy || !attention_.load()) return status;
  }
}

void Writer::RunBegin(std::unique_ptr<QueuedBegin> begin) {
  std::unique_ptr<OpenTransaction> opened;
  beginning_ = begin.get();
  Status status = Caught([&] {
    opened = std::make_unique<OpenTransaction>();
    return Status::Ok();
  });
  if (status.ok()) status = BeginSession(*begin);
  beginning_ = nullptr;
  TransactionId id = 0;
  if (status.ok()) {
    id = NextTransactionId();
    opened->id = id;
    opened->owner = begin->owner;
    opened->durability = begin->durability;
    opened->deadline = After(begin->timeout_ms);
    opened->abandoned = begin->abandoned;
    open_ = std::move(opened);
  }
  Own([&] { status.ok() ? begin->done(id) : begin->done(status); });
}

void Writer::RunTransaction() {
  if (closing_ || open_->abandoned) return EndTransaction(Status(Code::kClosed));
  if (open_->broken)
    return EndTransaction(Status(Code::kTransactionInvalid, "the transaction was rolled back by an error"));
  if (Now() >= open_->deadline) {
    timed_out_.Add(open_->id, EndedBy::kDeadline);
    return EndTransaction(StatusOf(EndedBy::kDeadline));
  }
  if (!open_->steps.empty()) {
    Step step = std::move(open_->steps.front());
    open_->steps.pop_front();
    queued_.operations -= step.operations;
    queued_.bytes -= step.bytes;
    return RunStep(std::move(step));
  }
  if (open_->end) return RunEnd(std::move(*std::exchange(open_->end, std::nullopt)));
  // Having run callbacks with the mutex free, look again at everything before waiting.
  if (!RunWorkBesideTransaction() && !DropUnwanted()) WaitForWork();
}

void Writer::RunStep(Step step) {
  const Status why = step.wait.Why(Now(), Code::kTimeout);
  bool in_transaction = true;
  Own([&] {
    why.ok() ? step.run(*session_) : step.answer(why);
    session_->Reach("transaction-step");
    in_transaction = session_->in_transaction();
  });
  // An I/O error inside may have made SQLite drop the transaction.
  if (!in_transaction && !Mutated(Mutant::kTransactionEndUnheeded)) open_->broken = true;
}

void Writer::RunEnd(Step end) {
  Status status;
  queued_.operations -= end.operations;
  const std::unique_ptr<OpenTransaction> ended = TakeTransaction();
  Own([&] {
    if (end.commit) {
      status = session_->Commit();
    } else {
      session_->RollBack();
    }
    Publish();
    end.answer(status);
  });
}

std::unique_ptr<Writer::OpenTransaction> Writer::TakeTransaction() {
  for (const auto& step : open_->steps) {
    queued_.operations -= step.operations;
    queued_.bytes -= step.bytes;
  }
  if (open_->end) queued_.operations -= open_->end->operations;
  return std::move(open_);
}

void Writer::EndTransaction(const Status& for_the_rest) {
  const std::unique_ptr<OpenTransaction> ended = TakeTransaction();
  Own([&] {
    session_->RollBack();
    for (auto& step : ended->steps) step.answer(for_the_rest);
    if (ended->end) ended->end->answer(for_the_rest);
  });
}

}  // namespace hypha
