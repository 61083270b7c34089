#include "sqlite/database_handle.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/mutant.h"
#include "sqlite/authorizer.h"
#include "sqlite/error_map.h"
#include "sqlite/statement.h"

namespace hypha {
namespace {

struct Flag {
  int verb;
  int wanted;
};

constexpr std::array kFlags{Flag{SQLITE_DBCONFIG_DEFENSIVE, 1},      Flag{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                            Flag{SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, Flag{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                            Flag{SQLITE_DBCONFIG_DQS_DML, 0},        Flag{SQLITE_DBCONFIG_DQS_DDL, 0},
                            Flag{SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}};

struct LimitSetting {
  int id;
  int value;
};

constexpr std::array kSqliteLimits{
    LimitSetting{SQLITE_LIMIT_SQL_LENGTH, 100'000},      LimitSetting{SQLITE_LIMIT_EXPR_DEPTH, 200},
    LimitSetting{SQLITE_LIMIT_COMPOUND_SELECT, 3},       LimitSetting{SQLITE_LIMIT_VDBE_OP, 250'000},
    LimitSetting{SQLITE_LIMIT_FUNCTION_ARG, 8},          LimitSetting{SQLITE_LIMIT_ATTACHED, 0},
    LimitSetting{SQLITE_LIMIT_VARIABLE_NUMBER, 10'000},  LimitSetting{SQLITE_LIMIT_TRIGGER_DEPTH, 1},
    LimitSetting{SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256}, LimitSetting{SQLITE_LIMIT_WORKER_THREADS, 0}};

struct PragmaSetting {
  const char* set;
  const char* read;
  std::int64_t wanted;
};

constexpr std::array kPragmas{PragmaSetting{"PRAGMA cell_size_check=ON", "PRAGMA cell_size_check", 1},
                              PragmaSetting{"PRAGMA temp_store=MEMORY", "PRAGMA temp_store", 2}};

Status Differs(const char* what, std::int64_t got) {
  return {Code::kInternal, std::string(what) + " did not take effect, it reads " + std::to_string(got)};
}

Status SetLimits(sqlite3* db, std::int64_t longest) {
  for (const auto& limit : kSqliteLimits) {
    sqlite3_limit(db, limit.id, limit.value);
    if (sqlite3_limit(db, limit.id, -1) != limit.value) return Differs("a limit", limit.id);
  }
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(std::min(longest, kLongestText)));
  return Status::Ok();
}

Status SetFlags(sqlite3* db) {
  for (const auto& flag : kFlags) {
    if (Mutated(Mutant::kNoDefensiveFlags)) break;
    int now = -1;
    const int rc = sqlite3_db_config(db, flag.verb, flag.wanted, &now);
    if (rc != SQLITE_OK) return FromSqlite(rc, db, "db_config");
    if (now != flag.wanted) return Differs("a defensive flag", flag.verb);
  }
  sqlite3_set_authorizer(db, &Authorize, nullptr);
  return Status::Ok();
}

// None of these reads the file.
Status SetPragmas(sqlite3* db) {
  for (const auto& pragma : kPragmas) {
    const int rc = sqlite3_exec(db, pragma.set, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) return FromSqlite(rc, db, pragma.set);
    auto statement = Prepare(db, pragma.read);
    if (!statement.ok()) return statement.status();
    Cursor now(statement.value().get());
    if (now.Step() && now.Integer(0) != pragma.wanted) return Differs(pragma.set, now.Integer(0));
    Status status = now.status(pragma.read);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

}  // namespace

Result<DatabaseHandle> OpenHardened(const std::string& path, int flags, const char* vfs, std::int64_t longest) {
  sqlite3* raw = nullptr;
  const int always = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
  const int rc = sqlite3_open_v2(path.c_str(), &raw, flags | always, vfs);
  DatabaseHandle handle(raw);
  if (rc != SQLITE_OK) return FromSqlite(rc, raw, "open");
  Status status = SetLimits(raw, longest);
  if (status.ok()) status = SetFlags(raw);
  if (status.ok()) status = SetPragmas(raw);
  if (!status.ok()) return status;
  return handle;
}

}  // namespace hypha
