#include "ops/storage_report.h"

#include <sys/stat.h>

#include <utility>

#include "base/json_object.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

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
  std::string table_counts = "null";
  if (counts) {
    auto rows = entries.CountAll();
    if (!rows.ok()) return rows.status();
    auto namespaces = entries.CountNamespaces();
    if (!namespaces.ok()) return namespaces.status();
    JsonObject json;
    json.Number("entries", rows.value()).Number("namespaces", namespaces.value());
    table_counts = std::move(json).Take();
  }
  constexpr std::int64_t kMegabyte = 1 << 20;
  const std::int64_t hundredths = ((sizes.database + sizes.wal + sizes.shm) * 100 + kMegabyte / 2) / kMegabyte;
  struct stat info {};
  const bool is_file = ::stat(path.c_str(), &info) == 0;
  const auto wal = ReadWalState(db.handle());
  JsonObject report;
  report.Number("database_size_bytes", sizes.database).Number("wal_size_bytes", sizes.wal);
  report.Number("shm_size_bytes", sizes.shm).Decimal("total_size_mb", hundredths, 2);
  report.Raw("table_counts", table_counts).Boolean("wal_mode", mode.value() == "wal");
  report.Text("journal_mode", mode.value()).Number("synchronous", synchronous.value());
  report.Number("cache_size", cache_size.value()).Number("page_size", page_size.value());
  report.Number("mmap_size", 0);  // SQLite was compiled without it
  report.Raw("storage_path", is_file ? JsonText(path) : "null");
  report.Number("wal_frames", wal ? wal->max_frame : 0).Number("wal_backfilled", wal ? wal->backfilled : 0);
  return std::move(report).Take();
}

Result<std::string> IntegrityJson(Connection& db, bool full) {
  const char* sql = full ? "PRAGMA integrity_check" : "PRAGMA quick_check";
  auto statement = Prepare(db.handle(), sql);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value().get());
  JsonArray problems;
  while (cursor.Step()) {
    const std::string_view line = cursor.Text(0);
    if (line != "ok") problems.Add(JsonText(line));
  }
  Status status = cursor.status(sql);
  // The check itself may stumble over the damage.
  if (status.code() == Code::kCorrupt) problems.Add(JsonText(status.message()));
  if (!status.ok() && status.code() != Code::kCorrupt) return status;
  return std::move(problems).Take();
}

}  // namespace hypha
