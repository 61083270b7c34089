// The public functions of hypha/bundle.h: they join the engines of this process with the reading and writing of
// bundles.
#include <utility>

#include "exec/engine_impl.h"
#include "exec/registry.h"
#include "hypha/bundle.h"
#include "hypha/caught.h"
#include "ops/bundle_export.h"
#include "ops/bundle_import.h"
#include "ops/bundle_reader.h"
#include "ops/import_transaction.h"

namespace hypha {
namespace {

// What `work` gives, or why it could not end.
template <class Work>
BundleProblem CaughtProblem(Work work) {
  BundleProblem problem;
  Status status = Caught([&] {
    problem = work();
    return Status::Ok();
  });
  if (!status.ok()) problem.status = std::move(status);
  return problem;
}

Status CheckPath(const std::string& path) {
  if (path.empty()) return {Code::kInvalidArgument, "the path of a bundle must be a non-empty string"};
  if (path.find('\0') != std::string::npos) return {Code::kInvalidArgument, "the path of a bundle holds a NUL byte"};
  return Status::Ok();
}

Status Export(EngineImpl& engine, const ExportSpec& spec, const Cancellation& cancelled, BundleSummary* summary) {
  Status status = CheckPath(spec.path);
  if (!status.ok()) return status;
  auto writer = BundleWriter::Create(spec, engine.hooks(), &IsOpenDatabase);
  if (!writer.ok()) return writer.status();
  status =
      engine.WithSnapshot([&](Connection& db) { return ExportRows(db, spec, cancelled, *writer.value(), summary); });
  if (status.ok() && cancelled != nullptr && cancelled->load()) status = Status(Code::kAborted);
  if (status.ok()) status = writer.value()->Finish();
  summary->created_at = writer.value()->created_at();
  summary->parts = writer.value()->parts();
  return status;
}

BundleReport Verify(const std::string& path, const Cancellation& cancelled) {
  BundleReport report;
  std::unique_ptr<BundleReader> reader;
  report.opened.status = CheckPath(path);
  if (report.opened.status.ok()) report.opened = BundleReader::Open(path, &IsOpenDatabase, &reader);
  while (report.opened.status.ok() && report.problems.size() < kMaxBundleProblems) {
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) {
      report.opened.status = Status(Code::kAborted);
      break;
    }
    const auto step = reader->Next();
    if (step == BundleReader::Step::kEnd) break;
    if (step == BundleReader::Step::kProblem) report.problems.push_back(reader->problem());
  }
  if (report.opened.status.ok()) report.summary = reader->summary();
  return report;
}

}  // namespace

BundleProblem ExportBundle(Engine& engine, const ExportSpec& spec, const Cancellation& cancelled,
                           BundleSummary* summary) {
  return CaughtProblem([&] {
    return BundleProblem{Export(static_cast<EngineImpl&>(engine), spec, cancelled, summary), "", 0};
  });
}

std::shared_ptr<ImportTransaction> QueueImport(Engine& engine, const void* owner, std::optional<Durability> durability,
                                               Cancellation cancelled) {
  return std::make_shared<ImportTransaction>(engine, owner, durability, std::move(cancelled));
}

BundleProblem ImportBundle(Engine& engine, ImportTransaction& transaction, const ImportSpec& spec,
                           const Cancellation& cancelled, ImportSummary* summary) {
  return CaughtProblem([&] {
    Status status = CheckPath(spec.path);
    if (!status.ok()) return BundleProblem{std::move(status), "", 0};
    BundleProblem problem = ImportLines(engine, transaction, spec, static_cast<EngineImpl&>(engine).hooks(),
                                        &IsOpenDatabase, cancelled, summary);
    // Nobody but Abandon() takes its transaction away from an import.
    if (problem.status.code() == Code::kTransactionInvalid) problem.status = Status(Code::kClosed);
    return problem;
  });
}

BundleReport VerifyBundle(const std::string& path, const Cancellation& cancelled) {
  BundleReport report;
  Status status = Caught([&] {
    report = Verify(path, cancelled);
    return Status::Ok();
  });
  if (!status.ok()) report.opened.status = std::move(status);
  return report;
}

}  // namespace hypha
