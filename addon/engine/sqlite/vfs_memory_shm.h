// The wal-index memory and its locks, for a database that lives in this process only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "sqlite3.h"

namespace hypha {

// One database's shared memory: what xShmMap, xShmLock, xShmBarrier and xShmUnmap do. The memory goes when the last
// client detaches; the next one finds zeros and has to recover, as after the end of all processes on a file.
// Any number of threads, one at a time for a client. Map may throw std::bad_alloc and has then changed nothing.
class MemoryShm {
 public:
  // What one file handle holds: bit masks over the lock slots.
  struct Client {
    bool attached = false;
    unsigned shared = 0;
    unsigned exclusive = 0;
  };

  // Region number `index` of `size` bytes, zeros when new. nullptr: it does not exist and `extend` is false. Valid
  // until `client` detaches.
  volatile void* Map(Client* client, std::size_t index, std::size_t size, bool extend);
  // Takes or releases `count` slots from `offset` on, `flags` as in xShmLock. SQLITE_BUSY at once, and all or nothing.
  int Lock(Client* client, int offset, int count, int flags);
  void Barrier();
  // Releases all that `client` holds.
  void Detach(Client* client);

 private:
  int Acquire(Client* client, int offset, int count, bool exclusive) REQUIRES_LOCK(mutex_);
  void Release(Client* client, unsigned slots) REQUIRES_LOCK(mutex_);

  Mutex mutex_;
  int clients_ GUARDED_BY(mutex_) = 0;
  std::vector<std::unique_ptr<std::uint64_t[]>> regions_ GUARDED_BY(mutex_);
  std::array<int, SQLITE_SHM_NLOCK> sharers_ GUARDED_BY(mutex_) = {};
  unsigned exclusive_ GUARDED_BY(mutex_) = 0;  // slots held exclusively by any client
};

}  // namespace hypha
