#include "copies.h"

#include <functional>
#include <string>
#include <utility>

#include "convert.h"
#include "promise.h"

namespace hypha::binding {
namespace {

Napi::Value ReportToJs(Napi::Env env, const BackupReport& report, const hypha::Progress& progress) {
  const auto number = [env](std::int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); };
  Napi::Object object = Napi::Object::New(env);
  object.Set("path", Napi::Value(env, ToJs(env, report.path)));
  object.Set("bytes", number(report.bytes));
  object.Set("entries", number(report.entries));
  object.Set("namespaces", number(report.namespaces));
  object.Set("createdAt", number(report.created_at));
  object.Set("contentHash", Napi::Value(env, ToJs(env, report.content_hash)));
  object.Set("totalPages", number(progress.total.load()));
  return object;
}

// Runs `work` on a thread of its own, to be cancelled and asked about by the token; `to_js` makes its result's value.
template <class T, class ToJs>
Napi::Value Run(Napi::Env env, const std::shared_ptr<EnvState>& state, std::int64_t token,
                std::function<Result<T>(const CopyControl&)> work, ToJs to_js) {
  auto pending = std::make_shared<Pending>(env, state);
  OrReject(env, *pending, [&] {
    CopyControl control;
    control.cancelled = state->NewCancellation(token);
    const auto progress = state->NewProgress(token);
    control.progress = [progress](std::int64_t done, std::int64_t total) {
      progress->total.store(total);
      progress->done.store(done);
    };
    auto result = std::make_shared<Result<T>>(Status(Code::kNoMem));
    auto after = MakeSettling(pending, [token, result, progress, to_js](Napi::Env e, Pending& p) {
      p.state().ForgetCancellation(token);
      p.state().ForgetProgress(token);
      if (!result->ok()) return p.Reject(e, result->status());
      p.Resolve(to_js(e, result->value(), *progress));
    });
    state->RunBlocking([control = std::move(control), work = std::move(work), result] { *result = work(control); },
                       std::move(after));
  });
  return pending->promise();
}

}  // namespace

Napi::Value Backup(const Napi::CallbackInfo& info, const std::shared_ptr<EnvState>& state,
                   const std::shared_ptr<Engine>& engine) {
  Reader reader(info.Env());
  BackupSpec spec;
  std::int64_t token = 0;
  if (!reader.Text(info[0], &spec.path) || !reader.Boolean(info[1], &spec.replace) ||
      !reader.Integer(info[2], &token)) {
    return {};
  }
  const auto work = [engine, spec](const CopyControl& control) {
    BackupSpec controlled = spec;
    controlled.control = control;
    return engine->Backup(controlled);
  };
  return Run<BackupReport>(info.Env(), state, token, work, &ReportToJs);
}

Napi::Value Restore(const Napi::CallbackInfo& info) {
  Reader reader(info.Env());
  std::string from;
  std::string to;
  std::int64_t token = 0;
  if (!reader.Text(info[0], &from) || !reader.Text(info[1], &to) || !reader.Integer(info[2], &token)) return {};
  const auto work = [from, to](const CopyControl& control) { return RestoreStore(from, to, control); };
  return Run<BackupReport>(info.Env(), EnvState::Of(info.Env()), token, work, &ReportToJs);
}

Napi::Value Verify(const Napi::CallbackInfo& info, const std::shared_ptr<EnvState>& state,
                   const std::shared_ptr<Engine>& engine) {
  Reader reader(info.Env());
  bool full = true;
  std::int64_t token = 0;
  if (!reader.Boolean(info[0], &full) || !reader.Integer(info[1], &token)) return {};
  const auto work = [engine, full](const CopyControl& control) { return engine->Verify(full, control); };
  return Run<std::string>(info.Env(), state, token, work,
                          [](Napi::Env env, const std::string& json, const hypha::Progress& /*progress*/) {
                            return Napi::Value(env, ToJs(env, json));
                          });
}

Napi::Value ProgressOf(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader reader(env);
  std::int64_t token = 0;
  if (!reader.Integer(info[0], &token)) return {};
  const hypha::Progress* progress = EnvState::Of(env)->ProgressOf(token);
  if (progress == nullptr) return env.Undefined();
  Napi::Array pair = Napi::Array::New(env, 2);
  pair.Set(0U, Napi::Number::New(env, static_cast<double>(progress->done.load())));
  pair.Set(1U, Napi::Number::New(env, static_cast<double>(progress->total.load())));
  return pair;
}

Napi::Value Cancel(const Napi::CallbackInfo& info) {
  Reader reader(info.Env());
  std::int64_t token = 0;
  if (reader.Integer(info[0], &token)) EnvState::Of(info.Env())->Cancel(token);
  return info.Env().Undefined();
}

}  // namespace hypha::binding
