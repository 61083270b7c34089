// Versioned migrations over the files of schema/: reads a file's version, and moves it up or down.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hypha/hooks.h"
#include "hypha/status.h"
#include "sqlite/connection.h"

namespace hypha {

inline constexpr int kLatestSchema = 2;
inline constexpr std::int64_t kApplicationId = 1215918177;  // the bytes "Hypa"

struct MigrationRequest {
  int target = kLatestSchema;  // 1 or more
  bool keep_old = true;        // write a verified copy before the first step up on a file with rows
  std::string path;            // of the database file; empty in memory mode, which keeps no copy
  // Runs in the same transaction after the steps to the latest schema; empty: nothing.
  std::function<Status(Connection&)> after_up = nullptr;
};

// The version of the file: 0 for one without our tables, 1 for the kernel's layout. Fails with kSchemaTooNew when it is
// newer than this code, kNotADatabase when the file carries another application's id.
Result<int> SchemaVersion(Connection& db);

// Whether the file holds no table at all.
Result<bool> IsEmptyDatabase(Connection& db);

// Brings the file to `request.target` in one transaction, whatever other processes do meanwhile: exactly one of them
// runs each step. Fails with kSchemaChanged when the file's own tables are not what the applied steps made.
// REQUIRES: a writer connection outside a transaction, with hypha_entry_problem() registered.
Status Migrate(Connection& db, const MigrationRequest& request, const Hooks& hooks);

// kSchemaChanged unless the tables and indexes of HyphaDB in `db` are byte for byte those of the latest step.
Status VerifySchema(Connection& db);

}  // namespace hypha
