// Waits for what a thread does at its own pace.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "support/answer.h"

namespace hypha::test {

// False: it has not come within kPatience.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace hypha::test
