#include "sqlite/vfs_memory_shm.h"

#include <atomic>

namespace hypha {
namespace {

unsigned SlotMask(int offset, int count) { return ((1U << count) - 1U) << offset; }

}  // namespace

volatile void* MemoryShm::Map(Client* client, std::size_t index, std::size_t size, bool extend) {
  MutexLock lock(mutex_);
  if (extend && index >= regions_.size()) {
    regions_.reserve(index + 1);
    while (regions_.size() <= index) {
      regions_.push_back(std::make_unique<std::uint64_t[]>(size / sizeof(std::uint64_t)));
    }
  }
  if (!client->attached) {
    client->attached = true;
    ++clients_;
  }
  return index < regions_.size() ? regions_[index].get() : nullptr;
}

int MemoryShm::Lock(Client* client, int offset, int count, int flags) {
  MutexLock lock(mutex_);
  if ((flags & SQLITE_SHM_UNLOCK) == 0) return Acquire(client, offset, count, (flags & SQLITE_SHM_EXCLUSIVE) != 0);
  Release(client, SlotMask(offset, count));
  return SQLITE_OK;
}

int MemoryShm::Acquire(Client* client, int offset, int count, bool exclusive) {
  const unsigned wanted = SlotMask(offset, count);
  if ((exclusive_ & ~client->exclusive & wanted) != 0) return SQLITE_BUSY;
  if (!exclusive) {
    if ((client->shared & wanted) == 0) ++sharers_[static_cast<std::size_t>(offset)];
    client->shared |= wanted;
    return SQLITE_OK;
  }
  for (int slot = offset; slot < offset + count; ++slot) {
    if (sharers_[static_cast<std::size_t>(slot)] != 0) return SQLITE_BUSY;
  }
  client->exclusive |= wanted;
  exclusive_ |= wanted;
  return SQLITE_OK;
}

void MemoryShm::Release(Client* client, unsigned slots) {
  for (std::size_t slot = 0; slot < sharers_.size(); ++slot) {
    if ((client->shared & slots & (1U << slot)) != 0) --sharers_[slot];
  }
  exclusive_ &= ~(client->exclusive & slots);
  client->shared &= ~slots;
  client->exclusive &= ~slots;
}

void MemoryShm::Barrier() {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // The fence is what counts; the lock makes the order visible to thread checkers, which do not understand fences.
  MutexLock lock(mutex_);
}

void MemoryShm::Detach(Client* client) {
  MutexLock lock(mutex_);
  if (!client->attached) return;
  Release(client, SlotMask(0, SQLITE_SHM_NLOCK));
  client->attached = false;
  if (--clients_ == 0) regions_.clear();
}

}  // namespace hypha
