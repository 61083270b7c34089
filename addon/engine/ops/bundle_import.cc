#include "ops/bundle_import.h"

#include <charconv>
#include <utility>

#include "base/json_writer.h"
#include "ops/bundle_reader.h"
#include "ops/import_transaction.h"

namespace hypha {
namespace {

using bundle::Line;
using bundle::LineType;
using Step = BundleReader::Step;

constexpr std::size_t kBatchOperations = 500;
constexpr std::size_t kBatchBytes = 1U << 20;

bool IsCancelled(const Cancellation& cancelled) {
  return cancelled != nullptr && cancelled->load(std::memory_order_relaxed);
}

Status TooLarge(const char* what, const char* limit, std::int64_t bytes) {
  return {Code::kTooLarge,
          std::string(what) + " is larger than limits." + limit + " (" + std::to_string(bytes) + " bytes)"};
}

Status CheckLimits(const Line& line, const Limits& limits) {
  const auto longer = [](std::string_view text, std::int64_t limit) {
    return static_cast<std::int64_t>(text.size()) > limit;
  };
  if (longer(line.ns, limits.namespace_bytes)) return TooLarge("namespace", "namespaceBytes", limits.namespace_bytes);
  if (longer(line.key, limits.key_bytes)) return TooLarge("key", "keyBytes", limits.key_bytes);
  if (longer(line.value, limits.value_bytes)) return TooLarge("value", "valueBytes", limits.value_bytes);
  if (line.metadata && longer(*line.metadata, limits.metadata_bytes)) {
    return TooLarge("metadata", "metadataBytes", limits.metadata_bytes);
  }
  return Status::Ok();
}

// Reads everything once, before anything is changed.
BundleProblem ReadThrough(BundleReader& reader, const Limits& limits, const Cancellation& cancelled) {
  for (;;) {
    if (IsCancelled(cancelled)) return {Status(Code::kAborted), "", 0};
    const Step step = reader.Next();
    if (step == Step::kEnd) return {};
    if (step == Step::kProblem) return reader.problem();
    Status status = CheckLimits(reader.line(), limits);
    if (!status.ok()) return {std::move(status), reader.part(), reader.line_number()};
  }
}

class Importer {
 public:
  Importer(Engine& engine, ImportTransaction& transaction, const ImportSpec& spec, ImportSummary* summary)
      : spec_(spec), limits_(engine.options().limits), summary_(summary), transaction_(transaction) {}
  ~Importer() { transaction_.RollBack(); }
  Importer(const Importer&) = delete;
  Importer& operator=(const Importer&) = delete;

  BundleProblem Run(const Hooks& hooks, const IsDatabase& is_database, const Cancellation& cancelled) {
    BundleProblem problem = Begin();
    if (!problem.status.ok() || summary_->already_loaded) return problem;
    std::unique_ptr<BundleReader> reader;
    problem = BundleReader::Open(spec_.path, is_database, &reader);
    if (problem.status.ok()) problem = ReadThrough(*reader, limits_, cancelled);
    if (!problem.status.ok()) return problem;
    hooks.Reach("import-read-through");
    const BundleSummary expected = reader->summary();
    problem = BundleReader::Open(spec_.path, is_database, &reader);
    if (problem.status.ok()) problem = Prepare(expected);
    if (problem.status.ok()) problem = WriteLines(*reader, expected, cancelled);
    if (problem.status.ok()) problem = WriteIndexes();
    if (problem.status.ok()) problem = Judge(transaction_.Wait(), written_);
    if (problem.status.ok() && IsCancelled(cancelled)) problem.status = Status(Code::kAborted);
    if (!problem.status.ok() || spec_.dry_run) return problem;
    hooks.Reach("import-before-commit");
    problem.status = transaction_.Commit();
    return problem;
  }

 private:
  struct Origin {
    LineType type;
    std::string part;
    std::int64_t line;
  };
  struct Batch {
    std::vector<WriteOp> ops;
    std::vector<Origin> origins;
    std::size_t bytes = 0;
  };

  BundleProblem Begin() {
    Status status = transaction_.Begin();
    if (!status.ok() || !spec_.once) return {status, "", 0};
    auto mark = transaction_.Meta(kLoadedMark);
    summary_->already_loaded = mark.ok() && !mark.value().empty();
    return {mark.status(), "", 0};
  }

  // `expected` is what the first reading found.
  BundleProblem Prepare(const BundleSummary& expected) {
    auto versions = transaction_.Meta("version_mark");
    if (!versions.ok()) return {versions.status(), "", 0};
    const std::string& text = versions.value();
    std::int64_t highest = 0;
    std::from_chars(text.data(), text.data() + text.size(), highest);
    // A version that this store may have given before must not come again.
    summary_->versions_kept = expected.entries > 0 && expected.least_version > highest;
    if (spec_.once) AddMark(expected);
    return {};
  }

  void AddMark(const BundleSummary& expected) {
    WriteOp op;
    op.kind = WriteKind::kRestore;
    op.restore = RestoredRow{RestoredRow::What::kMeta, {}, {}, {}, false};
    op.key = kLoadedMark;
    op.value = "{\"entries\":" + std::to_string(expected.entries) + ",\"crc32c\":" + std::to_string(expected.crc) + "}";
    Add(std::move(op), {LineType::kHeader, "", 0});
  }

  BundleProblem WriteLines(BundleReader& reader, const BundleSummary& expected, const Cancellation& cancelled) {
    for (;;) {
      if (IsCancelled(cancelled)) return {Status(Code::kAborted), "", 0};
      const Step step = reader.Next();
      if (step == Step::kProblem) return reader.problem();
      if (step == Step::kEnd) break;
      const Origin origin{reader.line().type, reader.part(), reader.line_number()};
      if (origin.type == LineType::kIndex) {
        indexes_.emplace_back(OpOf(reader.line()), origin);
      } else {
        Add(OpOf(reader.line()), origin);
      }
      if (batch_.ops.size() < kBatchOperations && batch_.bytes < kBatchBytes) continue;
      BundleProblem problem = Flush();
      if (!problem.status.ok()) return problem;
    }
    const BundleSummary& found = reader.summary();
    if (found.crc == expected.crc && found.lines == expected.lines) return {};
    return {{Code::kBundleInvalid, "the bundle changed while it was read"}, "", 0};
  }

  BundleProblem WriteIndexes() {
    for (auto& [op, origin] : indexes_) Add(std::move(op), origin);
    return Flush();
  }

  WriteOp OpOf(const Line& line) const {
    WriteOp op;
    op.ns = line.ns;
    op.key = line.key;
    op.value = line.value;
    if (line.metadata) op.metadata = *line.metadata;
    op.overwrite = spec_.on_conflict == OnConflict::kUpdate;
    switch (line.type) {
      case LineType::kDelete: op.kind = WriteKind::kDelete; break;
      case LineType::kIndex:
        op.kind = WriteKind::kCreateIndex;
        op.unique = line.flag;
        break;
      case LineType::kNamespace:
        op.kind = WriteKind::kRestore;
        op.restore = RestoredRow{RestoredRow::What::kNamespace, line.created_at, {}, {}, line.flag};
        break;
      default:
        op.kind = WriteKind::kRestore;
        op.restore = RestoredRow{RestoredRow::What::kEntry, line.created_at, line.updated_at, {}, false};
        if (summary_->versions_kept) op.restore->version = line.version;
    }
    return op;
  }

  void Add(WriteOp op, Origin origin) {
    batch_.bytes += op.Bytes();
    batch_.ops.push_back(std::move(op));
    batch_.origins.push_back(std::move(origin));
  }

  BundleProblem Flush() {
    if (batch_.ops.empty()) return {};
    std::vector<Origin> origins = std::move(batch_.origins);
    const WriteReply before = transaction_.Write(std::move(batch_.ops));
    batch_ = {};
    std::swap(origins, written_);
    return Judge(before, origins);
  }

  BundleProblem Judge(const WriteReply& reply, const std::vector<Origin>& origins) {
    if (!reply.status.ok()) return {reply.status, "", 0};
    for (std::size_t i = 0; i < reply.outcomes.size(); ++i) {
      const WriteOutcome& outcome = reply.outcomes[i];
      const bool skipped = outcome.status.code() == Code::kExists && origins[i].type == LineType::kEntry &&
                           spec_.on_conflict == OnConflict::kSkip;
      if (skipped) {
        ++summary_->skipped;
        continue;
      }
      if (!outcome.status.ok()) return {outcome.status, origins[i].part, origins[i].line};
      Count(origins[i].type, outcome.changed);
    }
    return {};
  }

  void Count(LineType type, std::int64_t changed) {
    switch (type) {
      case LineType::kEntry: ++(changed == kRestoreReplaced ? summary_->updated : summary_->inserted); break;
      case LineType::kDelete: summary_->deleted += changed; break;
      case LineType::kNamespace: ++summary_->namespaces; break;
      case LineType::kIndex: ++summary_->indexes; break;
      default: break;
    }
  }

  const ImportSpec& spec_;
  const Limits& limits_;
  ImportSummary* summary_;
  ImportTransaction& transaction_;
  Batch batch_;
  std::vector<Origin> written_;  // of the request under way
  std::vector<std::pair<WriteOp, Origin>> indexes_;
};

}  // namespace

BundleProblem ImportLines(Engine& engine, ImportTransaction& transaction, const ImportSpec& spec, const Hooks& hooks,
                          const IsDatabase& is_database, const Cancellation& cancelled, ImportSummary* summary) {
  return Importer(engine, transaction, spec, summary).Run(hooks, is_database, cancelled);
}

}  // namespace hypha
