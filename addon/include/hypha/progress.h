// How far a long piece of work is.
#pragma once

#include <atomic>
#include <cstdint>

namespace hypha {

// Set by whoever does the work, read by any thread. `total` is 0 until it is known; the unit is the work's.
struct Progress {
  std::atomic<std::int64_t> done{0};
  std::atomic<std::int64_t> total{0};
};

}  // namespace hypha
