// The authorizer that every connection carries: what HyphaDB's own SQL may do, and nothing else.
#pragma once

#include "sqlite3.h"

namespace hypha {

// An sqlite3_set_authorizer callback. Denies attaching, triggers, temporary and virtual tables, extension loading and
// every pragma that the engine does not itself use.
int Authorize(void* unused, int action, const char* first, const char* second, const char* database,
              const char* trigger);

}  // namespace hypha
