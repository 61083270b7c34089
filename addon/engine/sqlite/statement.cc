#include "sqlite/statement.h"

#include <string>

#include "sqlite/error_map.h"

namespace hypha {
namespace {

// An interrupt that falls into the declaration of a virtual table (sqlite_dbpage, json_each) comes back as
// SQLITE_ERROR, "vtable constructor failed": sqlite3_declare_vtab() knows no other failure of its parser.
int PrepareCode(sqlite3* db, int rc) {
  return rc == SQLITE_ERROR && sqlite3_is_interrupted(db) != 0 ? SQLITE_INTERRUPT : rc;
}

}  // namespace

Result<StatementHandle> Prepare(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int prepared =
      sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, &tail);
  StatementHandle statement(raw);
  const int rc = PrepareCode(db, prepared);
  if (rc != SQLITE_OK) return FromSqlite(rc, db, "prepare");
  if (statement == nullptr || tail != sql.data() + sql.size()) {
    return Status(Code::kInternal, "SQL text is not exactly one statement");
  }
  return statement;
}

Status Cursor::status(const char* what) const {
  const int code = rc();
  if (code == SQLITE_OK) return Status::Ok();
  return FromSqlite(code, sqlite3_db_handle(statement_), what);
}

}  // namespace hypha
