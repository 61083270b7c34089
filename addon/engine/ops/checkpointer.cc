#include "ops/checkpointer.h"

#include "base/mutant.h"
#include "sqlite/error_map.h"

namespace hypha {
namespace {
constexpr std::int64_t kDefaultPageSize = 4096;
constexpr auto kReaderGap = std::chrono::milliseconds(50);
}  // namespace

Checkpointer::Checkpointer(Connection& db) : db_(db), page_size_(kDefaultPageSize) {
  auto page_size = db.QueryInteger("PRAGMA page_size");
  if (page_size.ok()) page_size_ = page_size.value();
  sqlite3_wal_hook(db.handle(), &Checkpointer::OnCommit, this);
}

int Checkpointer::OnCommit(void* self, sqlite3* /*db*/, const char* /*schema*/, int frames) {
  auto* checkpointer = static_cast<Checkpointer*>(self);
  if (frames < checkpointer->frames_) checkpointer->tried_ = 0;  // the log was started over
  checkpointer->frames_ = frames;
  return SQLITE_OK;
}

std::int64_t Checkpointer::PendingBytes() const { return (frames_ - tried_) * page_size_; }

Checkpointer::Need Checkpointer::need() const {
  const std::int64_t pending = PendingBytes();
  if (pending >= kBusyBytes) return Need::kNow;
  return pending >= kIdleBytes ? Need::kWhenIdle : Need::kNone;
}

Status Checkpointer::Run() {
  if (frames_ * page_size_ < kTruncateBytes) return Checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  Status status = Truncate();
  return status.code() == Code::kBusy ? Status::Ok() : status;
}

Status Checkpointer::Truncate() {
  db_.SetLockDeadline(std::chrono::steady_clock::now() + kReaderGap);
  return Checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
}

Status Checkpointer::Checkpoint(int mode) {
  // Commits that were promised durability lie in the same log as those that were not.
  Status synced = Mutated(Mutant::kCheckpointAtWeakLevel) ? db_.SetDurability(Durability::kOff)
                                                          : db_.SetDurability(db_.strongest_durability());
  if (!synced.ok()) return synced;
  int frames = 0;
  int copied = 0;
  db_.Reach("before-checkpoint");
  const int rc = sqlite3_wal_checkpoint_v2(db_.handle(), "main", mode, &frames, &copied);
  db_.Reach("after-checkpoint");
  if (frames >= 0) frames_ = frames;
  // What could not be copied now is tried again after as much has been written once more.
  tried_ = frames_;
  return rc == SQLITE_OK ? Status::Ok() : FromSqlite(rc, db_.handle(), "checkpoint");
}

}  // namespace hypha
