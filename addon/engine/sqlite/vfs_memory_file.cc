#include "sqlite/vfs_memory_file.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "sqlite3.h"

namespace hypha {

std::size_t MemoryBytes::Read(void* out, std::size_t count, std::uint64_t offset) const {
  std::shared_lock lock(mutex_);
  auto* to = static_cast<std::byte*>(out);
  const std::size_t available = offset < size_ ? std::min<std::uint64_t>(count, size_ - offset) : 0;
  std::memset(to + available, 0, count - available);
  for (std::size_t done = 0; done < available;) {
    const std::size_t start = (offset + done) % kChunkSize;
    const std::size_t part = std::min(available - done, kChunkSize - start);
    const Chunk& chunk = chunks_[(offset + done) / kChunkSize];
    if (chunk != nullptr) {
      std::memcpy(to + done, chunk.get() + start, part);
    } else {
      std::memset(to + done, 0, part);
    }
    done += part;
  }
  return available;
}

void MemoryBytes::Write(const void* data, std::size_t count, std::uint64_t offset) {
  std::unique_lock lock(mutex_);
  const auto* from = static_cast<const std::byte*>(data);
  const std::uint64_t end = offset + count;
  const std::size_t needed = (end + kChunkSize - 1) / kChunkSize;
  if (chunks_.size() < needed) chunks_.resize(needed);
  for (std::size_t done = 0; done < count;) {
    const std::size_t start = (offset + done) % kChunkSize;
    const std::size_t part = std::min(count - done, kChunkSize - start);
    Chunk& chunk = chunks_[(offset + done) / kChunkSize];
    if (chunk == nullptr) chunk = std::make_unique<std::byte[]>(kChunkSize);
    std::memcpy(chunk.get() + start, from + done, part);
    done += part;
    size_ = std::max(size_, offset + done);
  }
}

void MemoryBytes::Truncate(std::uint64_t size) {
  std::unique_lock lock(mutex_);
  if (size >= size_) return;
  chunks_.resize((size + kChunkSize - 1) / kChunkSize);
  const std::size_t tail = size % kChunkSize;
  // A later gap over the cut-off part must read as zeros.
  if (tail != 0 && chunks_.back() != nullptr) std::memset(chunks_.back().get() + tail, 0, kChunkSize - tail);
  size_ = size;
}

std::uint64_t MemoryBytes::Size() const {
  std::shared_lock lock(mutex_);
  return size_;
}

int MemoryFileLock::Lock(int* held, int level) {
  MutexLock lock(mutex_);
  if (*held >= level) return SQLITE_OK;
  const bool other_is_higher = *held != highest_;
  if (other_is_higher && (highest_ >= SQLITE_LOCK_PENDING || level > SQLITE_LOCK_SHARED)) return SQLITE_BUSY;
  if (level == SQLITE_LOCK_SHARED) {
    ++sharers_;
    highest_ = std::max(highest_, level);
    *held = level;
    return SQLITE_OK;
  }
  const bool must_wait = level == SQLITE_LOCK_EXCLUSIVE && sharers_ > 1;
  *held = highest_ = must_wait ? SQLITE_LOCK_PENDING : level;
  return must_wait ? SQLITE_BUSY : SQLITE_OK;
}

void MemoryFileLock::Unlock(int* held, int level) {
  MutexLock lock(mutex_);
  if (*held <= level) return;
  if (*held > SQLITE_LOCK_SHARED) highest_ = SQLITE_LOCK_SHARED;
  *held = level;
  if (level == SQLITE_LOCK_NONE && --sharers_ == 0) highest_ = SQLITE_LOCK_NONE;
}

bool MemoryFileLock::IsReserved() const {
  MutexLock lock(mutex_);
  return highest_ > SQLITE_LOCK_SHARED;
}

}  // namespace hypha
