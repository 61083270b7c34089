// SQLite result codes as Status.
#pragma once

#include "hypha/status.h"
#include "sqlite3.h"

namespace hypha {

// The Status for the extended result code `rc`. `db` (may be null) supplies SQLite's message. SQLITE_OK, SQLITE_ROW and
// SQLITE_DONE are OK; SQLITE_MISUSE and its like are our own defect and become kInternal.
Status FromSqlite(int rc, sqlite3* db, const char* what);

// Whether `rc` leaves the state of an open transaction in doubt, so that sqlite3_get_autocommit() must be asked.
bool MayHaveRolledBack(int rc);

}  // namespace hypha
