// A VFS that passes every call on to another one and lets a hook look at it first: the hook may count, fail the call,
// or kill the process before or after it.
#pragma once

#include <cstdint>

#include "sqlite3.h"

namespace hypha::reliability {

enum class Method : std::uint8_t {
  kOpen,
  kRead,
  kWrite,
  kTruncate,
  kSync,
  kFileSize,
  kLock,
  kCheckReservedLock,
  kShmMap,
  kShmLock,
  kDelete,
  kAccess,
  kFullPathname,
  // Done, whatever is told.
  kUnlock,
  kShmUnmap,
  kFileControl,
  // Not SQLite's: see system_calls.h. What the hook answers of them is an errno.
  kFsync,
  kSyncFileRange,
  kRename,  // `offset` is the call's flags
  kUnlink,
  kPlainOpen,
  kPlainRead,
  kPlainWrite,
  kClose,
  kMakeDirectory,
  kCount
};
const char* NameOf(Method method);

enum class FileKind : std::uint8_t { kDatabase, kLog, kOther };

struct VfsCall {
  Method method;
  FileKind file;
  const char* vfs;  // the name it was registered by
  sqlite3_int64 offset = 0;
  int bytes = 0;
};

class CallHook {
 public:
  virtual ~CallHook() = default;
  // SQLITE_OK to go on, else what the call answers. Of a write the first *landed bytes are written all the same.
  virtual int Before(const VfsCall& call, int* landed) = 0;
  // After a call that went through, and after the part of a failed write that did.
  virtual void After(const VfsCall& /*call*/) {}
};

// One hook for all files of all these VFSes; null: none. Set it while nothing is open.
void SetCallHook(CallHook* hook);

// What the hook answers before the call; and tells it of one that went through.
int AskHook(const VfsCall& call, int* landed = nullptr);
void TellHook(const VfsCall& call);

// The hook refuses this thread a lock that nobody holds: its next sleep in such a VFS would wait for nothing, and takes
// no time.
void NoteRefusedLock();

int RegisterInjectVfs(const char* name, sqlite3_vfs* base, bool make_default);

}  // namespace hypha::reliability
