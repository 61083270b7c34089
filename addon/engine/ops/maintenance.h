// Work on the whole file, between two commits.
#pragma once

#include <string>

#include "hypha/engine.h"
#include "ops/wal_service.h"

namespace hypha {

// Thread: the owner of the writer's connection, outside any transaction. The answer is that of Engine::Maintain().
Result<std::string> Maintain(WalService& wal, const Hooks& hooks, Maintenance what);

}  // namespace hypha
