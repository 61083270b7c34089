// All memory of this program: SQLite's allocator and operator new, which fail on demand.
#pragma once

#include <cstdint>

namespace hypha::reliability {

// Call before anything of SQLite.
void InstallFailingMemory();

struct MemoryFault {
  std::int64_t at = 0;    // the allocation to fail, counted from 1; 0: none
  bool for_ever = false;  // and all after it
};
// Starts counting from nothing.
void ArmMemory(MemoryFault fault);
void DisarmMemory();
std::int64_t Allocations();  // since it was armed, those of exempt code left out
std::int64_t FailedAllocations();
// Blocks that live now.
std::int64_t LiveSqliteBlocks();
std::int64_t LiveBlocks();

}  // namespace hypha::reliability
