// The twelve workloads that every fault is tried on.
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
};

std::span<const Workload> Workloads();

struct StartingPoint {
  DiskImage image;
  Content content;
};
// Made once for each kind.
const StartingPoint& StartOf(const Workload& workload);

}  // namespace hypha::reliability
