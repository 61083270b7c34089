// The workloads that every fault is tried on.
#pragma once

#include <span>
#include <string>

#include "support/stage.h"

namespace hypha::reliability {

struct Workload {
  const char* name;
  void (*run)(Stage& stage);
  // What the disk holds before: nothing, the entries of a closed store, the same with a hot log, or schema 1.
  enum class Start : std::uint8_t { kEmpty, kClosed, kHotLog, kKernelLayout } start;
  // Its connections wait five seconds for a lock, which is too long to refuse it for ever.
  bool waits = false;
};

std::span<const Workload> Workloads();

struct StartingPoint {
  DiskImage image;
  Content content;
};
// Made once for each kind. REQUIRES: nothing is open on the simulated disk, which is mounted anew.
const StartingPoint& StartOf(Workload::Start start);
const StartingPoint& StartOf(const Workload& workload);

}  // namespace hypha::reliability
