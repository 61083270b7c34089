// The SQL functions that HyphaDB adds to each of its connections.
#pragma once

#include <cstdint>

#include "base/entry_checksum.h"
#include "hypha/progress.h"
#include "query/evaluator.h"
#include "sqlite/connection.h"
#include "sqlite3.h"

namespace hypha {

// What is bound to a statement that filters, with sqlite3_bind_pointer() under kFilterPointer.
struct BoundFilter {
  const Evaluator* evaluator = nullptr;
  NamespaceRef of;
  const Connection* connection = nullptr;  // whose deadline is looked at within long rows; may be null
  std::int64_t examined = 0;               // rows that the evaluator was asked about
  std::size_t bytes = 0;                   // of those since the deadline was last looked at
  Status damaged = Status::Ok();           // says which row ended the statement with SQLITE_CORRUPT
};
inline constexpr char kFilterPointer[] = "hypha-filter";

// What is bound to a statement that writes over a row, an EntryChange, under this name.
inline constexpr char kChangePointer[] = "hypha-change";

// While it lives, each hypha_extract() of this thread adds one to `progress.done`, which never passes `progress.total`.
class CountExtractions {
 public:
  explicit CountExtractions(Progress& progress);
  ~CountExtractions();
  CountExtractions(const CountExtractions&) = delete;
  CountExtractions& operator=(const CountExtractions&) = delete;
};

// Registers, deterministic and innocuous:
//   hypha_match(filter, key, value, metadata, created_at, updated_at, version, crc)  1 when the BoundFilter matches.
//     Columns that the evaluator does not read may be passed as NULL. What it reads is checked first: metadata and the
//     numbers together.
//   hypha_changed_crc(change, crc, metadata, created_at, updated_at, version)
//     the checksum of a row after the EntryChange; NULL when the pointer is NULL.
//   hypha_next_crc(crc, updated_at, version, new_crc, new_updated_at, new_version)
//     NextChecksum(): that of a row whose metadata stays; NULL when it has had none.
//   hypha_entry_crc(ns_id, key, value, metadata, created_at, updated_at, version)
//     the checksum of the entry.
//   hypha_extract(value, metadata, path), hypha_extract(json, path)
//     the order key (query/order_key.h) of what a path of QuotePath() names: with two texts a property of the value,
//     else of the metadata; with one text nested properties. NULL where it is absent. Total: any text is accepted.
//   hypha_entry_problem(namespace, key, value, metadata, created_at, updated_at)
//     why a row of the kernel's layout cannot be an entry, or NULL.
//   hypha_namespace_problem(name, metadata, created_at)  the same for a namespace.
// Returns a SQLite result code.
int RegisterSqlFunctions(sqlite3* db);

}  // namespace hypha
