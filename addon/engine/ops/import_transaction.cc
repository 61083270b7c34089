#include "ops/import_transaction.h"

#include <utility>

namespace hypha {
namespace {

// The work itself has no limit but the user's patience and cancellation.
constexpr std::int64_t kTimeoutMs = 7LL * 24 * 60 * 60 * 1000;

}  // namespace

ImportTransaction::ImportTransaction(Engine& engine, const void* owner, std::optional<Durability> durability,
                                     Cancellation cancelled)
    : engine_(engine), turn_(std::make_shared<Awaited<Result<TransactionId>>>()) {
  engine_.Begin(owner, TransactionControl{kTimeoutMs, durability, std::move(cancelled)},
                [turn = turn_](Result<TransactionId> id) { turn->Put(std::move(id)); });
}

void ImportTransaction::RollBack() {
  if (turn_ != nullptr) {
    turn_->Leave([&engine = engine_](const Result<TransactionId>& id) {
      if (id.ok()) engine.End(id.value(), false, [](const Status& /*status*/) {});
    });
    turn_ = nullptr;
  }
  if (id_ == 0) return;
  static_cast<void>(Wait());
  static_cast<void>(End(false));
}

// There may be no memory: a transaction that is not ended keeps the writer from everybody.
Status ImportTransaction::End(bool commit) {
  const TransactionId id = std::exchange(id_, 0);
  engine_.End(id, commit, [ended = &ended_](Status status) { ended->Put(std::move(status)); });
  return ended_.Take();
}

Status ImportTransaction::Begin() {
  auto id = std::exchange(turn_, nullptr)->Take();
  if (id.ok()) id_ = id.value();
  return id.status();
}

Result<std::string> ImportTransaction::Meta(const std::string& name) {
  auto answer = std::make_shared<Awaited<Result<ReadReply>>>();
  engine_.ReadIn(id_, MetaSpec{name}, [answer](Result<ReadReply> reply) { answer->Put(std::move(reply)); });
  auto reply = answer->Take();
  if (!reply.ok()) return reply.status();
  return std::get<std::string>(std::move(reply.value()));
}

WriteReply ImportTransaction::Write(std::vector<WriteOp> ops) {
  auto answer = std::make_shared<Awaited<WriteReply>>();
  WriteRequest request{std::move(ops), false, Durability::kOff};
  request.may_fill_log = true;  // all of a bundle or nothing, whatever its size
  engine_.WriteIn(id_, std::move(request), [answer](WriteReply reply) { answer->Put(std::move(reply)); });
  WriteReply before = Wait();
  under_way_ = std::move(answer);
  return before;
}

WriteReply ImportTransaction::Wait() {
  const auto answer = std::move(under_way_);
  return answer == nullptr ? WriteReply{} : answer->Take();
}

Status ImportTransaction::Commit() { return End(true); }

}  // namespace hypha
