// StoreHandle on the upkeep of the file: log, statistics, health.
#include <utility>

#include "convert.h"
#include "settle.h"
#include "store_handle.h"

namespace hypha::binding {

// flush(target): every commit so far is on the disk when the promise resolves.
Napi::Value StoreHandle::Flush(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  CallTarget target;
  if (!CallTargetOf(info, arguments, &target)) return {};
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    engine_->Flush(ControlOf(target),
                   Deliver<Status>(pending, [token = target.token](Napi::Env e, Pending& p, const Status& status) {
                     p.state().ForgetCancellation(token);
                     SettleStatus(e, p, status);
                   }));
  });
  return pending->promise();
}

Napi::Value StoreHandle::Recovery(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  const RecoveryReport& report = engine_->recovery();
  Napi::Object result = Napi::Object::New(env);
  result.Set("hadLog", Napi::Boolean::New(env, report.had_log));
  result.Set("recovered", Napi::Boolean::New(env, report.recovered));
  result.Set("frames", Napi::Number::New(env, static_cast<double>(report.frames)));
  result.Set("bytes", Napi::Number::New(env, static_cast<double>(report.bytes)));
  result.Set("ms", Napi::Number::New(env, static_cast<double>(report.micros) / 1000));
  return result;
}

// stats(): JSON text.
Napi::Value StoreHandle::Stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  return {env, ToJs(env, engine_->Stats())};
}

// ping(connection, timeout in milliseconds): -1 for the writer, else a reader's number.
Napi::Value StoreHandle::Ping(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  std::int64_t connection = 0;
  std::int64_t timeout_ms = 0;
  if (!arguments.Integer(info[0], &connection) || !arguments.Integer(info[1], &timeout_ms)) return {};
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending,
           [&] { engine_->Ping(static_cast<int>(connection), timeout_ms, Deliver<Status>(pending, &SettleStatus)); });
  return pending->promise();
}

// maintain(target, number of the maintenance): a promise for JSON text.
Napi::Value StoreHandle::Maintain(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  CallTarget target;
  std::int64_t what = 0;
  if (!CallTargetOf(info, arguments, &target) || !arguments.Integer(info[1], &what)) return {};
  state_->EndSnapshots();  // this thread's own would stand in the way
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    engine_->Maintain(static_cast<Maintenance>(what), ControlOf(target),
                      Deliver<Result<std::string>>(
                          pending, [token = target.token](Napi::Env e, Pending& p, Result<std::string> text) {
                            p.state().ForgetCancellation(token);
                            if (!text.ok()) return p.Reject(e, text.status());
                            p.Resolve(Napi::Value(e, ToJs(e, text.value())));
                          }));
  });
  return pending->promise();
}

}  // namespace hypha::binding
