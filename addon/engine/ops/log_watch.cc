#include "ops/log_watch.h"

#include <string>
#include <utility>

#include "sqlite/error_map.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

constexpr std::int64_t kLogHeaderBytes = 32;
constexpr std::int64_t kFrameHeaderBytes = 24;

}  // namespace

LogWatch::LogWatch(Connection& db, const Hooks& hooks, std::int64_t autocheckpoint_pages)
    : db_(db), hooks_(hooks), autocheckpoint_pages_(autocheckpoint_pages) {
  if (const auto log = ReadWalState(db.handle())) salt_ = log->salt[0];
  sqlite3_wal_hook(db.handle(), &LogWatch::OnCommit, this);
}

// The length alone does not tell: a log that is started over may have become longer at once.
bool LogWatch::StartedOver(int frames) {
  const auto log = ReadWalState(db_.handle());
  if (!log) return frames <= frames_;
  return std::exchange(salt_, log->salt[0]) != log->salt[0];
}

int LogWatch::OnCommit(void* self, sqlite3* db, const char* schema, int frames) {
  auto* watch = static_cast<LogWatch*>(self);
  if (watch->StartedOver(frames)) ++watch->restarts_;
  watch->frames_ = frames;
  ++watch->commits_;
  const Durability reached = watch->db_.durability();
  if (reached == Durability::kFull) {
    watch->Synced();  // the whole log, with every commit before this one
  } else {
    watch->unsynced_ = true;
    if (reached == Durability::kPeriodic && !watch->periodic_since_)
      watch->periodic_since_ = watch->hooks_.steady_now();
  }
  if (watch->autocheckpoints() && frames >= watch->autocheckpoint_pages_) {
    // The commit is done whatever comes of this: the log keeps what could not be copied.
    const int rc = sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    // But for a sync that failed: nothing that is written after it can be relied on.
    watch->sync_failed_ = TakeSyncFailure(db) || rc == SQLITE_IOERR_FSYNC;
  }
  return SQLITE_OK;
}

Status LogWatch::MayGrow(std::int64_t limit_bytes) const {
  const std::int64_t end = LogEndOfTransaction(db_.handle());
  if (end < limit_bytes) return Status::Ok();
  const auto log = ReadWalState(db_.handle());
  const std::int64_t others = log ? std::int64_t{log->max_frame} * (log->page_size + kFrameHeaderBytes) : 0;
  const std::int64_t own = end - kLogHeaderBytes - others;
  const std::string limit = "wal.limitBytes (" + std::to_string(limit_bytes) + " bytes)";
  if (own > others) return {Code::kTooLarge, "the transaction writes more into the log than " + limit};
  return {Code::kWalLimit, "the write-ahead log reaches " + limit + " with what this transaction has written"};
}

void LogWatch::Synced() {
  ++synced_;
  unsynced_ = false;
  periodic_since_.reset();
}

Status LogWatch::Sync() {
  sqlite3_file* log = nullptr;
  int rc = sqlite3_file_control(db_.handle(), "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (rc != SQLITE_OK || log == nullptr || log->pMethods == nullptr) {
    return {Code::kInternal, "the log has no file to be synced", rc};
  }
  rc = log->pMethods->xSync(log, SQLITE_SYNC_FULL);
  if (rc != SQLITE_OK) {
    TakeSyncFailure(db_.handle());  // it is told here
    return FromSqlite(rc, nullptr, "sync of the log");
  }
  Synced();
  return Status::Ok();
}

}  // namespace hypha
