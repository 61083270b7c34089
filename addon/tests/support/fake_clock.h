// A clock that a test puts forward.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "hypha/hooks.h"

namespace hypha::test {

// The real one, and as much more as was added: what waits for a moment still comes to it by itself.
class FakeClock {
 public:
  void Install(Hooks* hooks) {
    hooks->steady_now = [this] {
      return std::chrono::steady_clock::now() + std::chrono::milliseconds(ahead_ms_.load());
    };
  }
  void Advance(std::chrono::milliseconds by) { ahead_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ahead_ms_{0};
};

}  // namespace hypha::test
