// Copies the write-ahead log into the database, off the commit path.
#pragma once

#include <cstdint>

#include "hypha/status.h"
#include "sqlite/connection.h"

namespace hypha {

// Thread: that of the connection. Installs the connection's WAL hook.
class Checkpointer {
 public:
  enum class Need : std::uint8_t { kNone, kWhenIdle, kNow };

  static constexpr std::int64_t kIdleBytes = 4LL << 20;       // worth copying when there is nothing else to do
  static constexpr std::int64_t kBusyBytes = 16LL << 20;      // copied between two groups in any case
  static constexpr std::int64_t kTruncateBytes = 64LL << 20;  // the log is also started over, if readers let it

  explicit Checkpointer(Connection& db);
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  Need need() const;
  // REQUIRES: no open transaction.
  Status Run();
  // Copies everything and empties the log. kBusy when readers or other processes prevented it for 50 ms.
  Status Truncate();

 private:
  static int OnCommit(void* self, sqlite3* db, const char* schema, int frames);
  Status Checkpoint(int mode);
  std::int64_t PendingBytes() const;

  Connection& db_;
  std::int64_t page_size_;
  std::int64_t frames_ = 0;  // in the log
  std::int64_t tried_ = 0;   // of those, the frames that a checkpoint has copied or met a reader before
};

}  // namespace hypha
