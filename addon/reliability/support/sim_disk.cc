#include "support/sim_disk.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#include "sqlite/vfs_memory_file.h"
#include "sqlite/vfs_memory_shm.h"
#include "sqlite/vfs_shim.h"
#include "support/exempt.h"
#include "support/inject_vfs.h"

namespace hypha::reliability {
namespace {

using Kind = DiskEvent::Kind;

struct Node {
  int number = 0;
  std::string bytes;
  MemoryFileLock lock;
  MemoryShm shm;
  bool name_needs_sync = false;  // a log or journal that was created: its first sync is one of the directory as well
};

struct Disk {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Node>> names;
  DiskTrace trace;
  int next_number = 0;
  int handles = 0;
  std::uint64_t capacity = 0;
};

Disk& TheDisk() {
  static auto* disk = new Disk;
  return *disk;
}

// What the disk keeps for itself is no memory of the engine's.
class DiskLock {
 public:
  DiskLock() : lock_(TheDisk().mutex) {}

 private:
  const Exempt exempt_;
  const std::lock_guard<std::mutex> lock_;
};

struct Handle {
  sqlite3_file handle;
  std::shared_ptr<Node> node;
  int level = SQLITE_LOCK_NONE;
  MemoryShm::Client shm;
};

Handle* Self(sqlite3_file* file) { return reinterpret_cast<Handle*>(file); }
Node& NodeOf(sqlite3_file* file) { return *Self(file)->node; }

void Record(DiskEvent event) { TheDisk().trace.events.push_back(std::move(event)); }

std::uint64_t UsedBytes() {
  std::uint64_t used = 0;
  for (const auto& [name, node] : TheDisk().names) used += node->bytes.size();
  return used;
}

int FileClose(sqlite3_file* file) {
  NodeOf(file).shm.Detach(&Self(file)->shm);
  NodeOf(file).lock.Unlock(&Self(file)->level, SQLITE_LOCK_NONE);
  std::destroy_at(Self(file));
  const DiskLock lock;
  --TheDisk().handles;
  return SQLITE_OK;
}

int FileRead(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
  const DiskLock lock;
  const std::string& bytes = NodeOf(file).bytes;
  const auto from = static_cast<std::size_t>(offset);
  const auto wanted = static_cast<std::size_t>(count);
  const std::size_t got = from < bytes.size() ? std::min(wanted, bytes.size() - from) : 0;
  if (got > 0) std::memcpy(out, bytes.data() + from, got);
  if (got < wanted) std::memset(static_cast<char*>(out) + got, 0, wanted - got);
  return got == wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int FileWrite(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
  const DiskLock lock;
  Node& node = NodeOf(file);
  const auto end = static_cast<std::size_t>(offset) + static_cast<std::size_t>(count);
  if (end > node.bytes.size()) {
    if (TheDisk().capacity != 0 && UsedBytes() + end - node.bytes.size() > TheDisk().capacity) return SQLITE_FULL;
    node.bytes.resize(end, '\0');
  }
  std::memcpy(node.bytes.data() + offset, data, static_cast<std::size_t>(count));
  Record({Kind::kWrite, node.number, static_cast<std::uint64_t>(offset),
          std::string(static_cast<const char*>(data), static_cast<std::size_t>(count))});
  return SQLITE_OK;
}

int FileTruncate(sqlite3_file* file, sqlite3_int64 size) {
  const DiskLock lock;
  Node& node = NodeOf(file);
  if (static_cast<std::size_t>(size) < node.bytes.size()) node.bytes.resize(static_cast<std::size_t>(size));
  Record({Kind::kTruncate, node.number, static_cast<std::uint64_t>(size), ""});
  return SQLITE_OK;
}

int FileSync(sqlite3_file* file, int) {
  const DiskLock lock;
  Node& node = NodeOf(file);
  Record({Kind::kSync, node.number, 0, ""});
  if (std::exchange(node.name_needs_sync, false)) Record({Kind::kSyncDirectory, 0, 0, ""});
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  const DiskLock lock;
  *size = static_cast<sqlite3_int64>(NodeOf(file).bytes.size());
  return SQLITE_OK;
}

sqlite3_io_methods MakeMethods() {
  sqlite3_io_methods m{};
  m.iVersion = 2;
  m.xClose = &FileClose;
  m.xRead = &FileRead;
  m.xWrite = &FileWrite;
  m.xTruncate = &FileTruncate;
  m.xSync = &FileSync;
  m.xFileSize = &FileSize;
  m.xLock = [](sqlite3_file* f, int level) { return NodeOf(f).lock.Lock(&Self(f)->level, level); };
  m.xUnlock = [](sqlite3_file* f, int level) {
    NodeOf(f).lock.Unlock(&Self(f)->level, level);
    return SQLITE_OK;
  };
  m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
    *out = NodeOf(f).lock.IsReserved() ? 1 : 0;
    return SQLITE_OK;
  };
  m.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
  m.xSectorSize = [](sqlite3_file*) { return 4096; };
  m.xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; };
  m.xShmMap = [](sqlite3_file* f, int region, int size, int extend, void volatile** out) {
    try {
      *out = NodeOf(f).shm.Map(&Self(f)->shm, static_cast<std::size_t>(region), static_cast<std::size_t>(size),
                               extend != 0);
    } catch (const std::bad_alloc&) {  // nothing may be thrown through SQLite
      return SQLITE_IOERR_NOMEM;
    }
    return SQLITE_OK;
  };
  m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
    return NodeOf(f).shm.Lock(&Self(f)->shm, offset, n, flags);
  };
  m.xShmBarrier = [](sqlite3_file* f) { NodeOf(f).shm.Barrier(); };
  m.xShmUnmap = [](sqlite3_file* f, int) {
    NodeOf(f).shm.Detach(&Self(f)->shm);
    return SQLITE_OK;
  };
  return m;
}

int VfsOpen(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  static const sqlite3_io_methods methods = MakeMethods();
  file->pMethods = nullptr;
  const DiskLock lock;
  std::shared_ptr<Node> node;
  const auto found = name == nullptr ? TheDisk().names.end() : TheDisk().names.find(name);
  if (found != TheDisk().names.end()) {
    node = found->second;
  } else {
    if ((flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
    node = std::make_shared<Node>();
    node->number = TheDisk().next_number++;
    node->name_needs_sync = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    if (name != nullptr) TheDisk().names[name] = node;
    if (name != nullptr) Record({Kind::kCreate, node->number, 0, name});
  }
  auto* self = new (file) Handle{};
  self->node = std::move(node);
  self->handle.pMethods = &methods;
  ++TheDisk().handles;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int VfsDelete(sqlite3_vfs*, const char* name, int sync_directory) {
  const DiskLock lock;
  const auto found = TheDisk().names.find(name);
  if (found == TheDisk().names.end()) return SQLITE_IOERR_DELETE_NOENT;
  Record({Kind::kDelete, found->second->number, 0, name});
  TheDisk().names.erase(found);
  if (sync_directory != 0) Record({Kind::kSyncDirectory, 0, 0, ""});
  return SQLITE_OK;
}

int VfsAccess(sqlite3_vfs*, const char* name, int, int* result) {
  const DiskLock lock;
  const auto found = TheDisk().names.find(name);
  *result = found != TheDisk().names.end() && !found->second->bytes.empty() ? 1 : 0;
  return SQLITE_OK;
}

int VfsFullPathname(sqlite3_vfs*, const char* name, int size, char* out) {
  if (std::strlen(name) >= static_cast<std::size_t>(size)) return SQLITE_CANTOPEN;
  std::strcpy(out, name);
  return SQLITE_OK;
}

sqlite3_vfs* NewSimVfs() {
  auto* vfs = new sqlite3_vfs(*PlatformVfs());  // the clock and randomness are the platform's
  vfs->iVersion = 2;
  vfs->szOsFile = static_cast<int>(sizeof(Handle));
  vfs->zName = "sim-base";
  vfs->pNext = nullptr;
  vfs->xOpen = &VfsOpen;
  vfs->xDelete = &VfsDelete;
  vfs->xAccess = &VfsAccess;
  vfs->xFullPathname = &VfsFullPathname;
  vfs->xSleep = [](sqlite3_vfs*, int us) { return PlatformVfs()->xSleep(PlatformVfs(), us); };
  vfs->xGetLastError = nullptr;
  return vfs;
}

}  // namespace

void RegisterSimDisk() {
  static const bool done = [] {
    sqlite3_initialize();
    RegisterInjectVfs(kSimInject, NewSimVfs(), false);
    sqlite3_vfs* base = sqlite3_vfs_find(kSimInject);
    return RegisterShim(kSimFile, base, WaitPolicy::kMayWait) == SQLITE_OK &&
           RegisterShim(kSimInline, base, WaitPolicy::kNeverWait) == SQLITE_OK;
  }();
  if (!done) std::abort();
}

Hooks OnSimDisk() {
  Hooks hooks;
  hooks.vfs = kSimFile;
  hooks.inline_vfs = kSimInline;
  return hooks;
}

void SimDisk::Mount(DiskImage image) {
  Disk& disk = TheDisk();
  const DiskLock lock;
  if (disk.handles != 0) {
    for (const auto& [name, node] : disk.names) {
      std::fprintf(stderr, "%s: %ld open handles\n", name.c_str(), node.use_count() - 1);
    }
    std::abort();
  }
  disk.names.clear();
  disk.next_number = 0;
  disk.capacity = 0;
  for (const auto& [name, bytes] : image) {
    auto node = std::make_shared<Node>();
    node->number = disk.next_number++;
    node->bytes = bytes;
    disk.names[name] = std::move(node);
  }
  disk.trace = {std::move(image), {}};
}

DiskImage SimDisk::Visible() {
  const DiskLock lock;
  DiskImage image;
  for (const auto& [name, node] : TheDisk().names) image[name] = node->bytes;
  return image;
}

DiskTrace SimDisk::TakeTrace() {
  const DiskLock lock;
  return std::exchange(TheDisk().trace, {});
}

void SimDisk::Mark(std::int64_t mark) {
  const DiskLock lock;
  Record({Kind::kMark, 0, 0, "", mark});
}

int SimDisk::OpenHandles() {
  const DiskLock lock;
  return TheDisk().handles;
}

void SimDisk::SetCapacity(std::uint64_t bytes) {
  const DiskLock lock;
  TheDisk().capacity = bytes;
}

void SimDisk::NoteFailedSync(bool log) {
  const DiskLock lock;
  for (const auto& [name, node] : TheDisk().names) {
    const bool is_log = name.size() > 4 && name.substr(name.size() - 4) == "-wal";
    if (is_log == log) Record({Kind::kLostSync, node->number, 0, ""});
  }
}

}  // namespace hypha::reliability
