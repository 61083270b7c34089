// One SQLite connection with every pragma, limit and defensive flag of HyphaDB set and read back.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "hypha/hooks.h"
#include "hypha/status.h"
#include "hypha/types.h"
#include "sqlite/statement.h"
#include "sqlite/statement_cache.h"

namespace hypha {

enum class Role : std::uint8_t {
  kWriter,  // read-write; the only one that creates the file and switches it to WAL
  kReader,  // read-only by query_only; may wait for a lock
  kInline,  // as kReader, on the JavaScript thread: never waits, never recovers, never checkpoints
};

// The three SQLite VFS names that an engine uses (see vfs_shim.h, vfs_memory.h).
struct VfsNames {
  std::string file = "hypha-file";
  std::string inline_reader = "hypha-inline";
};

class Connection;

struct ConnectionOptions {
  std::string path;
  VfsNames vfs;
  Role role = Role::kReader;
  bool read_only = false;
  bool create = false;
  Durability durability = Durability::kFull;
  std::int64_t busy_timeout_ms = 0;
  std::size_t statement_cache_size = 100;
  std::int64_t max_text_bytes = 0;                  // the longest value or metadata that may pass
  std::function<int(sqlite3*)> register_functions;  // SQL functions of the layers above; returns a SQLite code
  std::function<Status(Connection&)> accept;        // may refuse the file before anything in it is changed
  const Hooks* hooks = nullptr;                     // may be null, else it outlives the connection
  std::int64_t journal_size_limit = 64LL << 20;
  std::int64_t cache_kib = 8192;
};

// Thread: used by one thread at a time; ownership may pass. Interrupt() alone may be called from any thread.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* handle() const { return db_; }
  StatementCache& cache() { return *cache_; }

  // Runs literal SQL text; several statements are allowed.
  Status Exec(const char* sql);
  // Runs one literal statement, kept prepared in the cache.
  Status RunCached(std::string_view sql);
  // The first column of the first row of a literal statement.
  Result<std::string> QueryText(const char* sql);
  Result<std::int64_t> QueryInteger(const char* sql);

  // A point at which a crash test may kill the process.
  void Reach(const char* point) const {
    if (options_.hooks != nullptr) options_.hooks->Reach(point);
  }

  // Whether there is a transaction that may be committed.
  bool in_transaction() const { return sqlite3_get_autocommit(db_) == 0 && !doomed_; }

  // Ends the transaction, if there is one, without its changes. False where that failed, as it does without memory:
  // then it is doomed, counts as none, and can only be rolled back, by the next call.
  bool RollBack() noexcept;

  // Sets PRAGMA synchronous when it differs. REQUIRES: no open transaction.
  Status SetDurability(Durability durability);
  Durability durability() const { return durability_; }

  // Statements that run past `deadline` fail with kTimeout. REQUIRES: ClearDeadline() before the next use.
  // `cancelled` (may be null, else it outlives the deadline) ends them as well, with the same code.
  void SetDeadline(SteadyTime deadline, const std::atomic<bool>* cancelled = nullptr);
  void ClearDeadline();
  SteadyTime deadline() const { return deadline_; }
  // Whether the deadline has passed, or the work was cancelled; false without a deadline.
  bool PastDeadline() const;
  const std::atomic<bool>* cancelled() const { return cancelled_; }
  // Lock waits of the next statements end at `deadline`.
  void SetLockDeadline(SteadyTime deadline) { lock_deadline_ = deadline; }
  // Lock waits end as well once `*attention` is set. It outlives the connection, or is taken back with null.
  void set_attention(const std::atomic<bool>* attention) { attention_ = attention; }
  void Interrupt() { sqlite3_interrupt(db_); }
  // Ends statements with a deadline as `cancelled` does, for as long as it is true. May be null; set by any thread.
  void set_expired_flag(const std::atomic<bool>* expired) { expired_ = expired; }
  bool expired() const { return expired_ != nullptr && expired_->load(std::memory_order_relaxed); }
  // How often a lock of another connection was waited for. Thread-safe.
  std::int64_t busy_waits() const { return busy_waits_.load(std::memory_order_relaxed); }

 private:
  Connection() = default;

  Status OpenHandle();
  Status RegisterFunctions();
  Status SetPragmas();
  // Sets a pragma and reads it back.
  Status SetNumber(const char* pragma, std::int64_t number);
  Status LookAtFile();
  Status CheckName();
  Status EnterWal();
  SteadyTime Now() const {
    return options_.hooks == nullptr ? std::chrono::steady_clock::now() : options_.hooks->steady_now();
  }
  static int OnBusy(void* self, int count);
  static int OnProgress(void* self);

  ConnectionOptions options_;
  sqlite3* db_ = nullptr;
  std::unique_ptr<StatementCache> cache_;
  Durability durability_ = Durability::kFull;
  SteadyTime deadline_{};
  bool has_deadline_ = false;
  bool doomed_ = false;
  bool moved_ = false;  // the name leads to another file
  const std::atomic<bool>* cancelled_ = nullptr;
  const std::atomic<bool>* expired_ = nullptr;
  std::atomic<std::int64_t> busy_waits_{0};
  SteadyTime lock_deadline_{};
  const std::atomic<bool>* attention_ = nullptr;
};

}  // namespace hypha
