// Waits for what an engine answers on another thread.
#pragma once

#include <future>
#include <memory>
#include <utility>

namespace hypha::reliability {

template <class T>
class Answer {
 public:
  void operator()(T value) const { promise_->set_value(std::move(value)); }
  T Get() const { return promise_->get_future().get(); }

 private:
  std::shared_ptr<std::promise<T>> promise_ = std::make_shared<std::promise<T>>();
};

}  // namespace hypha::reliability
