// What an in-memory file is made of besides its shared memory: its bytes, and the lock of a database file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <vector>

#include "base/mutex.h"

namespace hypha {

// The bytes of a file, in chunks: growing moves no data. Any number of threads; one call is atomic towards others.
// May throw std::bad_alloc, and has then written nothing or the beginning of the data.
class MemoryBytes {
 public:
  // Copies what the file has of [offset, offset + count) and fills the rest with zeros. Returns how much it has.
  std::size_t Read(void* out, std::size_t count, std::uint64_t offset) const;
  // Grows the file as needed; a gap reads as zeros.
  void Write(const void* data, std::size_t count, std::uint64_t offset);
  // Only ever shrinks.
  void Truncate(std::uint64_t size);
  std::uint64_t Size() const;

 private:
  static constexpr std::size_t kChunkSize = 64 * 1024;
  using Chunk = std::unique_ptr<std::byte[]>;  // null: all zeros

  mutable std::shared_mutex mutex_;  // guards all below
  std::vector<Chunk> chunks_;
  std::uint64_t size_ = 0;
};

// The lock of one database file, as SQLite's unix VFS keeps it within a process: many SHARED, one holder above that,
// and PENDING keeps new SHARED away while an EXCLUSIVE waits for the old ones to go. Levels are SQLITE_LOCK_*; each
// handle keeps its own in *held, at first SQLITE_LOCK_NONE. Any number of threads, one at a time for a handle.
class MemoryFileLock {
 public:
  // Raises *held to `level`: SQLITE_OK or, at once, SQLITE_BUSY. A refused EXCLUSIVE may leave *held at PENDING.
  int Lock(int* held, int level);
  // Lowers *held to `level`, SQLITE_LOCK_SHARED or SQLITE_LOCK_NONE.
  void Unlock(int* held, int level);
  // Whether any handle holds more than SHARED.
  bool IsReserved() const;

 private:
  mutable Mutex mutex_;
  int highest_ GUARDED_BY(mutex_) = 0;  // over all handles
  int sharers_ GUARDED_BY(mutex_) = 0;  // handles that hold SHARED or more
};

}  // namespace hypha
