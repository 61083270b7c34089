#include "ops/verify.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_object.h"
#include "query/index_catalog.h"
#include "schema/migrations.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

// What damage does to a statement; all else (time, memory, locks) says nothing about the file.
bool IsDamage(const Status& status) { return status.code() == Code::kCorrupt || status.code() == Code::kNotADatabase; }

// What SQLite says of a page that it could not get, for whatever reason: it goes on as if the page were damaged.
bool CouldNotGetPage(std::string_view problems) {
  return problems.find("failed to get page") != std::string_view::npos ||
         problems.find("unable to get the page") != std::string_view::npos;
}

class Verifier {
 public:
  explicit Verifier(Connection& db) : db_(db) {}

  void Report(Problem problem) {
    if (result_.problems.size() < Verification::kMaxProblems) result_.problems.push_back(std::move(problem));
  }

  Status CheckStructure(bool full) {
    TakeReadFailure(db_.handle());  // one from before says nothing
    std::vector<std::string> lines;
    Status status = ReadStructure(full, &lines);
    const bool unread = std::any_of(lines.begin(), lines.end(), &CouldNotGetPage);
    if (status.ok() && unread && TakeReadFailure(db_.handle())) {
      return {Code::kIo, "the structure could not be checked: " + lines.front()};
    }
    // Memory may have been short for a moment. A page that cannot be had now either is damaged.
    if (status.ok() && unread) status = ReadStructure(full, &lines);
    for (auto& line : lines) Report({"structure", std::move(line), {}, {}});
    return Judge("structure", std::move(status));
  }

  Status CheckSchema() {
    Status status = VerifySchema(db_);
    if (status.ok()) status = VerifyIndexes(db_);
    if (status.code() == Code::kSchemaChanged) {
      Report({"schema", status.message(), {}, {}});
      return Status::Ok();
    }
    return Judge("schema", std::move(status));
  }

  Status CheckEntries() {
    auto content = ReadContent(db_.handle(), db_.cancelled(), [this](Problem problem) { Report(std::move(problem)); });
    if (!content.ok()) return Judge("structure", content.status());
    result_.content = content.value();
    auto indexed = db_.QueryInteger("SELECT count(*) FROM hypha_entries INDEXED BY hypha_entries_key");
    if (!indexed.ok()) return Judge("structure", indexed.status());
    if (indexed.value() == content.value().entries) return Status::Ok();
    Report({"count",
            "the table has " + std::to_string(content.value().entries) + " entries, its index " +
                std::to_string(indexed.value()),
            {},
            {}});
    return Status::Ok();
  }

  Verification Take() { return std::move(result_); }

 private:
  Status ReadStructure(bool full, std::vector<std::string>* problems) {
    problems->clear();
    auto statement = Prepare(db_.handle(), full ? "PRAGMA integrity_check" : "PRAGMA quick_check");
    if (!statement.ok()) return statement.status();
    Cursor cursor(statement.value().get());
    while (cursor.Step()) {
      if (cursor.Text(0) != "ok") problems->emplace_back(cursor.Text(0));
    }
    return cursor.status("check the structure");
  }

  Status Judge(const char* kind, Status status) {
    if (!IsDamage(status)) return status;
    Report({kind, status.message(), {}, {}});
    return Status::Ok();
  }

  Connection& db_;
  Verification result_;
};

}  // namespace

Result<Verification> Verify(Connection& db, VerifyLevel level) {
  Verifier verifier(db);
  Status status = verifier.CheckStructure(level != VerifyLevel::kQuick);
  if (status.ok()) status = verifier.CheckSchema();
  if (status.ok() && level == VerifyLevel::kFull) status = verifier.CheckEntries();
  if (!status.ok()) return status;
  return verifier.Take();
}

std::string VerificationJson(const Verification& verification) {
  JsonArray problems;
  for (const auto& problem : verification.problems) {
    JsonObject item;  // a damaged key may hold anything
    item.Text("kind", problem.kind).Text("message", problem.message);
    if (!problem.ns.empty()) item.Text("namespace", problem.ns);
    if (!problem.key.empty()) item.Text("key", problem.key);
    problems.Add(std::move(item).Take());
  }
  JsonObject report;
  report.Boolean("ok", verification.problems.empty()).Raw("problems", std::move(problems).Take());
  return std::move(report).Take();
}

}  // namespace hypha
