#include "sqlite/vfs_memory.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "sqlite/vfs_memory_registry.h"
#include "sqlite/vfs_shim.h"
#include "sqlite3.h"

namespace hypha {
namespace {

constexpr int kMaxName = 512;
constexpr int kSectorSize = 4096;

struct MemoryVfs {
  sqlite3_vfs vfs;
  sqlite3_vfs* platform;
};

// An open file, in memory that SQLite provides.
struct MemoryHandle {
  sqlite3_file handle;  // first: SQLite knows this file by its address
  std::shared_ptr<MemoryNode> node;
  const char* database_name;  // null: not a main database. SQLite keeps it until the file is closed
  int level = SQLITE_LOCK_NONE;
  MemoryShm::Client shm;
};

// Never destroyed: connections may be closed while the process ends.
MemoryRegistry& Registry() {
  static auto* registry = new MemoryRegistry;
  return *registry;
}

MemoryHandle* Self(sqlite3_file* file) { return reinterpret_cast<MemoryHandle*>(file); }
MemoryNode& Node(sqlite3_file* file) { return *Self(file)->node; }

// Runs `body` for SQLite, which is C: nothing may be thrown through it.
template <class Body>
int Guarded(Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return SQLITE_IOERR_NOMEM;
  } catch (...) {
    return SQLITE_IOERR;
  }
}

int FileShmUnmap(sqlite3_file* file, int) {
  return Guarded([&] {
    Node(file).shm.Detach(&Self(file)->shm);
    return SQLITE_OK;
  });
}

int FileUnlock(sqlite3_file* file, int level) {
  return Guarded([&] {
    Node(file).lock.Unlock(&Self(file)->level, level);
    return SQLITE_OK;
  });
}

int FileClose(sqlite3_file* file) {
  FileShmUnmap(file, 0);
  FileUnlock(file, SQLITE_LOCK_NONE);
  return Guarded([&] {
    MemoryHandle* self = Self(file);
    if (self->database_name != nullptr) Registry().CloseDatabase(self->database_name, self->node);
    std::destroy_at(self);
    return SQLITE_OK;
  });
}

int FileRead(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
  return Guarded([&] {
    const auto wanted = static_cast<std::size_t>(count);
    const std::size_t got = Node(file).bytes.Read(out, wanted, static_cast<std::uint64_t>(offset));
    return got == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  });
}

int FileWrite(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
  return Guarded([&] {
    Node(file).bytes.Write(data, static_cast<std::size_t>(count), static_cast<std::uint64_t>(offset));
    return SQLITE_OK;
  });
}

int FileTruncate(sqlite3_file* file, sqlite3_int64 size) {
  return Guarded([&] {
    Node(file).bytes.Truncate(static_cast<std::uint64_t>(size));
    return SQLITE_OK;
  });
}

int FileSync(sqlite3_file*, int) { return SQLITE_OK; }

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Guarded([&] {
    *size = static_cast<sqlite3_int64>(Node(file).bytes.Size());
    return SQLITE_OK;
  });
}

int FileLock(sqlite3_file* file, int level) {
  return Guarded([&] { return Node(file).lock.Lock(&Self(file)->level, level); });
}

int FileCheckReservedLock(sqlite3_file* file, int* reserved) {
  return Guarded([&] {
    *reserved = Node(file).lock.IsReserved() ? 1 : 0;
    return SQLITE_OK;
  });
}

int FileControl(sqlite3_file*, int op, void* arg) {
  if (op != SQLITE_FCNTL_VFSNAME) return SQLITE_NOTFOUND;
  *static_cast<char**>(arg) = sqlite3_mprintf("%s", kMemoryVfs);
  return SQLITE_OK;
}

int FileSectorSize(sqlite3_file*) { return kSectorSize; }

int FileDeviceCharacteristics(sqlite3_file*) {
  return SQLITE_IOCAP_ATOMIC | SQLITE_IOCAP_SAFE_APPEND | SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int FileShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  *out = nullptr;
  return Guarded([&] {
    *out = Node(file).shm.Map(&Self(file)->shm, static_cast<std::size_t>(region), static_cast<std::size_t>(size),
                              extend != 0);
    return SQLITE_OK;
  });
}

int FileShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Guarded([&] { return Node(file).shm.Lock(&Self(file)->shm, offset, count, flags); });
}

void FileShmBarrier(sqlite3_file* file) {
  Guarded([&] {
    Node(file).shm.Barrier();
    return SQLITE_OK;
  });
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 2,
    .xClose = FileClose,
    .xRead = FileRead,
    .xWrite = FileWrite,
    .xTruncate = FileTruncate,
    .xSync = FileSync,
    .xFileSize = FileSize,
    .xLock = FileLock,
    .xUnlock = FileUnlock,
    .xCheckReservedLock = FileCheckReservedLock,
    .xFileControl = FileControl,
    .xSectorSize = FileSectorSize,
    .xDeviceCharacteristics = FileDeviceCharacteristics,
    .xShmMap = FileShmMap,
    .xShmLock = FileShmLock,
    .xShmBarrier = FileShmBarrier,
    .xShmUnmap = FileShmUnmap,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* Platform(sqlite3_vfs* vfs) { return static_cast<MemoryVfs*>(vfs->pAppData)->platform; }

int VfsOpen(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  return Guarded([&] {
    std::shared_ptr<MemoryNode> node = Registry().Open(name, flags);
    if (node == nullptr) return SQLITE_CANTOPEN;
    auto* self = new (file) MemoryHandle{};
    self->node = std::move(node);
    self->database_name = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? name : nullptr;
    self->handle.pMethods = &kMethods;
    if (out_flags != nullptr) *out_flags = flags;
    return SQLITE_OK;
  });
}

int VfsDelete(sqlite3_vfs*, const char* name, int) {
  return Guarded([&] { return Registry().Remove(name) ? SQLITE_OK : SQLITE_IOERR_DELETE_NOENT; });
}

// An empty file does not count, as in the unix VFS: SQLite asks for logs and journals worth reading.
int VfsAccess(sqlite3_vfs*, const char* name, int, int* result) {
  return Guarded([&] {
    const auto node = Registry().Find(name);
    *result = node != nullptr && node->bytes.Size() > 0 ? 1 : 0;
    return SQLITE_OK;
  });
}

int VfsFullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  const std::size_t length = std::strlen(name);
  if (length >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::memcpy(out, name, length + 1);
  return SQLITE_OK;
}

int VfsRandomness(sqlite3_vfs* vfs, int count, char* out) {
  return Platform(vfs)->xRandomness(Platform(vfs), count, out);
}

int VfsSleep(sqlite3_vfs* vfs, int microseconds) { return Platform(vfs)->xSleep(Platform(vfs), microseconds); }

int VfsCurrentTime(sqlite3_vfs* vfs, double* now) { return Platform(vfs)->xCurrentTime(Platform(vfs), now); }

int VfsCurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* now) {
  return Platform(vfs)->xCurrentTimeInt64(Platform(vfs), now);
}

int VfsGetLastError(sqlite3_vfs*, int, char*) { return 0; }

// Not registered with SQLite: reached through the shims only.
sqlite3_vfs* NewMemoryVfs(sqlite3_vfs* platform) {
  auto* memory = new (std::nothrow) MemoryVfs{};
  if (memory == nullptr) return nullptr;
  memory->platform = platform;
  sqlite3_vfs& vfs = memory->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(MemoryHandle));
  vfs.mxPathname = kMaxName;
  vfs.pAppData = memory;
  vfs.xOpen = VfsOpen;
  vfs.xDelete = VfsDelete;
  vfs.xAccess = VfsAccess;
  vfs.xFullPathname = VfsFullPathname;
  vfs.xRandomness = VfsRandomness;
  vfs.xSleep = VfsSleep;
  vfs.xCurrentTime = VfsCurrentTime;
  vfs.xGetLastError = VfsGetLastError;
  vfs.xCurrentTimeInt64 = VfsCurrentTimeInt64;
  return &vfs;
}

}  // namespace

int RegisterMemoryVfs() {
  static const int result = [] {
    sqlite3_vfs* platform = PlatformVfs();
    if (platform == nullptr) return SQLITE_NOTFOUND;
    sqlite3_vfs* memory = NewMemoryVfs(platform);
    if (memory == nullptr) return SQLITE_NOMEM;
    const int rc = RegisterShim(kMemoryVfs, memory, WaitPolicy::kMayWait);
    return rc != SQLITE_OK ? rc : RegisterShim(kInlineMemoryVfs, memory, WaitPolicy::kNeverWait);
  }();
  return result;
}

std::string NewMemoryName() {
  static std::atomic<std::uint64_t> next{1};
  return "hypha-memory-" + std::to_string(next.fetch_add(1, std::memory_order_relaxed));
}

int CountMemoryFiles() { return Registry().Count(); }

}  // namespace hypha
