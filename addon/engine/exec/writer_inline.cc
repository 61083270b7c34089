// What a JavaScript thread does itself with the writer's connection, while nobody else has it.
#include <utility>

#include "exec/writer.h"
#include "hypha/caught.h"

namespace hypha {
namespace {

// More would hold the event loop.
constexpr std::size_t kInlineOperations = 8;
constexpr std::size_t kInlineBytes = 64U << 10;
constexpr std::size_t kInlineEndBytes = 1U << 20;  // written in a transaction, to be committed or taken back

bool IsShort(const WriteRequest& request) {
  return request.ops.size() <= kInlineOperations && request.Bytes() <= kInlineBytes;
}

// A change of every entry of a namespace, or an index to be made, is one operation.
bool MayBeLong(const WriteRequest& request) {
  for (const auto& op : request.ops) {
    switch (op.kind) {
      case WriteKind::kDeleteNamespace:
      case WriteKind::kClear:
      case WriteKind::kCreateIndex:
      case WriteKind::kDropIndex: return true;
      default: break;
    }
  }
  return false;
}

}  // namespace

bool Writer::MayBorrow(TransactionId id, Use use) {
  if (owner_ != Owner::kNobody || closing_ || state_.stop != Code::kOk) return false;
  if (id == 0) return queue_.empty() && !open_ && !state_.plan.full && state_.plan.need != Checkpointer::Need::kNow;
  if (!open_ || open_->id != id || open_->HasSteps() || open_->abandoned || open_->broken) return false;
  if (Now() >= open_->deadline) return false;
  if (use == Use::kStep) return true;
  if (use == Use::kCommit && open_->durability == Durability::kFull) return false;
  return open_->bytes <= kInlineEndBytes;
}

bool Writer::Borrow(TransactionId id, Use use) {
  if (!mutex_.TryLock()) return false;
  const bool may = MayBorrow(id, use);
  if (may) owner_ = Owner::kBorrower;
  mutex_.Unlock();
  return may;
}

void Writer::GiveBack(const Borrowed& seen) {
  owner_ = Owner::kNobody;
  last_work_ = Now();
  bool wake = closing_ || seen.state.plan.need != state_.plan.need || seen.state.plan.wake_at < state_.plan.wake_at;
  state_ = seen.state;
  if (open_) {
    if (!seen.in_transaction) open_->broken = true;
    wake = wake || open_->broken || open_->abandoned || open_->HasSteps();
    // The thread enforces the deadline. It may still sleep for an earlier transaction's, which is soon enough.
    wake = wake || sleeps_until_ > open_->deadline;
  } else {
    wake = wake || !queue_.empty();
  }
  if (wake) wake_.NotifyAll();
}

bool Writer::TryRunInline(WriteRequest& request, WriteReply* reply) {
  if (request.durability == Durability::kFull || !IsShort(request) || MayBeLong(request)) return false;
  if (!Borrow(0, Use::kStep)) return false;
  const SteadyTime start = Now();
  WriteJob job{std::move(request), {}, {}};
  const bool done = session_->RunInline(job);
  const Borrowed seen = LookAtSession();
  if (done && options_.metrics != nullptr) options_.metrics->inline_write.Add(Micros(Now() - start));
  {
    MutexLock lock(mutex_);
    GiveBack(seen);
  }
  if (done) {
    *reply = std::move(job.reply);
  } else {
    request = std::move(job.request);
  }
  return done;
}

bool Writer::TryBeginInline(const void* owner, Durability durability, std::int64_t timeout_ms, TransactionId* id) {
  auto opened = std::make_unique<OpenTransaction>();
  if (!Borrow(0, Use::kStep)) return false;
  const Status status = session_->Begin(durability, SteadyTime{});
  const Borrowed seen = LookAtSession();
  MutexLock lock(mutex_);
  if (status.ok()) {
    *id = opened->id = NextTransactionId();
    opened->owner = owner;
    opened->durability = durability;
    opened->deadline = After(timeout_ms);
    open_ = std::move(opened);
  }
  GiveBack(seen);
  return status.ok();
}

bool Writer::TryWriteInInline(TransactionId id, WriteRequest& request, WriteReply* reply) {
  if (!IsShort(request) || MayBeLong(request) || !Borrow(id, Use::kStep)) return false;
  const std::size_t bytes = request.Bytes();
  WriteJob job{std::move(request), {}, {}};
  session_->Apply(job);
  *reply = std::move(job.reply);
  const Borrowed seen = LookAtSession();
  MutexLock lock(mutex_);
  open_->bytes += bytes;
  GiveBack(seen);
  return true;
}

bool Writer::TryReadInInline(TransactionId id, const std::function<void(ReadContext&)>& read) {
  if (!Borrow(id, Use::kStep)) return false;
  static_cast<void>(Caught([&] {
    read(session_->reads());
    return Status::Ok();
  }));
  const Borrowed seen = LookAtSession();
  MutexLock lock(mutex_);
  GiveBack(seen);
  return true;
}

bool Writer::TryEndInline(TransactionId id, bool commit, Status* status) {
  if (!Borrow(id, commit ? Use::kCommit : Use::kRollBack)) return false;
  bool done = true;
  if (commit) {
    done = session_->CommitInline(status);
  } else {
    session_->RollBack();
    *status = Status::Ok();
  }
  const Borrowed seen = LookAtSession();
  std::unique_ptr<OpenTransaction> ended;
  {
    MutexLock lock(mutex_);
    if (done) ended = TakeTransaction();
    GiveBack(seen);
  }
  if (done) {
    for (auto& late : ended->steps) late.answer(Status(Code::kTransactionInvalid));
  }
  return done;
}

}  // namespace hypha
