#include "support/check.h"

#include "query/sql_functions.h"
#include "sqlite/vfs_shim.h"

namespace hypha::reliability {
namespace {

struct Rule {
  const char* what;
  const char* sql;
};

// Each counts what must not be.
constexpr Rule kRules[] = {
    {"entries without their namespace",
     "SELECT count(*) FROM hypha_entries WHERE ns_id NOT IN (SELECT id FROM hypha_namespaces)"},
    {"entries that the index by key does not know",
     "SELECT (SELECT count(*) FROM hypha_entries NOT INDEXED) - (SELECT count(*) FROM hypha_entries INDEXED BY "
     "hypha_entries_key WHERE ns_id > -1)"},
    {"versions that two entries share", "SELECT count(*) - count(DISTINCT version) FROM hypha_entries"},
    {"versions beyond the counter",
     "SELECT count(*) FROM hypha_entries WHERE version > (SELECT value FROM hypha_meta WHERE name = 'version_mark')"},
    {"values that are not JSON", "SELECT count(*) FROM hypha_entries WHERE NOT json_valid(value)"},
};

}  // namespace

ConnectionOptions LookAt(const std::string& path, const Hooks& hooks, Role role) {
  static_cast<void>(RegisterFileVfs());
  ConnectionOptions options;
  options.path = path;
  if (!hooks.vfs.empty()) options.vfs = {hooks.vfs, hooks.inline_vfs};
  options.role = role;
  options.busy_timeout_ms = 5000;
  options.max_text_bytes = 90LL << 20;
  options.register_functions = &RegisterSqlFunctions;
  return options;
}

Result<Content> ReadContent(Connection& db) {
  auto lean = db.QueryInteger("SELECT count(*) FROM sqlite_schema WHERE name = 'hypha_entries'");
  if (!lean.ok()) return lean.status();
  auto statement =
      Prepare(db.handle(), lean.value() != 0 ? "SELECT n.name, e.key, e.value, e.metadata FROM hypha_entries AS e NOT "
                                               "INDEXED JOIN hypha_namespaces AS n ON n.id = e.ns_id"
                                             : "SELECT namespace, key, value, metadata FROM storage_entries");
  if (!statement.ok()) return statement.status();
  Content content;
  Cursor cursor(statement.value().get());
  while (cursor.Step()) {
    content[{std::string(cursor.Text(0)), std::string(cursor.Text(1))}] = {std::string(cursor.Text(2)),
                                                                           std::string(cursor.Text(3))};
  }
  Status status = cursor.status("read everything");
  if (!status.ok()) return status;
  return content;
}

Status CheckStructure(Connection& db) {
  auto integrity = db.QueryText("PRAGMA integrity_check");
  if (!integrity.ok()) return integrity.status();
  if (integrity.value() != "ok") return {Code::kCorrupt, "integrity_check: " + integrity.value()};
  for (const auto& rule : kRules) {
    auto count = db.QueryInteger(rule.sql);
    if (!count.ok()) return count.status();
    if (count.value() != 0) return {Code::kCorrupt, std::to_string(count.value()) + " " + rule.what};
  }
  return Status::Ok();
}

}  // namespace hypha::reliability
