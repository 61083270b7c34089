#include "ops/diagnose.h"

#include <nlohmann/json.hpp>

#include "query/index_catalog.h"
#include "schema/migrations.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

using Json = nlohmann::ordered_json;

// Quarantined columns may hold anything, invalid UTF-8 included.
std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json Column(const Cursor& cursor, int column) {
  switch (sqlite3_column_type(cursor.statement(), column)) {
    case SQLITE_NULL: return nullptr;
    case SQLITE_INTEGER: return cursor.Integer(column);
    default: return std::string(cursor.Text(column));
  }
}

Result<Json> Quarantined(Connection& db) {
  auto lease = db.cache().Take("SELECT source, id, namespace, key, reason FROM quarantine ORDER BY rowid");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  Json rows = Json::array();
  while (cursor.Step()) {
    rows.push_back({{"source", Column(cursor, 0)},
                    {"id", Column(cursor, 1)},
                    {"namespace", Column(cursor, 2)},
                    {"key", Column(cursor, 3)},
                    {"reason", Column(cursor, 4)}});
  }
  Status status = cursor.status("read the quarantine");
  if (!status.ok()) return status;
  return rows;
}

}  // namespace

Result<std::string> StatusJson(EntryReader& entries, Connection& db) {
  auto size = entries.CountAll();
  if (!size.ok()) return size.status();
  auto namespaces = entries.CountNamespaces();
  if (!namespaces.ok()) return namespaces.status();
  auto has_default = entries.GetNamespace(kDefaultNamespace);
  if (!has_default.ok()) return has_default.status();
  auto pages = db.QueryInteger("PRAGMA page_count");
  auto page_size = db.QueryInteger("PRAGMA page_size");
  auto version = SchemaVersion(db);
  for (const Status& status : {pages.status(), page_size.status(), version.status()}) {
    if (!status.ok()) return status;
  }
  const auto wal = ReadWalState(db.handle());
  const std::int64_t frames = wal ? wal->max_frame : 0;
  constexpr std::int64_t kWalHeader = 32;
  constexpr std::int64_t kFrameHeader = 24;
  return Dump({{"size", size.value()},
               {"namespaces", namespaces.value() + (has_default.value() ? 0 : 1)},
               {"bytes", pages.value() * page_size.value()},
               {"walBytes", frames == 0 ? 0 : kWalHeader + frames * (page_size.value() + kFrameHeader)},
               {"schemaVersion", version.value()}});
}

Result<std::string> DiagnoseJson(Connection& db) {
  auto quarantine = Quarantined(db);
  if (!quarantine.ok()) return quarantine.status();
  auto integrity = db.QueryText("PRAGMA integrity_check");
  if (!integrity.ok()) return integrity.status();
  auto version = SchemaVersion(db);
  if (!version.ok()) return version.status();
  Status schema = VerifySchema(db);
  if (schema.ok()) schema = VerifyIndexes(db);
  Json report{{"quarantine", quarantine.value()},
              {"integrity", integrity.value()},
              {"schema", {{"version", version.value()}, {"verified", schema.ok()}}}};
  if (!schema.ok()) report["schema"]["problem"] = schema.message();
  return Dump(report);
}

}  // namespace hypha
