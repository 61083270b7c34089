#include "settle.h"

#include <utility>

namespace hypha::binding {

Napi::Value Rejected(Napi::Env env, const Status& status) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) return {};  // the environment is being terminated
  napi_reject_deferred(env, deferred, ErrorRecord(env, status));
  return {env, promise};
}

Napi::Value ReplyValue(Napi::Env env, const WriteReply& reply, Durability asked) {
  const bool as_asked = reply.durability <= asked;
  if (as_asked && reply.outcomes.size() == 1 && reply.outcomes[0].status.ok()) {
    return Napi::Number::New(env, NumberOf(reply.outcomes[0]));
  }
  const Napi::Value outcomes = OutcomesToJs(env, reply.outcomes);
  if (as_asked || outcomes.IsEmpty()) return outcomes;
  outcomes.As<Napi::Object>().Set(2U, Napi::Number::New(env, static_cast<int>(reply.durability)));
  return outcomes;
}

void SettleWrite(Napi::Env env, Pending& pending, const WriteReply& reply, Durability asked) {
  if (!reply.status.ok()) return pending.Reject(env, reply.status);
  pending.Resolve(ReplyValue(env, reply, asked));
}

void SettleRead(Napi::Env env, Pending& pending, Result<ReadReply> reply) {
  if (!reply.ok()) return pending.Reject(env, reply.status());
  pending.Resolve(ReplyToJs(env, std::move(reply.value())));
}

void SettleStatus(Napi::Env env, Pending& pending, const Status& status) {
  if (!status.ok()) return pending.Reject(env, status);
  pending.Resolve(env.Undefined());
}

void SettleBegin(Napi::Env env, Pending& pending, const Result<TransactionId>& id) {
  if (!id.ok()) return pending.Reject(env, id.status());
  pending.Resolve(Napi::Number::New(env, static_cast<double>(id.value())));
}

Napi::Value CloseReportToJs(Napi::Env env, const CloseReport& report) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("last", Napi::Boolean::New(env, report.last));
  result.Set("busy", Napi::Boolean::New(env, report.busy));
  result.Set("stopped", Napi::Boolean::New(env, report.stopped));
  result.Set("frames", Napi::Number::New(env, static_cast<double>(report.frames)));
  return result;
}

}  // namespace hypha::binding
