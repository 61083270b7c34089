// Runs units against an open store, and says of each what its client was told.
#pragma once

#include <functional>

#include "hypha/engine.h"
#include "support/ledger.h"
#include "support/units.h"

namespace hypha::reliability {

struct Outcome {
  Told told = Told::kAsked;
  Code code = Code::kOk;
};

// Starts the unit; `done` comes on a thread of the engine as soon as the engine answers. A transaction is run to its
// end before this returns.
void Start(Engine& engine, const Unit& unit, Durability durability, std::function<void(Outcome)> done);

// Starts it and waits.
Outcome Run(Engine& engine, const Unit& unit, Durability durability);

Result<ReadReply> Read(Engine& engine, ReadRequest request);
Status Maintain(Engine& engine, Maintenance what);

}  // namespace hypha::reliability
