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
      const auto base = stopped_ ? stopped_at_ : std::chrono::steady_clock::now();
      return base + std::chrono::milliseconds(ahead_ms_.load());
    };
  }
  // From now on time passes by Advance() alone. REQUIRES: no other thread reads the clock yet.
  void Stop() {
    stopped_at_ = std::chrono::steady_clock::now();
    stopped_ = true;
  }
  void Advance(std::chrono::milliseconds by) { ahead_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ahead_ms_{0};
  bool stopped_ = false;
  std::chrono::steady_clock::time_point stopped_at_;
};

}  // namespace hypha::test
