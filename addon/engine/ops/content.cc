#include "ops/content.h"

#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/crc32c.h"
#include "base/entry_checksum.h"
#include "query/json_scan.h"
#include "sqlite/statement.h"

namespace hypha {
namespace {

using Names = std::unordered_map<std::int64_t, std::string>;

// Spreads a checksum over 64 bits, so that sums of many tell their members apart.
std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27U)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31U);
}

Status ReadNamespaces(sqlite3* db, Names* names, std::uint64_t* hash, const OnProblem& on_problem) {
  auto statement = Prepare(db, "SELECT id, name, explicit, metadata, created_at FROM hypha_namespaces");
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value().get());
  while (cursor.Step()) {
    const std::string_view name = cursor.Text(1);
    const EntryView row{name, {}, cursor.Text(3), cursor.Integer(4), cursor.Integer(2), 0};
    *hash += Mix(~std::uint64_t{AttributesChecksum(cursor.Integer(0), row)});
    if (!row.metadata.empty() && !json::IsValid(row.metadata)) {
      on_problem(
          {"namespace", "the metadata of namespace \"" + std::string(name) + "\" is not JSON", std::string(name), {}});
    }
    names->emplace(cursor.Integer(0), name);
  }
  return cursor.status("read the namespaces");
}

void CheckEntry(const Cursor& cursor, std::int64_t ns_id, const EntryView& row, std::int64_t actual,
                const std::string& ns, const OnProblem& on_problem) {
  const auto stored = cursor.OptionalInteger(7);
  if (stored && *stored != actual) {
    on_problem({"checksum", DamagedEntry(ns, row.key).message(), ns, std::string(row.key)});
  } else if (!stored && !(json::IsValid(row.value) && (row.metadata.empty() || json::IsValid(row.metadata)))) {
    on_problem({"value",
                "value or metadata of key \"" + std::string(row.key) + "\" in namespace \"" + ns + "\" is not JSON", ns,
                std::string(row.key)});
  }
  if (ns.empty()) {
    on_problem(
        {"namespace",
         "key \"" + std::string(row.key) + "\" is in namespace " + std::to_string(ns_id) + ", which does not exist",
         {},
         std::string(row.key)});
  }
}

}  // namespace

Result<Content> ReadContent(sqlite3* db, const std::atomic<bool>* cancelled, const OnProblem& on_problem) {
  Content content;
  Names names;
  Status status = ReadNamespaces(db, &names, &content.hash, on_problem);
  if (!status.ok()) return status;
  content.namespaces = static_cast<std::int64_t>(names.size());
  auto statement = Prepare(db,
                           "SELECT ns_id, key, value, metadata, created_at, updated_at, version, crc "
                           "FROM hypha_entries NOT INDEXED");
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value().get());
  while (cursor.Step()) {
    if (cancelled != nullptr && cancelled->load(std::memory_order_relaxed)) return Status(Code::kAborted);
    ++content.entries;
    const std::int64_t ns_id = cursor.Integer(0);
    const EntryView row{cursor.Text(1),    cursor.Text(2),    cursor.Text(3),
                        cursor.Integer(4), cursor.Integer(5), cursor.Integer(6)};
    const std::int64_t actual = EntryChecksum(ns_id, row);
    content.hash += Mix(static_cast<std::uint64_t>(actual));
    const auto name = names.find(ns_id);
    CheckEntry(cursor, ns_id, row, actual, name == names.end() ? "" : name->second, on_problem);
  }
  status = cursor.status("read the entries");
  if (!status.ok()) return status;
  return content;
}

}  // namespace hypha
