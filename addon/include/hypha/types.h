// The plain structs that cross the engine's public boundary: options, limits, requests and their outcomes.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hypha/filter.h"
#include "hypha/progress.h"
#include "hypha/status.h"

namespace hypha {

// When a COMMIT counts as done, from the weakest promise to the strongest. kOff: no commit waits for the disk. kNormal:
// survives process death; a power loss may take the newest commits. kPeriodic: as kNormal, and the log is synced at
// most wal.sync_interval_ms after a commit. kFull: the log is synced before the commit is acknowledged.
enum class Durability : std::uint8_t { kOff, kNormal, kPeriodic, kFull };

// Sizes in bytes, times in milliseconds. JavaScript owns the defaults and passes all of them.
struct Limits {
  std::int64_t key_bytes = 4096;
  std::int64_t namespace_bytes = 512;
  std::int64_t value_bytes = 16LL << 20;
  std::int64_t metadata_bytes = 1LL << 20;
  std::int64_t queue_operations = 1'000'000;
  std::int64_t queue_bytes = 256LL << 20;
  std::int64_t result_bytes = 256LL << 20;
  std::int64_t query_timeout_ms = 10'000;
  std::int64_t transaction_timeout_ms = 30'000;
  std::int64_t snapshot_age_ms = 5000;
  std::int64_t max_snapshots = 16;
};

// How the write-ahead log is looked after. Sizes are of the log; JavaScript passes all of them.
struct WalOptions {
  std::int64_t idle_bytes = 4LL << 20;            // copied into the database when there is nothing else to do
  std::int64_t busy_bytes = 16LL << 20;           // copied between two groups in any case
  std::int64_t restart_bytes = 64LL << 20;        // new readers are held for reader_gap_ms, so that it can be emptied
  std::int64_t expire_bytes = 256LL << 20;        // the oldest reader is interrupted: kSnapshotExpired
  std::int64_t limit_bytes = 1LL << 30;           // writes are refused: kWalLimit, kTooLarge for a transaction
  std::int64_t reader_gap_ms = 50;                // also how long emptying the log may wait for readers
  std::int64_t checkpoint_interval_ms = 300'000;  // copied this long after the last time, however little it is
  std::int64_t sync_interval_ms = 1000;           // Durability::kPeriodic
  std::int64_t journal_size_limit = 64LL << 20;   // what a log that was started over may keep of its file
  std::int64_t autocheckpoint_pages = 0;          // copied on the commit path, as SQLite does; 0 = never
  std::int64_t cache_kib = 8192;                  // of each connection's page cache

  bool operator==(const WalOptions&) const = default;
};

struct OpenOptions {
  std::string path;  // a file name; ignored in memory mode
  bool memory = false;
  bool read_only = false;
  bool create = true;
  bool migrate = true;
  bool checksums = true;  // entries written from now on carry one; entries that have one are checked either way
  bool keep_old = true;   // leave a verified copy `<path>.v1` before the first step on a file with rows
  int readers = 2;
  Durability durability = Durability::kFull;
  std::int64_t busy_timeout_ms = 5000;
  int statement_cache_size = 100;
  Limits limits;
  WalOptions wal;
};

// Always there, and never deleted.
inline constexpr std::string_view kDefaultNamespace = "default";

enum class WriteKind : std::uint8_t {
  kSet,
  kDelete,
  kSetMetadata,      // metadata replaces
  kMergeMetadata,    // metadata is merged, shallow
  kCreateNamespace,  // ns = name, metadata optional
  kDeleteNamespace,  // ns = name
  kClear,            // ns = name, or every namespace when `all`
  kCreateIndex,      // value = the fields as JSON, see query/index_definition.h
  kDropIndex,        // the same; `changed` tells whether there was one
  kCheck,            // kConflict unless the entry has if_version; an atomic request fails with all its conflicts
  kEdit,             // changes inside the value: `edit`, value = operand, metadata = path as a JSON array, or none
  kSavepoint,        // these three inside a transaction only
  kRelease,
  kRollbackTo,  // and releases
  kRestore,     // a row as it was elsewhere, see RestoredRow; kExists for an entry that is there unless overwrite
};

enum class EditKind : std::uint8_t { kSum, kMin, kMax, kAppend };

// A row with everything that a store gives to a new one by itself. kMeta: `key` names the row of hypha_meta.
struct RestoredRow {
  enum class What : std::uint8_t { kEntry, kNamespace, kMeta };
  What what = What::kEntry;
  std::optional<std::int64_t> created_at;  // none: now, or what the row has
  std::optional<std::int64_t> updated_at;  // none: now
  std::optional<std::int64_t> version;     // none: a new one. REQUIRES: the store has given none as high
  bool is_explicit = false;                // kNamespace
};
// kRestore of an entry: `changed` is this when it took the place of another one.
inline constexpr std::int64_t kRestoreReplaced = 2;

// One change. `value` and `metadata` are JSON text that JavaScript's JSON.stringify gave.
struct WriteOp {
  WriteKind kind = WriteKind::kSet;
  bool overwrite = true;   // kSet: false fails with kExists when the key is present
  bool recursive = false;  // kDeleteNamespace
  bool all = false;        // kClear
  bool unique = false;     // kCreateIndex
  EditKind edit = EditKind::kSum;
  std::string ns;
  std::string key;
  std::string value;
  std::optional<std::string> metadata;
  std::optional<std::int64_t> if_version;  // kSet, kDelete: 0 means "absent"
  std::optional<RestoredRow> restore;      // kRestore

  std::size_t Bytes() const { return ns.size() + key.size() + value.size() + (metadata ? metadata->size() : 0) + 64; }
};

struct WriteOutcome {
  Status status;
  std::int64_t version = 0;  // kSet, kSetMetadata, kMergeMetadata: the entry's new version
  std::int64_t changed = 0;  // rows deleted
};

// How long a call may take, and whether it is still wanted. After setting `cancelled`, call Engine::Wake().
struct CallControl {
  std::int64_t timeout_ms = 0;                     // 0: of a read limits.query_timeout_ms, of a write none
  std::shared_ptr<std::atomic<bool>> cancelled{};  // null: cannot be cancelled; set by any thread
  std::shared_ptr<Progress> progress{};            // of kCreateIndex, in values; null: nobody asks
};
using ReadControl = CallControl;

// How a transaction is begun.
struct TransactionControl {
  std::int64_t timeout_ms = 0;
  std::optional<Durability> durability{};          // of its commit; nothing: that of the store
  std::shared_ptr<std::atomic<bool>> cancelled{};  // as of CallControl
};

// One call's changes. Each outcome stands alone unless `atomic`, which makes them all or nothing.
struct WriteRequest {
  std::vector<WriteOp> ops;
  bool atomic = false;
  Durability durability = Durability::kFull;
  // Ends the wait for its turn, with kTimeout or kAborted and nothing written. What has begun goes on to its end,
  // unless it is a kCreateIndex alone, outside any transaction.
  CallControl control{};
  bool may_fill_log = false;  // inside a transaction: goes on past wal.limit_bytes

  std::size_t Bytes() const {
    std::size_t total = 0;
    for (const auto& op : ops) total += op.Bytes();
    return total;
  }
};

struct WriteReply {
  Status status;                       // not OK: nothing was written, and `outcomes` is empty
  std::vector<WriteOutcome> outcomes;  // one for each operation, in order
  // What was reached: at least what the request asked for. Inside a transaction what its commit will reach.
  Durability durability = Durability::kOff;
};

// The number of an open transaction or snapshot, unique in the process; 0 means "none".
using TransactionId = std::uint64_t;

// A point read's answer; the strings are JSON text.
struct Entry {
  std::string key;
  std::string value;
  std::string metadata;  // empty = none
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  std::int64_t version = 0;
};

struct ListSpec {
  std::string ns;
  std::optional<std::string> pattern;  // '*' matches any run
  std::optional<std::string> prefix;
  std::optional<std::string> after;  // keys greater than this one
  std::optional<std::int64_t> limit;
  std::int64_t offset = 0;
  bool operator==(const ListSpec&) const = default;
};

enum class QueryShape : std::uint8_t {
  kEntries,  // {key, value, metadata, createdAt, updatedAt, version}
  kKernel,   // {key, value, metadata}
};

struct QuerySpec {
  std::string ns;
  FilterNode filter;
  std::vector<SortKey> sort;
  std::optional<std::int64_t> limit;
  std::int64_t offset = 0;
  QueryShape shape = QueryShape::kEntries;
  bool explain = false;  // run it, and tell how instead of what
  // One page: the reply has a cursor if there are more rows. REQUIRES: a limit.
  bool page = false;
  std::optional<std::string> after;  // the cursor of the page before, of the same sort
  std::vector<std::string> select;   // of values that are objects only these properties; empty: all
};

// A list of JSON array texts, each at most about kChunkBytes long, to be parsed and concatenated in order. V8 keeps
// strings of 128 KiB and more apart from young ones, and is four times as slow at taking them to pieces.
using JsonChunks = std::vector<std::string>;
inline constexpr std::size_t kChunkBytes = 96 * 1024;

// One part of an index: kField, kPath or kMetadata.
struct IndexField {
  Source source = Source::kField;
  std::vector<std::string> path;
  bool operator==(const IndexField&) const = default;
};

// The reads that an engine answers on a reader thread, or on the writer inside a transaction.
struct GetEntrySpec {
  std::string ns;
  std::string key;
};
struct GetManySpec {
  std::string ns;
  std::vector<std::string> keys;
};
struct CountSpec {
  std::string ns;
  FilterNode filter;
};
struct NamespacesSpec {};
struct IndexesSpec {
  std::string ns;
};
struct NamespaceSpec {
  std::string name;
};
struct StatusSpec {};
struct DiagnoseSpec {};
struct MetaSpec {
  std::string name;  // of a row of hypha_meta
};
// The files, the log and the pragmas of the connection that answers; see ops/storage_report.h.
struct StorageSpec {
  bool counts = true;  // also of the rows, which reads them
};
// What SQLite's own check finds wrong, as a JSON array of texts.
struct IntegritySpec {
  bool full = false;  // the indexes against their tables too
};
using ReadRequest =
    std::variant<GetEntrySpec, GetManySpec, CountSpec, ListSpec, QuerySpec, NamespacesSpec, NamespaceSpec, IndexesSpec,
                 StatusSpec, DiagnoseSpec, MetaSpec, StorageSpec, IntegritySpec>;

// A query's rows, and how they were found.
struct QueryReply {
  JsonChunks chunks;
  std::int64_t examined = 0;  // rows whose values were looked at
  std::string index;          // the fields of the index used as JSON, empty for a scan
  std::string cursor;         // of a page with more to come
  std::string explanation;    // when asked for, JSON text, and then there are no chunks
};

// GetMany: `values` are the values that exist, in key order of the request.
struct ManyReply {
  JsonChunks values;
  std::vector<bool> present;
};
struct NamespaceInfo {
  std::string name;
  bool is_explicit = false;
  std::string metadata;  // JSON text, empty = none
  std::int64_t created_at = 0;
};

// In the order of ReadRequest: GetEntry and Namespace give nothing when absent; Status, Diagnose, Meta, Storage and
// Integrity give a text.
// Namespaces gives one array of names.
using ReadReply = std::variant<std::optional<Entry>, ManyReply, std::int64_t, JsonChunks, QueryReply,
                               std::optional<NamespaceInfo>, std::string>;

}  // namespace hypha
