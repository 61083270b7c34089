// Receives what an engine answers on another thread, and counts how often it does.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace hypha::test {

inline constexpr std::chrono::seconds kPatience{30};

// Copies share one answer: pass one as the callback, ask another.
template <class T>
class Answer {
 public:
  void operator()(T value) const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    state_->value.emplace(std::move(value));
    ++state_->count;
    state_->arrived.notify_all();
  }
  // Waits for the answer.
  T Get() const {
    std::unique_lock<std::mutex> lock(state_->mutex);
    if (!state_->arrived.wait_for(lock, kPatience, [&] { return state_->value.has_value(); })) {
      ADD_FAILURE() << "no answer came";
      std::abort();  // the callback would come to a test that is over
    }
    return *state_->value;
  }
  bool Came() const { return count() > 0; }
  int count() const {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    return state_->count;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable arrived;
    std::optional<T> value;
    int count = 0;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace hypha::test
