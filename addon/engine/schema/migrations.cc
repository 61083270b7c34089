#include "schema/migrations.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <string>

#include "base/crc32c.h"
#include "base/mutant.h"
#include "schema/keep_copy.h"
#include "schema/schema_files.h"
#include "sqlite/database_handle.h"
#include "sqlite/error_map.h"
#include "sqlite/transaction.h"

namespace hypha {
namespace {

// What the steps made; indexes that users asked for come on top. No step makes a trigger.
constexpr const char* kOurSchema =
    "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE substr(tbl_name, 1, 6) = 'hypha_' "
    "AND NOT (type = 'index' AND substr(name, 1, 9) IN ('hypha_ix_', 'hypha_ux_')) "
    "OR type = 'trigger' AND tbl_name = 'schema_version' ORDER BY type, name";

std::string Checksum(std::string_view text) {
  char hex[9];
  std::snprintf(hex, sizeof hex, "%08x", Crc32c(text));
  return hex;
}

Result<bool> HasTable(Connection& db, std::string_view name) {
  auto lease = db.cache().Take("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1");
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  const bool found = cursor.Bind(1, name).Step();
  Status status = cursor.status("read the schema");
  if (!status.ok()) return status;
  return found;
}

Status RecordUp(Connection& db, const SchemaFile& file, std::int64_t now_ms) {
  // Step 1's table is the kernel's and has no place for a checksum.
  const bool with_checksum = file.step >= 2;
  auto lease =
      db.cache().Take(with_checksum ? "INSERT INTO schema_version(version, applied_at, checksum) VALUES(?1, ?2, ?3)"
                                    : "INSERT OR IGNORE INTO schema_version(version, applied_at) VALUES(?1, ?2)");
  if (!lease.ok()) return lease.status();
  const std::string checksum = Checksum(file.up);
  Cursor cursor(lease.value().get());
  cursor.Bind(1, std::int64_t{file.step}).Bind(2, now_ms);
  if (with_checksum) cursor.Bind(3, std::string_view(checksum));
  return cursor.Run("record a migration");
}

Status StepUp(Connection& db, const SchemaFile& file, std::int64_t now_ms) {
  Status status = db.Exec(std::string(file.up).c_str());
  return status.ok() ? RecordUp(db, file, now_ms) : status;
}

Status StepDown(Connection& db, const SchemaFile& file) {
  Status status = db.Exec(std::string(file.down).c_str());
  if (!status.ok()) return status;
  auto lease = db.cache().Take("DELETE FROM schema_version WHERE version >= ?1");
  if (!lease.ok()) return lease.status();
  return Cursor(lease.value().get()).Bind(1, std::int64_t{file.step}).Run("record a migration");
}

// What is left of step 2 beside the kernel's layout, where there is anything to keep.
Status DropIfEmpty(Connection& db, const char* count, const char* drop) {
  auto rows = db.QueryInteger(count);
  if (!rows.ok()) return rows.status();
  return rows.value() == 0 ? db.Exec(drop) : Status::Ok();
}

Status DropEmptyRemains(Connection& db) {
  Status status = DropIfEmpty(db, "SELECT count(*) FROM quarantine", "DROP TABLE quarantine");
  if (!status.ok()) return status;
  return DropIfEmpty(db, "SELECT count(*) FROM hypha_kept_indexes", "DROP TABLE hypha_kept_indexes");
}

// An edited step would make two files of one version differ.
Status VerifyChecksums(Connection& db) {
  for (const auto& file : SchemaFiles()) {
    if (file.step < 2) continue;
    auto lease = db.cache().Take("SELECT checksum FROM schema_version WHERE version = ?1");
    if (lease.status().code() == Code::kInternal) {
      return {Code::kSchemaChanged, "the table schema_version of this file is not HyphaDB's"};
    }
    if (!lease.ok()) return lease.status();
    Cursor cursor(lease.value().get());
    const bool same = cursor.Bind(1, std::int64_t{file.step}).Step() && cursor.Text(0) == Checksum(file.up);
    Status status = cursor.status("read the checksums of the schema");
    if (!status.ok()) return status;
    if (!same) {
      return {Code::kSchemaChanged,
              "migration step " + std::to_string(file.step) + " is not the one this file was made with"};
    }
  }
  return Status::Ok();
}

Result<std::string> OurSchema(Connection& db) {
  auto lease = db.cache().Take(kOurSchema);
  if (!lease.ok()) return lease.status();
  Cursor cursor(lease.value().get());
  std::string all;
  while (cursor.Step()) {
    for (int column = 0; column < 4; ++column) all.append(cursor.Text(column)).push_back('\n');
  }
  Status status = cursor.status("read the schema");
  if (!status.ok()) return status;
  return all;
}

// The schema text that the embedded steps make, from a database in SQLite's own memory.
Result<std::string> ExpectedSchema() {
  auto opened = OpenHardened(":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY, nullptr);
  if (!opened.ok()) return opened.status();
  sqlite3* raw = opened.value().get();
  int rc = SQLITE_OK;
  std::string all;
  // The data-moving statements of a step call these; on an empty database they are never run.
  const auto nothing = [](sqlite3_context* context, int, sqlite3_value**) { sqlite3_result_null(context); };
  if (rc == SQLITE_OK)
    rc = sqlite3_create_function_v2(raw, "hypha_entry_problem", 6, SQLITE_UTF8, nullptr, nothing, nullptr, nullptr,
                                    nullptr);
  if (rc == SQLITE_OK)
    rc = sqlite3_create_function_v2(raw, "hypha_namespace_problem", 3, SQLITE_UTF8, nullptr, nothing, nullptr, nullptr,
                                    nullptr);
  for (const auto& file : SchemaFiles()) {
    if (rc == SQLITE_OK) rc = sqlite3_exec(raw, std::string(file.up).c_str(), nullptr, nullptr, nullptr);
  }
  if (rc == SQLITE_OK) {
    const auto append = [](void* out, int columns, char** values, char**) {
      for (int i = 0; i < columns; ++i)
        static_cast<std::string*>(out)->append(values[i] ? values[i] : "").push_back('\n');
      return 0;
    };
    rc = sqlite3_exec(raw, kOurSchema, append, &all, nullptr);
  }
  if (rc != SQLITE_OK) return FromSqlite(rc, raw, "build the expected schema");
  return all;
}

// Made once; a failure is not kept.
Result<const std::string*> KeptExpectedSchema() {
  static std::atomic<const std::string*> kept{nullptr};
  if (kept.load() != nullptr) return kept.load();
  auto made = ExpectedSchema();
  if (!made.ok()) return made.status();
  auto text = std::make_unique<const std::string>(std::move(made.value()));
  const std::string* nobody = nullptr;
  if (kept.compare_exchange_strong(nobody, text.get())) static_cast<void>(text.release());
  return kept.load();
}

Status RunSteps(Connection& db, int from, int target, const Hooks& hooks) {
  for (const auto& file : SchemaFiles()) {
    if (file.step <= from || file.step > target) continue;
    hooks.Reach("migration-step");
    Status status = StepUp(db, file, hooks.now_ms());
    // SQLite calls it an error of the statement when the tables are not the ones that the step was written for.
    if (status.code() == Code::kInternal) {
      return {Code::kSchemaChanged, "a migration step does not fit this file: " + status.message()};
    }
    if (!status.ok()) return status;
    if (Mutated(Mutant::kCommitBetweenMigrationSteps)) static_cast<void>(db.Exec("COMMIT; BEGIN IMMEDIATE"));
    hooks.Reach("migration-step-done");
  }
  const auto files = SchemaFiles();
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (file->step > from || file->step <= target) continue;
    hooks.Reach("migration-step");
    Status status = StepDown(db, *file);
    if (!status.ok()) return status;
    if (Mutated(Mutant::kCommitBetweenMigrationSteps)) static_cast<void>(db.Exec("COMMIT; BEGIN IMMEDIATE"));
    hooks.Reach("migration-step-done");
  }
  return target < 2 && from >= 2 ? DropEmptyRemains(db) : Status::Ok();
}

Result<bool> HoldsRows(Connection& db) {
  auto table = HasTable(db, "storage_entries");
  if (!table.ok() || !table.value()) return table;
  auto rows = db.QueryInteger("SELECT count(*) FROM (SELECT 1 FROM storage_entries LIMIT 1)");
  if (!rows.ok()) return rows.status();
  return rows.value() != 0;
}

Status KeepCopyIfNeeded(Connection& db, const MigrationRequest& request, int from, const Hooks& hooks) {
  if (!request.keep_old || request.path.empty() || from >= 2 || request.target < 2) return Status::Ok();
  auto rows = HoldsRows(db);
  if (!rows.ok()) return rows.status();
  if (!rows.value()) return Status::Ok();
  return KeepCopy(request.path, request.path + ".v1", hooks);
}

}  // namespace

Result<int> SchemaVersion(Connection& db) {
  auto application = db.QueryInteger("PRAGMA application_id");
  if (!application.ok()) return application.status();
  if (application.value() != 0 && application.value() != kApplicationId) {
    return Status(Code::kNotADatabase, "the file belongs to another application (application_id " +
                                           std::to_string(application.value()) + ")");
  }
  auto table = HasTable(db, "schema_version");
  if (!table.ok()) return table.status();
  if (!table.value()) {
    if (application.value() == 0) return 0;
    return Status(Code::kSchemaChanged, "the file is HyphaDB's, but its table schema_version is missing");
  }
  auto version = db.QueryInteger("SELECT coalesce(max(version), 0) FROM schema_version");
  if (!version.ok()) {
    // A table of another shape makes the statement itself wrong; a failing disk says nothing about the file.
    const bool is_disk = (version.status().sqlite_code() & 0xff) != SQLITE_ERROR;
    if (is_disk) return version.status();
    return Status(Code::kNotADatabase, "the file has a table schema_version that is not HyphaDB's");
  }
  if (version.value() > kLatestSchema) {
    return Status(Code::kSchemaTooNew, "the file has schema " + std::to_string(version.value()) +
                                           ", this version of HyphaDB knows " + std::to_string(kLatestSchema));
  }
  return static_cast<int>(version.value());
}

Result<bool> IsEmptyDatabase(Connection& db) {
  auto tables = db.QueryInteger("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  return tables.value() == 0;
}

Status VerifySchema(Connection& db) {
  auto expected = KeptExpectedSchema();
  if (!expected.ok()) return expected.status();
  auto actual = OurSchema(db);
  if (!actual.ok()) return actual.status();
  if (actual.value() != *expected.value() && !Mutated(Mutant::kSchemaNotVerified)) {
    return {Code::kSchemaChanged, "the tables of this file are not the ones that HyphaDB made"};
  }
  return VerifyChecksums(db);
}

Status Migrate(Connection& db, const MigrationRequest& request, const Hooks& hooks) {
  // Below step 1 there is no place for the rows.
  if (request.target < 1 || request.target > kLatestSchema) {
    return {Code::kInvalidArgument, "there is no schema " + std::to_string(request.target)};
  }
  auto transaction = Transaction::Begin(db);
  if (!transaction.ok()) return transaction.status();
  // Read again under the write lock: another process may have migrated meanwhile.
  auto version = SchemaVersion(db);
  if (!version.ok()) return version.status();
  if (version.value() == request.target) return Status::Ok();
  if (version.value() == kLatestSchema) {
    Status same = VerifySchema(db);
    if (!same.ok()) return same;
  }
  Status status = KeepCopyIfNeeded(db, request, version.value(), hooks);
  if (status.ok()) status = RunSteps(db, version.value(), request.target, hooks);
  if (status.ok() && request.target == kLatestSchema && request.after_up) status = request.after_up(db);
  if (!status.ok()) return status;
  db.cache().Clear();
  return std::move(transaction.value()).Commit();
}

}  // namespace hypha
