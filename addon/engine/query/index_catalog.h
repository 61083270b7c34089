// The indexes of a namespace, as the catalogue table records them.
#pragma once

#include <cstdint>
#include <vector>

#include "query/index_definition.h"
#include "sqlite/connection.h"

namespace hypha {

// Of one namespace, or of all when `ns_id` is 0. REQUIRES: a snapshot is open.
Result<std::vector<IndexDefinition>> LoadIndexes(Connection& db, std::int64_t ns_id);

// REQUIRES for the rest: inside a write transaction, and on failure the caller rolls back.
// Makes the index and its row. The definition's id is set. An equal one is kept (kExists when only `unique` differs).
Status CreateIndex(Connection& db, IndexDefinition& index, std::int64_t now_ms);
Status DropIndex(Connection& db, const IndexDefinition& index);

// kSchemaChanged unless the file has the indexes that the catalogue names, each with the text that makes it, and no
// other of their names. A definition that took damage would fail the writes of its namespace, or mislead its queries.
Status VerifyIndexes(Connection& db);

// Rebuilds every index if another build of SQLite, another processor type or another form of order keys made them: the
// values of an indexed expression may differ between those. REQUIRES: a writer connection outside a transaction.
// One that cannot be made, since a unique one's values repeat by now, goes to quarantine.
Status RefreshIndexes(Connection& db);

// Makes the indexes that step 2's way down remembered in hypha_kept_indexes, if there is such a table, which then goes.
// REQUIRES: inside a write transaction, and on failure the caller rolls back.
Status RestoreIndexes(Connection& db, std::int64_t now_ms);

}  // namespace hypha
