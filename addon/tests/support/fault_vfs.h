// The memory VFS with faults that a test switches on and off, under the name kFaultVfs.
#pragma once

#include <atomic>
#include <new>

#include "sqlite/vfs_memory.h"
#include "sqlite3.h"

namespace hypha::test {

inline constexpr char kFaultVfs[] = "hypha-fault";

struct Faults {
  std::atomic<int> write_error{SQLITE_OK};  // what each write of the log answers
  std::atomic<int> sync_error{SQLITE_OK};   // what each sync answers
  std::atomic<bool> log_syncs{false};       // but those of the log, which succeed
  std::atomic<int> writes_before_error{0};  // writes that still succeed
  std::atomic<int> syncs{0};                // how many were asked for

  void Clear() {
    write_error = SQLITE_OK;
    sync_error = SQLITE_OK;
    log_syncs = false;
    writes_before_error = 0;
    syncs = 0;
  }
};

inline Faults& TheFaults() {
  static Faults faults;
  return faults;
}

namespace fault_vfs {

struct File {
  sqlite3_file handle;
  sqlite3_file* inner;
  bool is_log;
};

inline sqlite3_file* Inner(sqlite3_file* file) { return reinterpret_cast<File*>(file)->inner; }
inline sqlite3_vfs* Base() { return sqlite3_vfs_find(kMemoryVfs); }

inline int Write(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
  const int error = TheFaults().write_error;
  if (error != SQLITE_OK && reinterpret_cast<File*>(file)->is_log && TheFaults().writes_before_error-- <= 0)
    return error;
  return Inner(file)->pMethods->xWrite(Inner(file), data, count, offset);
}
inline int Sync(sqlite3_file* file, int flags) {
  ++TheFaults().syncs;
  const bool spared = TheFaults().log_syncs && reinterpret_cast<File*>(file)->is_log;
  const int error = spared ? SQLITE_OK : TheFaults().sync_error.load();
  return error != SQLITE_OK ? error : Inner(file)->pMethods->xSync(Inner(file), flags);
}

inline const sqlite3_io_methods& Methods() {
  static const sqlite3_io_methods methods = [] {
    sqlite3_io_methods m{};
    m.iVersion = 2;
    m.xClose = [](sqlite3_file* f) { return Inner(f)->pMethods->xClose(Inner(f)); };
    m.xRead = [](sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
      return Inner(f)->pMethods->xRead(Inner(f), out, n, at);
    };
    m.xWrite = &Write;
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) { return Inner(f)->pMethods->xTruncate(Inner(f), size); };
    m.xSync = &Sync;
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) { return Inner(f)->pMethods->xFileSize(Inner(f), size); };
    m.xLock = [](sqlite3_file* f, int level) { return Inner(f)->pMethods->xLock(Inner(f), level); };
    m.xUnlock = [](sqlite3_file* f, int level) { return Inner(f)->pMethods->xUnlock(Inner(f), level); };
    m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return Inner(f)->pMethods->xCheckReservedLock(Inner(f), out);
    };
    m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      return Inner(f)->pMethods->xFileControl(Inner(f), op, arg);
    };
    m.xSectorSize = [](sqlite3_file* f) { return Inner(f)->pMethods->xSectorSize(Inner(f)); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) { return Inner(f)->pMethods->xDeviceCharacteristics(Inner(f)); };
    m.xShmMap = [](sqlite3_file* f, int region, int size, int extend, void volatile** out) {
      return Inner(f)->pMethods->xShmMap(Inner(f), region, size, extend, out);
    };
    m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
      return Inner(f)->pMethods->xShmLock(Inner(f), offset, n, flags);
    };
    m.xShmBarrier = [](sqlite3_file* f) { Inner(f)->pMethods->xShmBarrier(Inner(f)); };
    m.xShmUnmap = [](sqlite3_file* f, int remove) { return Inner(f)->pMethods->xShmUnmap(Inner(f), remove); };
    return m;
  }();
  return methods;
}

inline int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0)
    return Base()->xOpen(Base(), name, file, flags, out_flags);
  auto* self = new (file) File{};
  self->inner = reinterpret_cast<sqlite3_file*>(self + 1);
  self->is_log = (flags & SQLITE_OPEN_WAL) != 0;
  const int rc = Base()->xOpen(Base(), name, self->inner, flags, out_flags);
  self->handle.pMethods = self->inner->pMethods == nullptr ? nullptr : &Methods();
  return rc;
}

}  // namespace fault_vfs

// Needs RegisterMemoryVfs() before. The names of databases are shared with kMemoryVfs.
inline int RegisterFaultVfs() {
  static const int result = [] {
    static sqlite3_vfs vfs = *fault_vfs::Base();  // the other calls go to the memory VFS, which looks at pAppData only
    vfs.zName = kFaultVfs;
    vfs.szOsFile += static_cast<int>(sizeof(fault_vfs::File));
    vfs.xOpen = &fault_vfs::Open;
    vfs.pNext = nullptr;
    return sqlite3_vfs_register(&vfs, 0);
  }();
  return result;
}

}  // namespace hypha::test
