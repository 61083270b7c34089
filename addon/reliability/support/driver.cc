#include "support/driver.h"

#include <utility>

#include "support/answer.h"

namespace hypha::reliability {
namespace {

constexpr std::int64_t kTransactionTimeoutMs = 20'000;

Outcome Failure(const Status& status) {
  return {status.code() == Code::kIndeterminate ? Told::kUnknown : Told::kFailed, status.code()};
}

// A request of one operation failed if that did; of several that stand alone, the request as a whole was done.
Outcome OutcomeOf(const WriteReply& reply) {
  if (!reply.status.ok()) return Failure(reply.status);
  if (reply.outcomes.size() == 1 && !reply.outcomes[0].status.ok()) return Failure(reply.outcomes[0].status);
  for (const auto& outcome : reply.outcomes) {
    // The one operation that is meant to fail fails with kConflict, any other must not.
    const Code code = outcome.status.code();
    if (code != Code::kOk && code != Code::kConflict) return {Told::kUnknown, code};
  }
  return {Told::kAcked, Code::kOk};
}

// A client that goes on after an error: what it still writes belongs to the transaction, and ends with it.
Status WriteAllIn(Engine& engine, TransactionId id, const Unit& unit) {
  Status first;
  for (const auto& op : unit.ops) {
    const Answer<WriteReply> answer;
    engine.WriteIn(id, {{op}, false, Durability::kFull}, answer);
    const WriteReply reply = answer.Get();
    const Status& status = reply.status.ok() ? reply.outcomes.at(0).status : reply.status;
    if (first.ok() && !status.ok()) first = status;
  }
  return first;
}

Outcome RunTransaction(Engine& engine, const Unit& unit) {
  static const int owner = 0;
  const Answer<Result<TransactionId>> begun;
  engine.Begin(&owner, kTransactionTimeoutMs, begun);
  auto id = begun.Get();
  if (!id.ok()) return Failure(id.status());
  const Status written = WriteAllIn(engine, id.value(), unit);
  const bool commits = written.ok() && !unit.rolls_back;
  const Answer<Status> ended;
  engine.End(id.value(), commits, ended);
  const Status end = ended.Get();
  if (!written.ok()) return {Told::kFailed, written.code()};
  if (!commits) return {Told::kFailed, end.code()};
  return end.ok() ? Outcome{Told::kAcked, Code::kOk} : Failure(end);
}

}  // namespace

void Start(Engine& engine, const Unit& unit, Durability durability, std::function<void(Outcome)> done) {
  if (unit.shape == Unit::Shape::kTransaction) return done(RunTransaction(engine, unit));
  engine.Write({unit.ops, unit.atomic, durability},
               [done = std::move(done)](const WriteReply& reply) { done(OutcomeOf(reply)); });
}

Outcome Run(Engine& engine, const Unit& unit, Durability durability) {
  const Answer<Outcome> answer;
  Start(engine, unit, durability, answer);
  return answer.Get();
}

Result<ReadReply> Read(Engine& engine, ReadRequest request) {
  const Answer<Result<ReadReply>> answer;
  engine.Read(std::move(request), answer);
  return answer.Get();
}

Status Maintain(Engine& engine, Maintenance what) {
  const Answer<Result<std::string>> answer;
  engine.Maintain(what, {}, answer);
  return answer.Get().status();
}

}  // namespace hypha::reliability
