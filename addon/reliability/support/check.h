// What a database holds, and whether it is sound, seen through one connection beside the engine.
#pragma once

#include <string>

#include "hypha/hooks.h"
#include "hypha/status.h"
#include "sqlite/connection.h"
#include "support/units.h"

namespace hypha::reliability {

ConnectionOptions LookAt(const std::string& path, const Hooks& hooks, Role role);

// Everything in the tables.
Result<Content> ReadContent(Connection& db);

// Integrity, indexes against their tables, versions against their counter; OK or what is wrong.
Status CheckStructure(Connection& db);

}  // namespace hypha::reliability
