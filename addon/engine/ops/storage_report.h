// The files of a store in numbers, and what SQLite's checks say about them.
#pragma once

#include <string>

#include "hypha/status.h"
#include "sqlite/connection.h"
#include "store/entry_reader.h"

namespace hypha {

// JSON text: {database_size_bytes, wal_size_bytes, shm_size_bytes, total_size_mb, table_counts: {entries, namespaces}
// or null, wal_mode, journal_mode, synchronous, cache_size, page_size, mmap_size, storage_path (null in memory),
// wal_frames, wal_backfilled}. Sizes are those of the files, by stat(2); total_size_mb has two decimals.
Result<std::string> StorageJson(EntryReader& entries, Connection& db, bool counts);

// JSON text: an array of what SQLite finds wrong, empty when all is well.
Result<std::string> IntegrityJson(Connection& db, bool full);

}  // namespace hypha
