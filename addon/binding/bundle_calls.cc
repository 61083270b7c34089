// Bundles: calls that run for long, each on a thread of its own.
#include "bundle_calls.h"

#include <utility>

#include "convert.h"
#include "guard.h"
#include "hypha/bundle.h"
#include "promise.h"
#include "store_handle.h"

namespace hypha::binding {
namespace {

Napi::Object ProblemRecord(Napi::Env env, const BundleProblem& problem) {
  Napi::Object record = ErrorRecord(env, problem.status).As<Napi::Object>();
  if (!problem.part.empty()) record.Set("part", Napi::Value(env, ToJs(env, problem.part)));
  if (problem.line > 0) record.Set("line", Napi::Number::New(env, static_cast<double>(problem.line)));
  return record;
}

using Number = std::pair<const char*, std::int64_t>;

Napi::Object Numbers(Napi::Env env, std::initializer_list<Number> numbers) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, number] : numbers) object.Set(name, Napi::Number::New(env, static_cast<double>(number)));
  return object;
}

Napi::Object SummaryToJs(Napi::Env env, const BundleSummary& summary) {
  return Numbers(env, {{"createdAt", summary.created_at},
                       {"parts", summary.parts},
                       {"lines", summary.lines},
                       {"bytes", summary.bytes},
                       {"entries", summary.entries},
                       {"namespaces", summary.namespaces},
                       {"indexes", summary.indexes},
                       {"deletions", summary.deletions}});
}

Napi::Object ImportToJs(Napi::Env env, const ImportSummary& summary) {
  Napi::Object object = Numbers(env, {{"inserted", summary.inserted},
                                      {"updated", summary.updated},
                                      {"skipped", summary.skipped},
                                      {"deleted", summary.deleted},
                                      {"namespaces", summary.namespaces},
                                      {"indexes", summary.indexes}});
  object.Set("versionsKept", Napi::Boolean::New(env, summary.versions_kept));
  object.Set("alreadyLoaded", Napi::Boolean::New(env, summary.already_loaded));
  return object;
}

Napi::Object ReportToJs(Napi::Env env, const BundleReport& report) {
  Napi::Object object = SummaryToJs(env, report.summary);
  Napi::Array problems = Napi::Array::New(env, report.problems.size());
  std::uint32_t index = 0;
  for (const auto& problem : report.problems) problems.Set(index++, ProblemRecord(env, problem));
  object.Set("problems", problems);
  return object;
}

// What the thread leaves for the JavaScript thread.
template <class Summary>
struct Outcome {
  BundleProblem problem{Status(Code::kNoMem), "", 0};
  Summary summary;
};

// Runs `work(outcome)` on a thread of its own; a promise for what `convert` makes of the summary. `token` is no longer
// one of a call after that.
template <class Summary, class Work>
Napi::Value StartOnThread(Napi::Env env, const std::shared_ptr<EnvState>& state, std::int64_t token, Work work,
                          Napi::Object (*convert)(Napi::Env, const Summary&)) {
  auto pending = std::make_shared<Pending>(env, state);
  OrReject(env, *pending, [&] {
    auto outcome = std::make_shared<Outcome<Summary>>();
    auto after = MakeSettling(pending, [outcome, token, convert](Napi::Env e, Pending& p) {
      p.state().ForgetCancellation(token);
      if (outcome->problem.status.ok()) return p.Resolve(convert(e, outcome->summary));
      p.Reject(ProblemRecord(e, outcome->problem));
    });
    state->RunBlocking([work = std::move(work), outcome] { work(*outcome); }, std::move(after));
  });
  return pending->promise();
}

}  // namespace

// exportBundle(token, path, as one file, overwrite, rows of a part, namespaces)
Napi::Value StoreHandle::ExportBundle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  std::int64_t token = 0;
  ExportSpec spec;
  bool is_file = false;
  if (!arguments.Integer(info[0], &token) || !arguments.Text(info[1], &spec.path) ||
      !arguments.Boolean(info[2], &is_file) || !arguments.Boolean(info[3], &spec.overwrite) ||
      !arguments.Integer(info[4], &spec.part_rows) || !arguments.Texts(info[5], &spec.namespaces)) {
    return {};
  }
  spec.form = is_file ? BundleForm::kFile : BundleForm::kDirectory;
  return StartOnThread<BundleSummary>(
      env, state_, token,
      [engine = engine_, spec, cancelled = state_->NewCancellation(token)](Outcome<BundleSummary>& outcome) {
        outcome.problem = hypha::ExportBundle(*engine, spec, cancelled, &outcome.summary);
      },
      &SummaryToJs);
}

// importBundle(token, path, on conflict, dry run, once, durability)
Napi::Value StoreHandle::ImportBundle(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  std::int64_t token = 0;
  std::int64_t on_conflict = 0;
  std::int64_t durability = 0;
  ImportSpec spec;
  if (!arguments.Integer(info[0], &token) || !arguments.Text(info[1], &spec.path) ||
      !arguments.Integer(info[2], &on_conflict) || !arguments.Boolean(info[3], &spec.dry_run) ||
      !arguments.Boolean(info[4], &spec.once) || !arguments.Integer(info[5], &durability)) {
    return {};
  }
  spec.on_conflict = static_cast<OnConflict>(on_conflict);
  const Cancellation cancelled = state_->NewCancellation(token);
  auto place = hypha::QueueImport(*engine_, this, static_cast<Durability>(durability), cancelled);
  return StartOnThread<ImportSummary>(
      env, state_, token,
      [engine = engine_, place, spec, cancelled](Outcome<ImportSummary>& outcome) {
        outcome.problem = hypha::ImportBundle(*engine, *place, spec, cancelled, &outcome.summary);
      },
      &ImportToJs);
}

Napi::Value VerifyBundleCall(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Reader arguments(env);
  std::int64_t token = 0;
  std::string path;
  if (!arguments.Integer(info[0], &token) || !arguments.Text(info[1], &path)) return {};
  const auto state = EnvState::Of(env);
  return StartOnThread<BundleReport>(
      env, state, token,
      [path, cancelled = state->NewCancellation(token)](Outcome<BundleReport>& outcome) {
        outcome.summary = hypha::VerifyBundle(path, cancelled);
        outcome.problem = outcome.summary.opened;
      },
      &ReportToJs);
}

}  // namespace hypha::binding
