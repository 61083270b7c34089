// The SQL functions that HyphaDB adds to each of its connections.
#pragma once

#include "sqlite3.h"

namespace hypha {

// The type under which an Evaluator is bound with sqlite3_bind_pointer().
inline constexpr char kEvaluatorPointer[] = "hypha-evaluator";

// Registers, deterministic and innocuous:
//   hypha_match(evaluator, key, value, metadata, created_at, updated_at, version)  1 when the bound Evaluator matches.
//     Columns that the evaluator does not read may be passed as NULL.
//   hypha_entry_problem(namespace, key, value, metadata, created_at, updated_at)
//     why a row of the kernel's layout cannot be an entry, or NULL.
//   hypha_namespace_problem(name, metadata, created_at)  the same for a namespace.
// Returns a SQLite result code.
int RegisterSqlFunctions(sqlite3* db);

}  // namespace hypha
