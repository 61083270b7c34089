// The VFSes every connection is opened with. A shim passes all calls to a base VFS and adds three things: the state
// of the write-ahead log can be asked without a query, a failed sync is remembered, and a connection can be kept
// from ever waiting.
//
// Where encryption comes in: the cipher VFS of SQLite3 Multiple Ciphers must be *outside* of ours. It encrypts WAL
// frames only when its own methods are the ones SQLite sees; under a foreign shim it would write them in plain text,
// without an error. So the shims sit on the platform's VFS, and an encrypted database is opened with the VFS name
// kCipherPrefix + (name of the shim), which the library creates on demand. All that is said below holds there too.
#pragma once

#include <optional>

#include "sqlite/vfs_wal_index.h"
#include "sqlite3.h"

namespace hypha {

// For connections that may wait: on worker threads.
inline constexpr char kFileVfs[] = "hypha-file";
// For connections on the JavaScript thread: WaitPolicy::kNeverWait over the same files.
inline constexpr char kInlineVfs[] = "hypha-inline";
inline constexpr char kCipherPrefix[] = "multipleciphers-";

enum class WaitPolicy {
  kMayWait,
  // xSleep returns at once, and nothing that needs other connections out of the way is allowed: locks on the
  // database above SHARED, locks of CheckInlineShmLock, deleting a file. The connection only reads: it cannot
  // write, checkpoint, recover the wal-index or roll back a journal, and closing it as the last one leaves -wal and
  // -shm as they are. Where it would have to, and where SQLite would sleep and retry, a statement fails with
  // SQLITE_BUSY (any extended code) or SQLITE_PROTOCOL (100 retries without sleeping): read in another connection.
  // Set SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE as well (it saves a useless attempt) and no busy handler.
  kNeverWait,
};

// The VFS of the operating system: the default one without the cipher VFS around it.
sqlite3_vfs* PlatformVfs();

// Registers a shim over `base` under `name`; both must live as long as the process. Memory mapping is not offered.
// Returns an SQLite result code. Thread-safe; call once for a name.
int RegisterShim(const char* name, sqlite3_vfs* base, WaitPolicy policy);

// Registers kFileVfs and kInlineVfs. Thread-safe, only the first call does something, all return its result code.
int RegisterFileVfs();

// File control codes answered by every shim, on the main database file. SQLite's own codes are below 100.
inline constexpr int kWalStateFcntl = 0x48595001;     // WalState*: filled in
inline constexpr int kSyncFailureFcntl = 0x48595002;  // bool*: as TakeSyncFailure
inline constexpr int kRecoveredFcntl = 0x48595004;    // bool*: as HasRecovered
inline constexpr int kReadFailureFcntl = 0x48595006;  // bool*: as TakeReadFailure
inline constexpr int kLogEndFcntl = 0x48595007;       // sqlite3_int64*: as LogEndOfTransaction

// The helpers belong to the thread that uses `db` at the moment, and need no transaction.

// The log of the main database. nullopt: not opened through a shim, not yet read in WAL mode, or no usable wal-index.
std::optional<WalState> ReadWalState(sqlite3* db);

// Where in the log (bytes) the frames end that the open write transaction has put there before its commit, the pages
// that had no room in the cache; 0: none so far.
sqlite3_int64 LogEndOfTransaction(sqlite3* db);

// Whether a sync of the main database or of its log failed on this connection since the last call: then what was
// written may or may not be on the disk, while any other failed write is known not to count.
bool TakeSyncFailure(sqlite3* db);

// Whether a read of either failed since the last call. A check of the structure calls what it could not read damaged.
bool TakeReadFailure(sqlite3* db);

// Whether this connection has read the log to rebuild its index: nobody else had it, or whoever had it died.
bool HasRecovered(sqlite3* db);

}  // namespace hypha
