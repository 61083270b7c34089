#include "ops/import_transaction.h"

#include <utility>

#include "hypha/caught.h"

namespace hypha {
namespace {

// The work itself has no limit but the user's patience and cancellation.
constexpr std::int64_t kTimeoutMs = 7LL * 24 * 60 * 60 * 1000;

}  // namespace

ImportTransaction::~ImportTransaction() {
  if (id_ == 0) return;
  static_cast<void>(Caught([&] {
    static_cast<void>(Wait());
    auto answer = std::make_shared<Awaited<Status>>();
    engine_.End(id_, false, [answer](Status status) { answer->Put(std::move(status)); });
    return answer->Take();
  }));
}

Status ImportTransaction::Begin() {
  auto answer = std::make_shared<Awaited<Result<TransactionId>>>();
  engine_.Begin(owner_, kTimeoutMs, [answer](Result<TransactionId> id) { answer->Put(std::move(id)); });
  auto id = answer->Take();
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
  engine_.WriteIn(id_, {std::move(ops), false, Durability::kOff},
                  [answer](WriteReply reply) { answer->Put(std::move(reply)); });
  WriteReply before = Wait();
  under_way_ = std::move(answer);
  return before;
}

WriteReply ImportTransaction::Wait() {
  const auto answer = std::move(under_way_);
  return answer == nullptr ? WriteReply{} : answer->Take();
}

Status ImportTransaction::Commit() {
  auto answer = std::make_shared<Awaited<Status>>();
  engine_.End(std::exchange(id_, 0), true, [answer](Status status) { answer->Put(std::move(status)); });
  return answer->Take();
}

}  // namespace hypha
