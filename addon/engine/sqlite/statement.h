// Prepared statements: RAII over sqlite3_stmt. Thread: that of the connection that owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "hypha/status.h"
#include "sqlite3.h"

namespace hypha {

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using StatementHandle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// Prepares exactly one statement; trailing text is an error (kInternal). kTimeout when interrupted.
Result<StatementHandle> Prepare(sqlite3* db, std::string_view sql);

// One execution of a prepared statement. Bind, then call Step() until it says false; the destructor resets the
// statement and drops its bindings on every path. Bound text must outlive the Cursor.
class Cursor {
 public:
  explicit Cursor(sqlite3_stmt* statement) : statement_(statement) {}
  Cursor(Cursor&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)), rc_(other.rc_) {}
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

  // Parameters are numbered from 1. A failed bind surfaces at the next Step().
  Cursor& Bind(int index, std::string_view text) {
    return Keep(sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(),
                                    SQLITE_STATIC, SQLITE_UTF8));
  }
  Cursor& Bind(int index, std::int64_t number) { return Keep(sqlite3_bind_int64(statement_, index, number)); }
  Cursor& BindBlob(int index, std::string_view bytes) {
    return Keep(sqlite3_bind_blob64(statement_, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(),
                                    SQLITE_STATIC));
  }
  // For a SQL function's sqlite3_value_pointer(); `type` is a literal.
  Cursor& BindPointer(int index, void* pointer, const char* type) {
    return Keep(sqlite3_bind_pointer(statement_, index, pointer, type, nullptr));
  }
  Cursor& BindNull(int index) { return Keep(sqlite3_bind_null(statement_, index)); }
  Cursor& BindOptional(int index, const std::optional<std::string>& text) {
    return text ? Bind(index, std::string_view(*text)) : BindNull(index);
  }

  // True: a row is available. False: done, or failed; status() tells.
  bool Step() {
    if (rc_ != SQLITE_OK && rc_ != SQLITE_ROW) return false;
    rc_ = sqlite3_step(statement_);
    return rc_ == SQLITE_ROW;
  }
  int rc() const { return rc_ == SQLITE_ROW || rc_ == SQLITE_DONE ? SQLITE_OK : rc_; }
  Status status(const char* what) const;

  // Runs a statement that returns no rows.
  Status Run(const char* what) {
    while (Step()) {
    }
    return status(what);
  }

  std::int64_t Integer(int column) const { return sqlite3_column_int64(statement_, column); }
  // Valid until the next Step(). NULL reads as empty.
  std::string_view Text(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(data),
            data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }
  // None for NULL.
  std::optional<std::int64_t> OptionalInteger(int column) const {
    return IsNull(column) ? std::nullopt : std::optional(Integer(column));
  }
  bool IsNull(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  sqlite3_stmt* statement() const { return statement_; }

 private:
  Cursor& Keep(int rc) {
    if (rc_ == SQLITE_OK) rc_ = rc;
    return *this;
  }

  sqlite3_stmt* statement_;
  int rc_ = SQLITE_OK;
};

}  // namespace hypha
