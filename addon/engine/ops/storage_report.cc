#include "ops/storage_report.h"

#include <sys/stat.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// Only stat(2): opening a live database file would drop its locks.
std::int64_t SizeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_size) : 0;
}

struct Sizes {
  std::int64_t database = 0;
  std::int64_t wal = 0;
  std::int64_t shm = 0;
};

Sizes SizesOf(const std::string& path, std::int64_t pages, std::int64_t page_size) {
  struct stat info {};
  const bool is_file = !path.empty() && ::stat(path.c_str(), &info) == 0;
  if (!is_file) return {pages * page_size, 0, 0};
  return {static_cast<std::int64_t>(info.st_size), SizeOf(path + "-wal"), SizeOf(path + "-shm")};
}

}  // namespace

Result<std::string> StorageJson(EntryReader& entries, Connection& db, bool counts) {
  Json report;
  const char* name = sqlite3_db_filename(db.handle(), "main");
  const std::string path = name == nullptr ? "" : name;
  auto pages = db.QueryInteger("PRAGMA page_count");
  auto page_size = db.QueryInteger("PRAGMA page_size");
  auto cache_size = db.QueryInteger("PRAGMA cache_size");
  auto synchronous = db.QueryInteger("PRAGMA synchronous");
  auto mode = db.QueryText("PRAGMA journal_mode");
  for (const Status& status :
       {pages.status(), page_size.status(), cache_size.status(), synchronous.status(), mode.status()}) {
    if (!status.ok()) return status;
  }
  const Sizes sizes = SizesOf(path, pages.value(), page_size.value());
  const double megabytes = static_cast<double>(sizes.database + sizes.wal + sizes.shm) / (1024 * 1024);
  report["database_size_bytes"] = sizes.database;
  report["wal_size_bytes"] = sizes.wal;
  report["shm_size_bytes"] = sizes.shm;
  report["total_size_mb"] = std::round(megabytes * 100) / 100;
  report["table_counts"] = nullptr;
  if (counts) {
    auto rows = entries.CountAll();
    if (!rows.ok()) return rows.status();
    auto namespaces = entries.CountNamespaces();
    if (!namespaces.ok()) return namespaces.status();
    report["table_counts"] = {{"entries", rows.value()}, {"namespaces", namespaces.value()}};
  }
  report["wal_mode"] = mode.value() == "wal";
  report["journal_mode"] = mode.value();
  report["synchronous"] = synchronous.value();
  report["cache_size"] = cache_size.value();
  report["page_size"] = page_size.value();
  report["mmap_size"] = 0;  // SQLite was compiled without it
  struct stat info {};
  report["storage_path"] = ::stat(path.c_str(), &info) == 0 ? Json(path) : Json(nullptr);
  const auto wal = ReadWalState(db.handle());
  report["wal_frames"] = wal ? wal->max_frame : 0;
  report["wal_backfilled"] = wal ? wal->backfilled : 0;
  return Dump(report);
}

Result<std::string> IntegrityJson(Connection& db, bool full) {
  const char* sql = full ? "PRAGMA integrity_check" : "PRAGMA quick_check";
  auto statement = Prepare(db.handle(), sql);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value().get());
  Json problems = Json::array();
  while (cursor.Step()) {
    const std::string_view line = cursor.Text(0);
    if (line != "ok") problems.push_back(std::string(line));
  }
  Status status = cursor.status(sql);
  // The check itself may stumble over the damage.
  if (status.code() == Code::kCorrupt) problems.push_back(status.message());
  if (!status.ok() && status.code() != Code::kCorrupt) return status;
  return Dump(problems);
}

}  // namespace hypha
