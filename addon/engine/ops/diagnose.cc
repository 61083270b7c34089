#include "ops/diagnose.h"

#include "base/json_object.h"
#include "query/index_catalog.h"
#include "schema/migrations.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

// Quarantined columns may hold anything.
std::string Column(const Cursor& cursor, int column) {
  switch (sqlite3_column_type(cursor.statement(), column)) {
    case SQLITE_NULL: return "null";
    case SQLITE_INTEGER: return std::to_string(cursor.Integer(column));
    default: return JsonText(cursor.Text(column));
  }
}

Result<std::string> Quarantined(Connection& db) {
  auto lease = db.cache().Take("SELECT source, id, namespace, key, reason FROM quarantine ORDER BY rowid");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  JsonArray rows;
  while (cursor.Step()) {
    JsonObject row;
    int column = 0;
    for (const char* name : {"source", "id", "namespace", "key", "reason"}) row.Raw(name, Column(cursor, column++));
    rows.Add(std::move(row).Take());
  }
  Status status = cursor.status("read the quarantine");
  if (!status.ok()) return status;
  return std::move(rows).Take();
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
  JsonObject report;
  report.Number("size", size.value())
      .Number("namespaces", namespaces.value() + (has_default.value() ? 0 : 1))
      .Number("bytes", pages.value() * page_size.value())
      .Number("walBytes", frames == 0 ? 0 : kWalHeader + frames * (page_size.value() + kFrameHeader))
      .Number("schemaVersion", version.value());
  return std::move(report).Take();
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
  JsonObject about_schema;
  about_schema.Number("version", version.value()).Boolean("verified", schema.ok());
  if (!schema.ok()) about_schema.Text("problem", schema.message());
  JsonObject report;
  report.Raw("quarantine", quarantine.value())
      .Text("integrity", integrity.value())
      .Raw("schema", std::move(about_schema).Take());
  return std::move(report).Take();
}

}  // namespace hypha
