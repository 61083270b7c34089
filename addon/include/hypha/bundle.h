// Bundles: the content of a store as JSON Lines, see docs/bundles.md for the format. All functions block: call them on
// a thread that may wait.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hypha/engine.h"

namespace hypha {

// Set by any thread: the work ends soon, with kAborted, and nothing of it stays. May be null.
using Cancellation = std::shared_ptr<std::atomic<bool>>;

enum class BundleForm : std::uint8_t { kDirectory, kFile };

struct ExportSpec {
  std::string path;
  BundleForm form = BundleForm::kDirectory;
  bool overwrite = false;  // another bundle of the same form is replaced, and nothing else
  std::int64_t part_rows = 10'000;
  std::vector<std::string> namespaces;  // empty: all
};

enum class OnConflict : std::uint8_t { kError, kUpdate, kSkip };

struct ImportSpec {
  std::string path;
  OnConflict on_conflict = OnConflict::kError;
  bool dry_run = false;  // everything is tried, nothing is kept
  bool once = false;     // nothing is done if such an import has been committed before
};

// What a bundle holds.
struct BundleSummary {
  std::int64_t created_at = 0;  // milliseconds since 1970, UTC
  std::int64_t parts = 0;
  std::int64_t lines = 0;
  std::int64_t bytes = 0;  // of the lines, with one '\n' each
  std::int64_t entries = 0;
  std::int64_t namespaces = 0;
  std::int64_t indexes = 0;
  std::int64_t deletions = 0;
  std::int64_t least_version = 0;  // 0: no entry has one
  std::uint32_t crc = 0;           // of all lines
};

struct ImportSummary {
  std::int64_t inserted = 0;
  std::int64_t updated = 0;
  std::int64_t skipped = 0;
  std::int64_t deleted = 0;
  std::int64_t namespaces = 0;
  std::int64_t indexes = 0;
  bool versions_kept = false;
  bool already_loaded = false;
};

// A failure, and where in the bundle it is.
struct BundleProblem {
  Status status;
  std::string part;       // file name; empty: the bundle as a whole
  std::int64_t line = 0;  // from 1; 0: the part as a whole
};

// Writes what one snapshot of the store sees. On failure nothing is left, and what had the name keeps it.
BundleProblem ExportBundle(Engine& engine, const ExportSpec& spec, const Cancellation& cancelled,
                           BundleSummary* summary);

// An import's place among the writes of the store: what is issued after this call comes after the import, on whatever
// thread that runs. `owner` groups its transaction with the others of the store's user, see Engine::Abandon().
// `durability` is that of its commit, by default the store's. `cancelled`, which may be null, ends its wait for the
// writer with kAborted: call Engine::Wake() after setting it. Given back unused it changes nothing. REQUIRES: the
// engine outlives it.
class ImportTransaction;
std::shared_ptr<ImportTransaction> QueueImport(Engine& engine, const void* owner,
                                               std::optional<Durability> durability = {}, Cancellation cancelled = {});

// In that transaction, all of it or nothing: reads the whole bundle, then applies it.
BundleProblem ImportBundle(Engine& engine, ImportTransaction& transaction, const ImportSpec& spec,
                           const Cancellation& cancelled, ImportSummary* summary);

// At most this many problems are told.
inline constexpr std::size_t kMaxBundleProblems = 100;

// Reads the whole bundle. The status of `opened` tells why it cannot be read at all; the list what is wrong with it.
struct BundleReport {
  BundleProblem opened;
  std::vector<BundleProblem> problems;
  BundleSummary summary;
};
BundleReport VerifyBundle(const std::string& path, const Cancellation& cancelled);

}  // namespace hypha
