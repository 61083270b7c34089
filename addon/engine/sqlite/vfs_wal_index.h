// What the header of SQLite's wal-index (the "-shm" file) says, and which of its locks a connection that may
// never wait is allowed to take. Layout and slot numbers are those of wal.c, SQLite 3.7.0 and later.
#pragma once

#include <cstdint>
#include <optional>

namespace hypha {

// The write-ahead log as the last commit or checkpoint of any process left it.
struct WalState {
  bool known = false;                // false: no usable wal-index is mapped, the other fields mean nothing
  std::uint32_t max_frame = 0;       // last valid frame in the log
  std::uint32_t backfilled = 0;      // frames already copied into the database
  std::uint32_t change_counter = 0;  // differs after every commit
  std::uint32_t salt[2] = {0, 0};    // differs after the log was reset
  std::uint32_t page_size = 0;
};

// Reads the header at the start of wal-index region 0; `region` may be null. Takes no lock and never waits; any
// process may write meanwhile. nullopt: no region, not initialised, damaged, or caught in the middle of an update.
std::optional<WalState> ReadWalIndex(const volatile void* region);

// Whether a connection that may never wait may make this xShmLock call: SQLITE_OK, or the code to refuse it with.
// Refused are exclusive locks on the write, checkpoint and recover slots; without them a connection can neither
// write nor checkpoint nor recover. `region` is region 0 or null. The write slot answers SQLITE_BUSY_RECOVERY
// where the wal-index is unusable: a plain SQLITE_BUSY would send SQLite into 100 retries and SQLITE_PROTOCOL.
int CheckInlineShmLock(const volatile void* region, int offset, int flags);

// Whether this xShmLock call concerns the lock of whoever writes the log.
bool IsWriteLock(int offset, int flags);

}  // namespace hypha
