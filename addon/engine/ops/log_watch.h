// What the commits of the writer's connection did to the log, and whether that has reached the disk.
#pragma once

#include <cstdint>
#include <optional>

#include "hypha/hooks.h"
#include "hypha/status.h"
#include "sqlite/connection.h"

namespace hypha {

// Thread: that of the connection. Installs the connection's WAL hook, which runs after each commit that wrote.
class LogWatch {
 public:
  // `autocheckpoint_pages`: copies the log on the commit path once it is so long, as PRAGMA wal_autocheckpoint does.
  LogWatch(Connection& db, const Hooks& hooks, std::int64_t autocheckpoint_pages = 0);
  LogWatch(const LogWatch&) = delete;
  LogWatch& operator=(const LogWatch&) = delete;

  std::int64_t frames() const { return frames_; }      // in the log, as of this connection's last commit
  std::int64_t restarts() const { return restarts_; }  // how often a commit found the log started over
  std::int64_t commits() const { return commits_; }    // that wrote something
  std::int64_t synced() const { return synced_; }      // how often the log has been synced
  void set_frames(std::int64_t frames) { frames_ = frames; }
  // Of the checkpoint on the commit path.
  bool sync_failed() const { return sync_failed_; }
  bool autocheckpoints() const { return autocheckpoint_pages_ > 0; }

  // Whether a commit was made that no sync followed.
  bool unsynced() const { return unsynced_; }
  // Since when the oldest unsynced commit of Durability::kPeriodic waits for its sync.
  std::optional<SteadyTime> periodic_since() const { return periodic_since_; }

  // What the open transaction has put into the log before its commit, for want of room in the cache, counts against
  // the limit: kWalLimit once the log has reached it, kTooLarge when most of it is this transaction's.
  Status MayGrow(std::int64_t limit_bytes) const;

  // Syncs the log, inside or outside a transaction. A failure is final: what was written before may be lost.
  Status Sync();
  // Something else has synced it.
  void Synced();
  // The sync that is due will be so again after one more interval.
  void PutOff() { periodic_since_ = hooks_.steady_now(); }

 private:
  static int OnCommit(void* self, sqlite3* db, const char* schema, int frames);
  // Whether the log of so many frames is another one than that of the last commit.
  bool StartedOver(int frames);

  Connection& db_;
  const Hooks& hooks_;
  const std::int64_t autocheckpoint_pages_;
  std::int64_t frames_ = 0;
  std::int64_t restarts_ = 0;
  std::uint32_t salt_ = 0;  // of the log, another one each time it is started over
  std::int64_t commits_ = 0;
  std::int64_t synced_ = 0;
  bool unsynced_ = false;
  std::optional<SteadyTime> periodic_since_;
  bool sync_failed_ = false;
};

}  // namespace hypha
