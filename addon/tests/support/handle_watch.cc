#include "support/handle_watch.h"

#include <mutex>
#include <utility>

namespace hypha::test {
namespace {

struct Seen {
  std::mutex mutex;
  int opened = 0;
  std::multiset<std::string> closed;
  std::set<std::string> problems;
};

Seen& All() {
  static Seen seen;
  return seen;
}

constexpr std::pair<int, int> kFlags[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                          {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                          {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
                                          {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}};
constexpr std::pair<int, int> kLimits[] = {{SQLITE_LIMIT_SQL_LENGTH, 100'000},      {SQLITE_LIMIT_EXPR_DEPTH, 200},
                                           {SQLITE_LIMIT_COMPOUND_SELECT, 3},       {SQLITE_LIMIT_VDBE_OP, 250'000},
                                           {SQLITE_LIMIT_FUNCTION_ARG, 8},          {SQLITE_LIMIT_ATTACHED, 0},
                                           {SQLITE_LIMIT_VARIABLE_NUMBER, 10'000},  {SQLITE_LIMIT_TRIGGER_DEPTH, 1},
                                           {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256}, {SQLITE_LIMIT_WORKER_THREADS, 0}};
// What every handle reads back, and what is not for any of them to do.
constexpr std::pair<const char*, int> kPragmas[] = {
    {"PRAGMA cell_size_check", 1}, {"PRAGMA temp_store", 2}, {"PRAGMA mmap_size", 0}};
constexpr const char* kForbidden[] = {"PRAGMA threads", "PRAGMA writable_schema", "DETACH main"};

std::string NameOf(sqlite3* db) {
  const char* path = sqlite3_db_filename(db, "main");
  const std::string name = path == nullptr ? "" : path;
  return name.substr(name.rfind('/') + 1);
}

void Complain(sqlite3* db, const std::string& what) {
  const std::lock_guard lock(All().mutex);
  All().problems.insert(NameOf(db) + ": " + what);
}

void LookAtFlags(sqlite3* db, const std::string& when) {
  for (const auto& [verb, wanted] : kFlags) {
    int now = -1;
    sqlite3_db_config(db, verb, -1, &now);
    if (now != wanted) Complain(db, "flag " + std::to_string(verb) + " is " + std::to_string(now) + when);
  }
  for (const auto& [limit, wanted] : kLimits) {
    const int now = sqlite3_limit(db, limit, -1);
    // VACUUM attaches a database of its own.
    if (now != wanted && when.find("VACUUM") == std::string::npos)
      Complain(db, "limit " + std::to_string(limit) + " is " + std::to_string(now) + when);
  }
}

void LookAtPragmas(sqlite3* db) {
  for (const auto& [sql, wanted] : kPragmas) {
    sqlite3_stmt* statement = nullptr;
    sqlite3_prepare_v2(db, sql, -1, &statement, nullptr);
    const bool row = sqlite3_step(statement) == SQLITE_ROW;
    // A build without memory mapping has no row for its size.
    if (row && sqlite3_column_int(statement, 0) != wanted) Complain(db, std::string(sql) + " differs");
    sqlite3_finalize(statement);
  }
  for (const char* sql : kForbidden) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_AUTH)
      Complain(db, std::string("has no authorizer against ") + sql);
    sqlite3_finalize(statement);
  }
}

int OnTrace(unsigned event, void* /*unused*/, void* subject, void* text) {
  if (event == SQLITE_TRACE_STMT) {
    LookAtFlags(sqlite3_db_handle(static_cast<sqlite3_stmt*>(subject)),
                std::string(" at ") + static_cast<const char*>(text));
    return 0;
  }
  auto* db = static_cast<sqlite3*>(subject);
  sqlite3_trace_v2(db, 0, nullptr, nullptr);
  LookAtFlags(db, "");
  LookAtPragmas(db);
  const std::lock_guard lock(All().mutex);
  All().closed.insert(NameOf(db));
  return 0;
}

int OnOpen(sqlite3* db, const char** /*message*/, const void* /*routines*/) {
  sqlite3_trace_v2(db, SQLITE_TRACE_STMT | SQLITE_TRACE_CLOSE, &OnTrace, nullptr);
  const std::lock_guard lock(All().mutex);
  ++All().opened;
  return SQLITE_OK;
}

// The type that SQLite's own list of extensions has.
auto Hook() { return reinterpret_cast<void (*)()>(&OnOpen); }

}  // namespace

HandleWatch::HandleWatch() {
  const std::lock_guard lock(All().mutex);
  All().opened = 0;
  All().closed.clear();
  All().problems.clear();
  sqlite3_auto_extension(Hook());
}

HandleWatch::~HandleWatch() { sqlite3_cancel_auto_extension(Hook()); }

int HandleWatch::opened() const {
  const std::lock_guard lock(All().mutex);
  return All().opened;
}

int HandleWatch::closed() const {
  const std::lock_guard lock(All().mutex);
  return static_cast<int>(All().closed.size());
}

std::multiset<std::string> HandleWatch::files() const {
  const std::lock_guard lock(All().mutex);
  return All().closed;
}

std::set<std::string> HandleWatch::problems() const {
  const std::lock_guard lock(All().mutex);
  return All().problems;
}

}  // namespace hypha::test
