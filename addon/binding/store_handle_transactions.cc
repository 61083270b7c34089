// StoreHandle on transactions and snapshots.
#include <optional>
#include <string>
#include <utility>

#include "convert.h"
#include "settle.h"
#include "store_handle.h"

namespace hypha::binding {
namespace {

struct Place {
  std::string name;
  std::int64_t ticket = 0;
};

// The arguments (name, ticket); nothing when they are not, and then an error is thrown.
std::optional<Place> ReadPlace(const Napi::CallbackInfo& info) {
  Reader arguments(info.Env());
  Place place;
  if (!arguments.Text(info[0], &place.name) || !arguments.Integer(info[1], &place.ticket)) return std::nullopt;
  return place;
}

}  // namespace

// entryInline(transaction, namespace, key): the entry as read() has it, at once, or kElsewhere.
Napi::Value StoreHandle::EntryInline(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  std::int64_t transaction = 0;
  GetEntrySpec spec;
  if (!arguments.Integer(info[0], &transaction) || !arguments.Text(info[1], &spec.ns) ||
      !arguments.Text(info[2], &spec.key)) {
    return {};
  }
  Result<std::optional<Entry>> entry(std::optional<Entry>{});
  if (!engine_->TryReadInInline(static_cast<TransactionId>(transaction), spec, &entry)) {
    return Napi::Number::New(env, kElsewhere);
  }
  if (!entry.ok()) {
    napi_throw(env, ErrorRecord(env, entry.status()));
    return {};
  }
  return entry.value() ? EntryToJs(env, *entry.value()) : env.Undefined();
}

// begin(timeout in milliseconds, durability, token or 0, inline)
Napi::Value StoreHandle::Begin(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  TransactionControl how;
  std::int64_t durability = 0;
  std::int64_t token = 0;
  bool may_run_inline = false;
  if (!arguments.Integer(info[0], &how.timeout_ms) || !arguments.Integer(info[1], &durability) ||
      !arguments.Integer(info[2], &token) || !arguments.Boolean(info[3], &may_run_inline)) {
    return {};
  }
  how.durability = static_cast<Durability>(durability);
  TransactionId id = 0;
  if (may_run_inline && engine_->TryBeginInline(this, how, &id)) {
    return Napi::Number::New(env, static_cast<double>(id));
  }
  if (token != 0) how.cancelled = state_->NewCancellation(token);
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    engine_->Begin(
        this, std::move(how),
        Deliver<Result<TransactionId>>(pending, [token](Napi::Env e, Pending& p, const Result<TransactionId>& begun) {
          p.state().ForgetCancellation(token);
          SettleBegin(e, p, begun);
        }));
  });
  return pending->promise();
}

// beginSnapshot(timeout in milliseconds, or 0)
Napi::Value StoreHandle::BeginSnapshot(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  std::int64_t timeout_ms = 0;
  if (!arguments.Integer(info[0], &timeout_ms)) return {};
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending,
           [&] { engine_->BeginSnapshot(this, timeout_ms, Deliver<Result<TransactionId>>(pending, &SettleBegin)); });
  return pending->promise();
}

// end(transaction, commit, inline): undefined once it is done, or a promise
Napi::Value StoreHandle::End(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  std::int64_t transaction = 0;
  bool commit = false;
  bool may_run_inline = false;
  if (!arguments.Integer(info[0], &transaction) || !arguments.Boolean(info[1], &commit) ||
      !arguments.Boolean(info[2], &may_run_inline)) {
    return {};
  }
  const auto id = static_cast<TransactionId>(transaction);
  Status status;
  if (may_run_inline && engine_->TryEndInline(id, commit, &status)) {
    state_->EndSnapshots();
    return status.ok() ? env.Undefined() : Rejected(env, status);
  }
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] { engine_->End(id, commit, Deliver<Status>(pending, &SettleStatus)); });
  return pending->promise();
}

// enterLine(name, ticket): undefined when it is this store's turn, else a promise of it
Napi::Value StoreHandle::EnterLine(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  const auto place = ReadPlace(info);
  if (!place) return {};
  auto pending = std::make_shared<Pending>(env, state_);
  if (engine_->EnterLine(this, place->ticket, place->name, Deliver<Status>(pending, &SettleStatus))) {
    pending->Resolve(env.Undefined());
    return env.Undefined();
  }
  return pending->promise();
}

// leaveLine(name, ticket)
Napi::Value StoreHandle::LeaveLine(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  const auto place = ReadPlace(info);
  if (!place) return {};
  engine_->LeaveLine(this, place->ticket, place->name);
  return env.Undefined();
}

}  // namespace hypha::binding
