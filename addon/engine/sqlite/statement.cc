#include "sqlite/statement.h"

#include <string>

#include "sqlite/error_map.h"

namespace hypha {

Result<StatementHandle> Prepare(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int rc =
      sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, &tail);
  StatementHandle statement(raw);
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
