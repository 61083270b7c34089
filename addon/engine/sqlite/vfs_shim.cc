#include "sqlite/vfs_shim.h"

#include <cstring>
#include <new>
#include <utility>

#include "base/mutant.h"
#include "sqlite/log_buffer.h"
#include "sqlite/log_read_ahead.h"
#include "sqlite/write_turn.h"

namespace hypha {
namespace {

// The file behind the shim at the end of the stack, for the WAL to find its database through a cipher VFS.
constexpr int kSelfFcntl = 0x48595003;
// SQLite holds this slot of the wal-index alone while it recovers (wal.c).
constexpr int kRecoverSlot = 2;

struct ShimVfs {
  sqlite3_vfs vfs;
  sqlite3_vfs* base;
  WaitPolicy policy;
};

// Lives in the memory SQLite provides, with the file of the base VFS behind it. Trivially destructible: SQLite just
// frees that memory.
struct ShimFile {
  sqlite3_file handle;  // first: SQLite knows this file by its address
  sqlite3_file* inner;
  ShimFile* main;  // where syncs are accounted: the database of this log, or the file itself
  volatile void* region;
  WaitPolicy policy;
  bool sync_failed;
  bool read_failed;     // accounted as syncs are
  ShimFile* log;        // of a database: its log while that is open
  LogBuffer* buffer;    // of a log that is written in frames: owned
  LogReadAhead* ahead;  // of a log that is being recovered: owned
  bool recovered;
};

sqlite3_vfs* Base(sqlite3_vfs* vfs) { return static_cast<ShimVfs*>(vfs->pAppData)->base; }
bool NeverWaits(sqlite3_vfs* vfs) { return static_cast<ShimVfs*>(vfs->pAppData)->policy == WaitPolicy::kNeverWait; }

ShimFile* Self(sqlite3_file* file) { return reinterpret_cast<ShimFile*>(file); }
sqlite3_file* Inner(sqlite3_file* file) { return Self(file)->inner; }
const sqlite3_io_methods* Methods(sqlite3_file* file) { return Inner(file)->pMethods; }

// Before anything might look at the file.
int Flush(sqlite3_file* file) {
  LogBuffer* buffer = Self(file)->buffer;
  return buffer == nullptr ? SQLITE_OK : buffer->Flush();
}

int FileClose(sqlite3_file* file) {
  ShimFile* self = Self(file);
  const int flushed = Flush(file);
  if (self->main->log == self) self->main->log = nullptr;
  delete std::exchange(self->buffer, nullptr);
  delete std::exchange(self->ahead, nullptr);
  const int rc = Methods(file)->xClose(Inner(file));
  return rc == SQLITE_OK ? flushed : rc;
}

int ReadThrough(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
  if (LogReadAhead* ahead = Self(file)->ahead; ahead != nullptr) return ahead->Read(out, count, offset);
  LogBuffer* buffer = Self(file)->buffer;
  return buffer == nullptr ? Methods(file)->xRead(Inner(file), out, count, offset) : buffer->Read(out, count, offset);
}

int FileRead(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
  const int rc = ReadThrough(file, out, count, offset);
  if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ) Self(file)->main->read_failed = true;
  return rc;
}

int FileWrite(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
  LogBuffer* buffer = Self(file)->buffer;
  return buffer == nullptr ? Methods(file)->xWrite(Inner(file), data, count, offset)
                           : buffer->Write(data, count, offset);
}

int FileTruncate(sqlite3_file* file, sqlite3_int64 size) {
  const int flushed = Flush(file);
  return flushed == SQLITE_OK ? Methods(file)->xTruncate(Inner(file), size) : flushed;
}

int FileSync(sqlite3_file* file, int flags) {
  ShimFile* self = Self(file);
  if (Mutated(self->main != self ? Mutant::kSkipLogSync : Mutant::kSkipDatabaseSync)) return Flush(file);
  int rc = Mutated(Mutant::kSyncWithoutHeader) ? SQLITE_OK : Flush(file);
  if (rc == SQLITE_OK) rc = Methods(file)->xSync(Inner(file), flags);
  // The kernel has dropped what it could not write: the second sync finds nothing to do.
  if (rc != SQLITE_OK && Mutated(Mutant::kRetryFailedSync)) rc = Methods(file)->xSync(Inner(file), flags);
  if (rc != SQLITE_OK) Self(file)->main->sync_failed = true;
  return rc;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  const int flushed = Flush(file);
  return flushed == SQLITE_OK ? Methods(file)->xFileSize(Inner(file), size) : flushed;
}

int FileLock(sqlite3_file* file, int level) {
  if (Self(file)->policy == WaitPolicy::kNeverWait && level > SQLITE_LOCK_SHARED) return SQLITE_BUSY;
  return Methods(file)->xLock(Inner(file), level);
}

int FileUnlock(sqlite3_file* file, int level) { return Methods(file)->xUnlock(Inner(file), level); }

int FileCheckReservedLock(sqlite3_file* file, int* reserved) {
  return Methods(file)->xCheckReservedLock(Inner(file), reserved);
}

LogBuffer* LogOf(sqlite3_file* database) {
  ShimFile* log = Self(database)->log;
  return log == nullptr ? nullptr : log->buffer;
}

sqlite3_int64 EndOfTransaction(sqlite3_file* database) {
  const LogBuffer* log = LogOf(database);
  return log == nullptr ? 0 : log->end();
}

int FileControl(sqlite3_file* file, int op, void* arg) {
  ShimFile* self = Self(file);
  switch (op) {
    case kWalStateFcntl:
      *static_cast<WalState*>(arg) = ReadWalIndex(self->region).value_or(WalState{});
      return SQLITE_OK;
    case kSyncFailureFcntl: *static_cast<bool*>(arg) = std::exchange(self->sync_failed, false); return SQLITE_OK;
    case kReadFailureFcntl: *static_cast<bool*>(arg) = std::exchange(self->read_failed, false); return SQLITE_OK;
    case kWriteNoteFcntl: AnswerWriteNote(self->region, static_cast<WriteNote*>(arg)); return SQLITE_OK;
    case kRecoveredFcntl: *static_cast<bool*>(arg) = self->recovered; return SQLITE_OK;
    case kLogEndFcntl: *static_cast<sqlite3_int64*>(arg) = EndOfTransaction(file); return SQLITE_OK;
    case kSelfFcntl: *static_cast<ShimFile**>(arg) = self; return SQLITE_OK;
    default: return Methods(file)->xFileControl(Inner(file), op, arg);
  }
}

int FileSectorSize(sqlite3_file* file) { return Methods(file)->xSectorSize(Inner(file)); }

int FileDeviceCharacteristics(sqlite3_file* file) { return Methods(file)->xDeviceCharacteristics(Inner(file)); }

int FileShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  const int rc = Methods(file)->xShmMap(Inner(file), region, size, extend, out);
  if (region == 0) Self(file)->region = rc == SQLITE_OK || rc == SQLITE_READONLY ? *out : nullptr;
  return rc;
}

bool IsRecovery(int offset, int count, int flags) {
  const bool alone = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  return alone && offset <= kRecoverSlot && offset + count > kRecoverSlot;
}

void BeginRecovery(ShimFile* database) {
  database->recovered = true;
  if (ShimFile* log = database->log; log != nullptr) log->ahead = new (std::nothrow) LogReadAhead(log->inner);
}

void EndRecovery(ShimFile* database) {
  if (ShimFile* log = database->log; log != nullptr) delete std::exchange(log->ahead, nullptr);
}

int FileShmLock(sqlite3_file* file, int offset, int count, int flags) {
  if (Self(file)->policy == WaitPolicy::kNeverWait) {
    const int rc = CheckInlineShmLock(Self(file)->region, offset, flags);
    if (rc != SQLITE_OK) return rc;
  }
  const bool unlocks = (flags & SQLITE_SHM_UNLOCK) != 0;
  if (unlocks && IsRecovery(offset, count, flags)) EndRecovery(Self(file));
  LogBuffer* log = IsWriteLock(offset, flags) ? LogOf(file) : nullptr;
  if (log != nullptr && unlocks) log->EndTransaction();
  const int rc = Methods(file)->xShmLock(Inner(file), offset, count, flags);
  NoteWriteLock(Self(file)->region, offset, flags, rc);
  if (log != nullptr && !unlocks && rc == SQLITE_OK) log->BeginTransaction();
  if (!unlocks && rc == SQLITE_OK && IsRecovery(offset, count, flags)) BeginRecovery(Self(file));
  return rc;
}

void FileShmBarrier(sqlite3_file* file) { Methods(file)->xShmBarrier(Inner(file)); }

int FileShmUnmap(sqlite3_file* file, int remove) {
  Self(file)->region = nullptr;
  return Methods(file)->xShmUnmap(Inner(file), remove);
}

constexpr sqlite3_io_methods MakeMethods(bool with_shm) {
  sqlite3_io_methods methods{};
  methods.iVersion = with_shm ? 2 : 1;
  methods.xClose = FileClose;
  methods.xRead = FileRead;
  methods.xWrite = FileWrite;
  methods.xTruncate = FileTruncate;
  methods.xSync = FileSync;
  methods.xFileSize = FileSize;
  methods.xLock = FileLock;
  methods.xUnlock = FileUnlock;
  methods.xCheckReservedLock = FileCheckReservedLock;
  methods.xFileControl = FileControl;
  methods.xSectorSize = FileSectorSize;
  methods.xDeviceCharacteristics = FileDeviceCharacteristics;
  if (!with_shm) return methods;
  methods.xShmMap = FileShmMap;
  methods.xShmLock = FileShmLock;
  methods.xShmBarrier = FileShmBarrier;
  methods.xShmUnmap = FileShmUnmap;
  return methods;
}

constexpr sqlite3_io_methods kPlainMethods = MakeMethods(false);
constexpr sqlite3_io_methods kShmMethods = MakeMethods(true);

const sqlite3_io_methods* MethodsFor(const sqlite3_file* inner) {
  if (inner->pMethods == nullptr) return nullptr;
  return inner->pMethods->iVersion >= 2 && inner->pMethods->xShmMap != nullptr ? &kShmMethods : &kPlainMethods;
}

// SQLite closes a log before its database, so the pointer outlives its user.
ShimFile* DatabaseOf(const char* wal_name, ShimFile* otherwise) {
  sqlite3_file* database = sqlite3_database_file_object(wal_name);
  ShimFile* found = otherwise;
  if (database->pMethods != nullptr) database->pMethods->xFileControl(database, kSelfFcntl, &found);
  return found;
}

// Not where SQLite pads a commit to a whole sector: pieces of a frame come after its sync then. Without memory for it,
// the log is written as it comes.
void GatherFrames(ShimFile* log) {
  const sqlite3_file* database = log->main->inner;
  const int traits = database->pMethods->xDeviceCharacteristics(log->main->inner);
  if ((traits & SQLITE_IOCAP_POWERSAFE_OVERWRITE) == 0) return;
  log->buffer = new (std::nothrow) LogBuffer(log->inner);
  log->main->log = log;
}

int VfsOpen(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* base = Base(vfs);
  // Nothing is added to temporary files and journals: they need no layer of ours.
  if ((flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0) return base->xOpen(base, name, file, flags, out_flags);
  auto* self = new (file) ShimFile{};
  self->policy = static_cast<ShimVfs*>(vfs->pAppData)->policy;
  self->main = (flags & SQLITE_OPEN_WAL) != 0 ? DatabaseOf(name, self) : self;
  self->inner = reinterpret_cast<sqlite3_file*>(self + 1);
  self->inner->pMethods = nullptr;
  const int rc = base->xOpen(base, name, self->inner, flags, out_flags);
  // Methods left set by a failed open ask for a close.
  self->handle.pMethods = MethodsFor(self->inner);
  if (rc == SQLITE_OK && self->main != self) GatherFrames(self);
  return rc;
}

int VfsDelete(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  return NeverWaits(vfs) ? SQLITE_BUSY : Base(vfs)->xDelete(Base(vfs), name, sync_directory);
}

int VfsAccess(sqlite3_vfs* vfs, const char* name, int flags, int* result) {
  return Base(vfs)->xAccess(Base(vfs), name, flags, result);
}

int VfsFullPathname(sqlite3_vfs* vfs, const char* name, int size, char* out) {
  return Base(vfs)->xFullPathname(Base(vfs), name, size, out);
}

int VfsRandomness(sqlite3_vfs* vfs, int count, char* out) { return Base(vfs)->xRandomness(Base(vfs), count, out); }

int VfsSleep(sqlite3_vfs* vfs, int microseconds) {
  return NeverWaits(vfs) ? 0 : Base(vfs)->xSleep(Base(vfs), microseconds);
}

int VfsCurrentTime(sqlite3_vfs* vfs, double* now) { return Base(vfs)->xCurrentTime(Base(vfs), now); }

int VfsGetLastError(sqlite3_vfs* vfs, int size, char* out) {
  return Base(vfs)->xGetLastError == nullptr ? 0 : Base(vfs)->xGetLastError(Base(vfs), size, out);
}

int VfsCurrentTimeInt64(sqlite3_vfs* vfs, sqlite3_int64* now) { return Base(vfs)->xCurrentTimeInt64(Base(vfs), now); }

}  // namespace

sqlite3_vfs* PlatformVfs() {
  sqlite3_vfs* vfs = sqlite3_vfs_find(nullptr);
  const std::size_t prefix = std::strlen(kCipherPrefix);
  if (vfs == nullptr || std::strncmp(vfs->zName, kCipherPrefix, prefix) != 0) return vfs;
  return sqlite3_vfs_find(vfs->zName + prefix);
}

int RegisterShim(const char* name, sqlite3_vfs* base, WaitPolicy policy) {
  auto* shim = new (std::nothrow) ShimVfs{};
  if (shim == nullptr) return SQLITE_NOMEM;
  shim->base = base;
  shim->policy = policy;
  sqlite3_vfs& vfs = shim->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = static_cast<int>(sizeof(ShimFile)) + base->szOsFile;
  vfs.mxPathname = base->mxPathname;
  vfs.zName = name;
  vfs.pAppData = shim;
  vfs.xOpen = VfsOpen;
  vfs.xDelete = VfsDelete;
  vfs.xAccess = VfsAccess;
  vfs.xFullPathname = VfsFullPathname;
  vfs.xRandomness = VfsRandomness;
  vfs.xSleep = VfsSleep;
  vfs.xCurrentTime = VfsCurrentTime;
  vfs.xGetLastError = VfsGetLastError;
  vfs.xCurrentTimeInt64 = VfsCurrentTimeInt64;
  const int rc = sqlite3_vfs_register(&vfs, 0);
  if (rc != SQLITE_OK) delete shim;
  return rc;
}

int RegisterFileVfs() {
  static const int result = [] {
    sqlite3_vfs* base = PlatformVfs();
    if (base == nullptr) return SQLITE_NOTFOUND;
    const int rc = RegisterShim(kFileVfs, base, WaitPolicy::kMayWait);
    return rc != SQLITE_OK ? rc : RegisterShim(kInlineVfs, base, WaitPolicy::kNeverWait);
  }();
  return result;
}

std::optional<WalState> ReadWalState(sqlite3* db) {
  WalState state;
  if (sqlite3_file_control(db, "main", kWalStateFcntl, &state) != SQLITE_OK || !state.known) return std::nullopt;
  return state;
}

sqlite3_int64 LogEndOfTransaction(sqlite3* db) {
  sqlite3_int64 end = 0;
  return sqlite3_file_control(db, "main", kLogEndFcntl, &end) == SQLITE_OK ? end : 0;
}

bool TakeSyncFailure(sqlite3* db) {
  bool failed = false;
  return sqlite3_file_control(db, "main", kSyncFailureFcntl, &failed) == SQLITE_OK && failed;
}

bool TakeReadFailure(sqlite3* db) {
  bool failed = false;
  return sqlite3_file_control(db, "main", kReadFailureFcntl, &failed) == SQLITE_OK && failed;
}

bool HasRecovered(sqlite3* db) {
  bool recovered = false;
  return sqlite3_file_control(db, "main", kRecoveredFcntl, &recovered) == SQLITE_OK && recovered;
}

}  // namespace hypha
