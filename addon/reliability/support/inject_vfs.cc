#include "support/inject_vfs.h"

#include <array>
#include <atomic>
#include <new>
#include <utility>

namespace hypha::reliability {
namespace {

std::atomic<CallHook*> the_hook{nullptr};
thread_local bool lock_refused = false;

struct File {
  sqlite3_file handle;
  sqlite3_file* inner;
  FileKind kind;
  const char* vfs;
};

File* Self(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
sqlite3_file* Inner(sqlite3_file* file) { return Self(file)->inner; }
const sqlite3_io_methods* Methods(sqlite3_file* file) { return Inner(file)->pMethods; }
sqlite3_vfs* Base(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

template <class Run>
int Hooked(const VfsCall& call, Run run, int* landed = nullptr) {
  CallHook* hook = the_hook.load();
  if (hook == nullptr) return run();
  int unused = 0;
  const int rc = hook->Before(call, landed == nullptr ? &unused : landed);
  if (rc != SQLITE_OK) return rc;
  const int result = run();
  hook->After(call);
  return result;
}

VfsCall Call(Method method, sqlite3_file* file, sqlite3_int64 offset = 0, int bytes = 0) {
  return {method, Self(file)->kind, Self(file)->vfs, offset, bytes};
}

int Write(sqlite3_file* f, const void* data, int n, sqlite3_int64 at) {
  int landed = 0;
  const int rc = Hooked(
      Call(Method::kWrite, f, at, n), [&] { return Methods(f)->xWrite(Inner(f), data, n, at); }, &landed);
  if (rc == SQLITE_OK || landed == 0) return rc;
  Methods(f)->xWrite(Inner(f), data, landed < n ? landed : n, at);
  if (CallHook* hook = the_hook.load(); hook != nullptr) hook->After(Call(Method::kWrite, f, at, landed));
  return rc;
}

// A short read must be filled with zeros; any other failure leaves the buffer alone.
int Read(sqlite3_file* f, void* out, int n, sqlite3_int64 at) {
  return Hooked(Call(Method::kRead, f, at, n), [&] { return Methods(f)->xRead(Inner(f), out, n, at); });
}

sqlite3_io_methods MakeMethods() {
  sqlite3_io_methods m{};
  m.iVersion = 2;
  m.xClose = [](sqlite3_file* f) { return Methods(f)->xClose(Inner(f)); };
  m.xRead = &Read;
  m.xWrite = &Write;
  m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
    return Hooked(Call(Method::kTruncate, f, size), [&] { return Methods(f)->xTruncate(Inner(f), size); });
  };
  m.xSync = [](sqlite3_file* f, int flags) {
    return Hooked(Call(Method::kSync, f), [&] { return Methods(f)->xSync(Inner(f), flags); });
  };
  m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
    return Hooked(Call(Method::kFileSize, f), [&] { return Methods(f)->xFileSize(Inner(f), size); });
  };
  m.xLock = [](sqlite3_file* f, int level) {
    return Hooked(Call(Method::kLock, f), [&] { return Methods(f)->xLock(Inner(f), level); });
  };
  m.xUnlock = [](sqlite3_file* f, int level) {
    const int rc = Methods(f)->xUnlock(Inner(f), level);
    return Hooked(Call(Method::kUnlock, f), [&] { return rc; });
  };
  m.xCheckReservedLock = [](sqlite3_file* f, int* out) {
    return Hooked(Call(Method::kCheckReservedLock, f), [&] { return Methods(f)->xCheckReservedLock(Inner(f), out); });
  };
  m.xFileControl = [](sqlite3_file* f, int op, void* arg) {
    return Hooked(Call(Method::kFileControl, f, op), [&] { return Methods(f)->xFileControl(Inner(f), op, arg); });
  };
  m.xSectorSize = [](sqlite3_file* f) { return Methods(f)->xSectorSize(Inner(f)); };
  m.xDeviceCharacteristics = [](sqlite3_file* f) { return Methods(f)->xDeviceCharacteristics(Inner(f)); };
  m.xShmMap = [](sqlite3_file* f, int region, int size, int extend, void volatile** out) {
    return Hooked(Call(Method::kShmMap, f), [&] { return Methods(f)->xShmMap(Inner(f), region, size, extend, out); });
  };
  m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
    // Giving a lock back cannot fail.
    if ((flags & SQLITE_SHM_UNLOCK) != 0) return Methods(f)->xShmLock(Inner(f), offset, n, flags);
    return Hooked(Call(Method::kShmLock, f), [&] { return Methods(f)->xShmLock(Inner(f), offset, n, flags); });
  };
  m.xShmBarrier = [](sqlite3_file* f) { Methods(f)->xShmBarrier(Inner(f)); };
  m.xShmUnmap = [](sqlite3_file* f, int remove) {
    const int rc = Methods(f)->xShmUnmap(Inner(f), remove);
    return Hooked(Call(Method::kShmUnmap, f), [&] { return rc; });
  };
  return m;
}

FileKind KindOf(int flags) {
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) return FileKind::kDatabase;
  return (flags & SQLITE_OPEN_WAL) != 0 ? FileKind::kLog : FileKind::kOther;
}

int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  static const sqlite3_io_methods methods = MakeMethods();
  static const sqlite3_io_methods without_shm = [] {
    sqlite3_io_methods m = MakeMethods();
    m.iVersion = 1;
    return m;
  }();
  auto* self = new (file) File{};
  self->inner = reinterpret_cast<sqlite3_file*>(self + 1);
  self->inner->pMethods = nullptr;
  self->kind = KindOf(flags);
  self->vfs = vfs->zName;
  const int rc = Hooked({Method::kOpen, self->kind, vfs->zName},
                        [&] { return Base(vfs)->xOpen(Base(vfs), name, self->inner, flags, out_flags); });
  if (self->inner->pMethods != nullptr) {
    const bool has_shm = self->inner->pMethods->iVersion >= 2 && self->inner->pMethods->xShmMap != nullptr;
    self->handle.pMethods = has_shm ? &methods : &without_shm;
  }
  return rc;
}

int Delete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  return Hooked({Method::kDelete, FileKind::kOther, vfs->zName},
                [&] { return Base(vfs)->xDelete(Base(vfs), name, sync_directory); });
}

int Access(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  return Hooked({Method::kAccess, FileKind::kOther, vfs->zName},
                [&] { return Base(vfs)->xAccess(Base(vfs), name, flags, result); });
}

int FullPathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
  return Hooked({Method::kFullPathname, FileKind::kOther, vfs->zName},
                [&] { return Base(vfs)->xFullPathname(Base(vfs), name, size, out); });
}

}  // namespace

const char* NameOf(Method method) {
  static constexpr std::array kNames{"open",          "read",
                                     "write",         "truncate",
                                     "sync",          "file-size",
                                     "lock",          "check-reserved-lock",
                                     "shm-map",       "shm-lock",
                                     "delete",        "access",
                                     "full-pathname", "unlock",
                                     "shm-unmap",     "file-control",
                                     "fsync",         "sync-file-range",
                                     "rename",        "unlink",
                                     "plain-open",    "plain-read",
                                     "plain-write",   "close",
                                     "make-directory"};
  static_assert(kNames.size() == static_cast<std::size_t>(Method::kCount));
  return kNames[static_cast<std::size_t>(method)];
}

void SetCallHook(CallHook* hook) { the_hook = hook; }

int AskHook(const VfsCall& call, int* landed) {
  int unused = 0;
  CallHook* hook = the_hook.load();
  return hook == nullptr ? SQLITE_OK : hook->Before(call, landed == nullptr ? &unused : landed);
}

void TellHook(const VfsCall& call) {
  if (CallHook* hook = the_hook.load(); hook != nullptr) hook->After(call);
}

void NoteRefusedLock() { lock_refused = true; }

int RegisterInjectVfs(const char* name, sqlite3_vfs* base, bool make_default) {
  auto* vfs = new sqlite3_vfs(*base);
  vfs->iVersion = 2;
  vfs->szOsFile = static_cast<int>(sizeof(File)) + base->szOsFile;
  vfs->zName = name;
  vfs->pAppData = base;
  vfs->pNext = nullptr;
  vfs->xOpen = &Open;
  vfs->xDelete = &Delete;
  vfs->xAccess = &Access;
  vfs->xFullPathname = &FullPathname;
  vfs->xRandomness = [](sqlite3_vfs* v, int n, char* out) { return Base(v)->xRandomness(Base(v), n, out); };
  vfs->xSleep = [](sqlite3_vfs* v, int us) {
    return std::exchange(lock_refused, false) ? us : Base(v)->xSleep(Base(v), us);
  };
  vfs->xCurrentTime = [](sqlite3_vfs* v, double* now) { return Base(v)->xCurrentTime(Base(v), now); };
  vfs->xGetLastError = nullptr;
  vfs->xCurrentTimeInt64 = [](sqlite3_vfs* v, sqlite3_int64* now) { return Base(v)->xCurrentTimeInt64(Base(v), now); };
  return sqlite3_vfs_register(vfs, make_default ? 1 : 0);
}

}  // namespace hypha::reliability
