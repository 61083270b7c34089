#include "ops/maintenance.h"

#include <chrono>
#include <utility>

#include "base/json_object.h"
#include "sqlite/authorizer.h"
#include "sqlite/error_map.h"

namespace hypha {
namespace {

Result<std::string> Checkpoint(WalService& wal, int mode, const char* name) {
  Status status = wal.Checkpoint(mode);
  if (!status.ok() && status.code() != Code::kBusy) return status;
  const CheckpointResult& result = wal.checkpointer().counters().last;
  JsonObject json;
  json.Text("mode", name).Boolean("busy", result.busy).Number("frames", result.frames);
  json.Number("copied", result.copied).Decimal("ms", result.micros, 3);
  return std::move(json).Take();
}

// SQLite rewrites the file by way of a temporary database that it attaches: the one statement for which that is
// allowed.
Status Vacuum(Connection& db) {
  struct Allowed {
    explicit Allowed(sqlite3* h) : handle(h) {
      sqlite3_set_authorizer(handle, nullptr, nullptr);
      sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 1);
    }
    ~Allowed() {
      sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
      sqlite3_set_authorizer(handle, &Authorize, nullptr);
    }
    sqlite3* handle;
  };
  const Allowed allowed(db.handle());
  return db.Exec("VACUUM");
}

}  // namespace

Result<std::string> Maintain(WalService& wal, const Hooks& hooks, Maintenance what) {
  const SteadyTime start = hooks.steady_now();
  Status status;
  switch (what) {
    case Maintenance::kPassive: return Checkpoint(wal, SQLITE_CHECKPOINT_PASSIVE, "passive");
    case Maintenance::kRestart: return Checkpoint(wal, SQLITE_CHECKPOINT_RESTART, "restart");
    case Maintenance::kTruncate: return Checkpoint(wal, SQLITE_CHECKPOINT_TRUNCATE, "truncate");
    case Maintenance::kOptimize: status = wal.db().Exec("PRAGMA analysis_limit=1000; PRAGMA optimize"); break;
    case Maintenance::kAnalyze: status = wal.db().Exec("PRAGMA analysis_limit=0; ANALYZE"); break;
    case Maintenance::kVacuum: status = Vacuum(wal.db()); break;
  }
  status = wal.Settle(std::move(status));
  if (!status.ok()) return status;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(hooks.steady_now() - start);
  JsonObject json;
  json.Decimal("ms", took.count(), 3);
  return std::move(json).Take();
}

}  // namespace hypha
