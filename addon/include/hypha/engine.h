// The engine: one database file in this process, shared by everybody who opened it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hypha/backup.h"
#include "hypha/hooks.h"
#include "hypha/inline_reader.h"
#include "hypha/types.h"

namespace hypha {

// Work on the whole file, between two commits. The copying ones never wait longer than wal.reader_gap_ms for readers.
enum class Maintenance : std::uint8_t {
  kPassive,   // copies what can be copied of the log without waiting
  kRestart,   // copies all of it, so that the next commit starts the log over
  kTruncate,  // and empties it
  kOptimize,  // refreshes the planner's statistics where SQLite thinks that they are stale
  kAnalyze,   // all of them
  kVacuum,    // rewrites the file without its free pages; needs about twice its size
};

// What opening found of a log that its last user had not copied: after a crash, or beside a process that still has it.
struct RecoveryReport {
  bool had_log = false;     // the log file was there and not empty
  bool recovered = false;   // nobody else had it: SQLite read it to find the last whole commit
  std::int64_t frames = 0;  // of the log after opening
  std::int64_t bytes = 0;   // of the log file before opening
  std::int64_t micros = 0;  // until the first read was answered
};

// How closing left the log.
struct CloseReport {
  bool last = false;        // this was the last share: the file was closed
  bool busy = false;        // readers or another process kept the log from being emptied; nothing is lost
  bool stopped = false;     // the writer had stopped: the log was left as it is
  std::int64_t frames = 0;  // left in the log
};

// Thread-safe. Callbacks run exactly once each, on a thread of the engine, without a lock held; they must be short.
class Engine {
 public:
  using WriteDone = std::function<void(WriteReply)>;
  using ReadDone = std::function<void(Result<ReadReply>)>;
  using StatusDone = std::function<void(Status)>;
  using BeginDone = std::function<void(Result<TransactionId>)>;
  using TextDone = std::function<void(Result<std::string>)>;

  virtual ~Engine() = default;

  // Commits in the order of these calls. `done` runs after the COMMIT, or with the reason why nothing was written.
  virtual void Write(WriteRequest request, WriteDone done) = 0;
  // Writes at once on the calling thread if that needs no waiting and no sync; false: nothing was done.
  virtual bool TryWriteInline(WriteRequest& request, WriteReply* reply) = 0;

  // Answers from a snapshot taken after this call. kTimeout and kAborted as `control` says.
  virtual void Read(ReadRequest request, ReadControl control, ReadDone done) = 0;
  void Read(ReadRequest request, ReadDone done) { Read(std::move(request), {}, std::move(done)); }

  // Transactions. kBusy when the writer is not free within busy_timeout_ms; kTransactionTimeout for each use after
  // `how.timeout_ms`, which counts from owning the writer. `how.cancelled` ends the wait for the writer.
  virtual void Begin(const void* owner, TransactionControl how, BeginDone done) = 0;
  void Begin(const void* owner, std::int64_t timeout_ms, BeginDone done) {
    Begin(owner, TransactionControl{timeout_ms}, std::move(done));
  }
  virtual void End(TransactionId id, bool commit, StatusDone done) = 0;
  virtual void WriteIn(TransactionId id, WriteRequest request, WriteDone done) = 0;
  virtual void ReadIn(TransactionId id, ReadRequest request, ReadControl control, ReadDone done) = 0;
  void ReadIn(TransactionId id, ReadRequest request, ReadDone done) {
    ReadIn(id, std::move(request), {}, std::move(done));
  }

  // The same at once on the calling thread, while nobody else has the writer and nothing waits for it; false: nothing
  // was done. Short work only, and no commit that syncs: the calling thread never waits. Reads of one key only.
  virtual bool TryBeginInline(const void* owner, const TransactionControl& how, TransactionId* id) = 0;
  virtual bool TryWriteInInline(TransactionId id, WriteRequest& request, WriteReply* reply) = 0;
  virtual bool TryReadInInline(TransactionId id, const GetEntrySpec& spec, Result<std::optional<Entry>>* entry) = 0;
  virtual bool TryEndInline(TransactionId id, bool commit, Status* status) = 0;

  // A transaction that only reads: a snapshot, taken after this call, for ReadIn() and End(); WriteIn() is kReadOnly.
  // It waits for nobody and nobody waits for it. It lives limits.snapshot_age_ms, then each use is kSnapshotExpired, as
  // when it was ended to make room in the log; or `timeout_ms` if that is less (0: none), then each use is
  // kTransactionTimeout. kBusy when there are limits.max_snapshots.
  virtual void BeginSnapshot(const void* owner, std::int64_t timeout_ms, BeginDone done) = 0;

  // A line for each name, in which all users of the engine stand who change the same thing by reading and writing. True
  // when it is the caller's turn; else `done` tells when it is. Whoever entered leaves, also before its turn.
  virtual bool EnterLine(const void* owner, std::int64_t ticket, const std::string& name, StatusDone done) = 0;
  virtual void LeaveLine(const void* owner, std::int64_t ticket, const std::string& name) = 0;

  // Rolls back every transaction of `owner`, ends its snapshots, and leaves its lines.
  virtual void Abandon(const void* owner) = 0;
  // Looks again at which of the waiting calls are still wanted.
  virtual void Wake() = 0;

  // Syncs the log: every commit made before this call is durable when `done` hears kOk. kIndeterminate when the sync
  // failed; then the writer has stopped. `control` as of a write.
  virtual void Flush(CallControl control, StatusDone done) = 0;
  void Flush(StatusDone done) { Flush({}, std::move(done)); }

  // Copies one state of the store to a file, which is there only once it was read back and found whole. Blocks for
  // long; writers and readers go on. kInvalidArgument for the store's own file, kExists, kCantOpen, kBusy when the
  // target is open, kAborted, kFull, kIo, kCorrupt: then nothing is left behind, and a file to be replaced is as it
  // was.
  virtual Result<BackupReport> Backup(const BackupSpec& spec) = 0;

  // {ok, problems: [{kind, message, namespace?, key?}]} as JSON text: whether the file is as it was left. `full`: every
  // index against its table and every entry against its checksum, else the structure alone. Damage is an answer, not a
  // failure. Blocks for long.
  virtual Result<std::string> Verify(bool full, const CopyControl& control) = 0;

  // What the engine has counted and measured, as JSON text; exec/stats_json.h describes it. Waits for nothing.
  virtual std::string Stats() = 0;
  // Whether the writer (kWriterConnection) can begin a transaction and read, or reader number `connection` can read.
  // A reader whose connection turns out to be broken gets a new one first.
  virtual void Ping(int connection, std::int64_t timeout_ms, StatusDone done) = 0;
  static constexpr int kWriterConnection = -1;
  // Answers with JSON text: of a checkpoint {mode, busy, frames, copied, ms}, else {ms}. `control` as of a write.
  virtual void Maintain(Maintenance what, CallControl control, TextDone done) = 0;
  virtual const RecoveryReport& recovery() const = 0;
  virtual const OpenOptions& options() const = 0;
};

// What open() gives to one user of a file: a share of its engine, and a reader for the user's own thread.
struct OpenedStore {
  std::shared_ptr<Engine> engine;
  std::unique_ptr<InlineReader> reader;  // null when the file is read-only or its log cannot be shared
};

// Opens the file, or joins the engine that this process already runs for it (kOptionsConflict when its options
// differ). Blocks: call it on a thread that may wait.
Result<OpenedStore> OpenStore(const OpenOptions& options, const Hooks& hooks = {});

// Gives the share back. The last share stops the engine: what is queued runs, the log is emptied, the file closed; then
// `done` runs with the outcome of the last checkpoint. REQUIRES: the share's reader is gone. Blocks while closing.
Status CloseStore(const std::shared_ptr<Engine>& engine, CloseReport* report = nullptr);

// Brings the file to schema `target` (1 or more) and closes it. Blocks. kBusy while this process has it open.
Status MigrateStore(const OpenOptions& options, int target, const Hooks& hooks = {});

// Puts a copy of the store `from` at `to`, in place of what is there. Blocks. Codes as for Backup(); kCorrupt also when
// `from` differs from its manifest, kSchemaOutdated when it is of an older layout.
Result<BackupReport> RestoreStore(const std::string& from, const std::string& to, const CopyControl& control,
                                  const Hooks& hooks = {});

// SQLite's version, and whether the SQLite that runs is the one this was compiled with (kInternal when not).
const char* SqliteVersion();
Status VerifySqlite();

}  // namespace hypha
