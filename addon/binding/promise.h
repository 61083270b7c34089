// Promises settled from engine callbacks.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "convert.h"
#include "env_state.h"
#include "hypha/caught.h"

namespace hypha::binding {

// One promise. Made on the JavaScript thread, where it keeps the process alive until it is settled.
class Pending {
 public:
  Pending(Napi::Env env, std::shared_ptr<EnvState> state) : state_(std::move(state)), env_(env) {
    // Napi::Promise::Deferred stays uninitialised where this fails: in an environment that is being terminated.
    if (napi_create_promise(env, &deferred_, &promise_) != napi_ok) deferred_ = nullptr;
    state_->Hold();
  }

  // In the call that made it. Empty when the environment is being terminated.
  Napi::Value promise() const { return deferred_ != nullptr ? Napi::Value(env_, promise_) : Napi::Value(); }
  EnvState& state() { return *state_; }

  // Thread: JavaScript. The first of these counts.
  void Resolve(Napi::Value value) {
    if (std::exchange(settled_, true)) return;
    state_->Release();
    if (deferred_ != nullptr) napi_resolve_deferred(env_, deferred_, value);
  }
  void Reject(Napi::Value record) {
    if (std::exchange(settled_, true)) return;
    state_->Release();
    if (deferred_ != nullptr) napi_reject_deferred(env_, deferred_, record);
  }
  void Reject(Napi::Env env, const Status& status) { Reject(ErrorRecord(env, status)); }

 private:
  std::shared_ptr<EnvState> state_;
  napi_env env_;
  napi_deferred deferred_ = nullptr;
  napi_value promise_ = nullptr;
  bool settled_ = false;
};

// Runs `work`, which settles `pending` or hands it on; rejects it when that ends in an exception.
template <class Work>
void OrReject(Napi::Env env, Pending& pending, Work work) {
  const Status status = Caught([&] {
    work();
    return Status::Ok();
  });
  if (!status.ok()) pending.Reject(env, status);
}

// Calls `settle(env, pending)` on the JavaScript thread.
template <class Settle>
std::unique_ptr<Completion> MakeSettling(std::shared_ptr<Pending> pending, Settle settle) {
  return MakeCompletion([pending = std::move(pending), settle = std::move(settle)](Napi::Env env) {
    OrReject(env, *pending, [&] { settle(env, *pending); });
  });
}

// A callback for the engine, to be called on any thread: takes T to the JavaScript thread and settles `pending` with
// `settle(env, pending, T)`. All memory is taken here: the callback does not throw.
template <class T, class Settle>
std::function<void(T)> Deliver(std::shared_ptr<Pending> pending, Settle settle) {
  struct Delivery final : Completion {
    Delivery(std::shared_ptr<Pending> p, Settle s) : pending(std::move(p)), settle(std::move(s)) {}
    void Run(Napi::Env env) override {
      OrReject(env, *pending, [&] { settle(env, *pending, std::move(*value)); });
    }
    std::shared_ptr<Pending> pending;
    Settle settle;
    std::optional<T> value;
  };
  auto slot =
      std::make_shared<std::unique_ptr<Delivery>>(std::make_unique<Delivery>(std::move(pending), std::move(settle)));
  return [slot = std::move(slot)](T value) {
    std::unique_ptr<Delivery> delivery = std::move(*slot);
    if (delivery == nullptr) return;
    delivery->value.emplace(std::move(value));
    const std::shared_ptr<Pending> p = delivery->pending;
    p->state().Post(std::move(delivery));
  };
}

}  // namespace hypha::binding
