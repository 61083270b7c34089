// What ended a transaction or a snapshot that nobody ended.
#pragma once

#include <cstdint>

#include "hypha/status.h"

namespace hypha {

enum class EndedBy : std::uint8_t {
  kDeadline,  // the one that its user gave
  kAge,       // limits.snapshot_age_ms
  kLog,       // it kept the write-ahead log from being emptied, past wal.expire_bytes
};

// What each later use of it hears.
inline Status StatusOf(EndedBy why) {
  if (why == EndedBy::kDeadline) return Status(Code::kTransactionTimeout);
  if (why == EndedBy::kAge) return Status(Code::kSnapshotExpired);
  return {Code::kSnapshotExpired, "it was ended: its snapshot kept the write-ahead log from being emptied"};
}

}  // namespace hypha
