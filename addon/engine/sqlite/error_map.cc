#include "sqlite/error_map.h"

#include <string>

namespace hypha {
namespace {

Code CodeOf(int rc) {
  switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return Code::kOk;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return Code::kBusy;
    case SQLITE_NOMEM: return Code::kNoMem;
    case SQLITE_READONLY: return Code::kReadOnly;
    case SQLITE_INTERRUPT: return Code::kTimeout;
    case SQLITE_IOERR: return rc == SQLITE_IOERR_NOMEM ? Code::kNoMem : Code::kIo;
    case SQLITE_CORRUPT: return Code::kCorrupt;
    case SQLITE_FULL: return Code::kFull;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Code::kCantOpen;
    case SQLITE_TOOBIG: return Code::kTooLarge;
    case SQLITE_CONSTRAINT: return Code::kConstraint;
    case SQLITE_NOTADB: return Code::kNotADatabase;
    default: return Code::kInternal;
  }
}

}  // namespace

Status FromSqlite(int rc, sqlite3* db, const char* what) {
  const Code code = CodeOf(rc);
  if (code == Code::kOk) return Status::Ok();
  std::string detail(what);
  detail += ": ";
  detail += db != nullptr && sqlite3_extended_errcode(db) == rc ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
  return {code, std::move(detail), rc};
}

bool MayHaveRolledBack(int rc) {
  switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_BUSY:
    case SQLITE_INTERRUPT:
    case SQLITE_CORRUPT: return true;
    default: return false;
  }
}

}  // namespace hypha
