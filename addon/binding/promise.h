// Promises settled from engine callbacks.
#pragma once

#include <memory>
#include <utility>

#include "convert.h"
#include "env_state.h"

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

  // Thread: JavaScript; one of the two, once.
  void Resolve(Napi::Value value) {
    state_->Release();
    if (deferred_ != nullptr) napi_resolve_deferred(env_, deferred_, value);
  }
  void Reject(Napi::Env env, const Status& status) {
    state_->Release();
    if (deferred_ != nullptr) napi_reject_deferred(env_, deferred_, ErrorRecord(env, status));
  }

 private:
  std::shared_ptr<EnvState> state_;
  napi_env env_;
  napi_deferred deferred_ = nullptr;
  napi_value promise_ = nullptr;
};

// A callback for the engine, to be called on any thread: takes T to the JavaScript thread and settles `pending` with
// `settle(env, pending, T)`.
template <class T, class Settle>
std::function<void(T)> Deliver(std::shared_ptr<Pending> pending, Settle settle) {
  return [pending = std::move(pending), settle](T value) {
    EnvState& state = pending->state();
    state.Post(MakeCompletion([pending, settle, value = std::move(value)](Napi::Env env) mutable {
      settle(env, *pending, std::move(value));
    }));
  };
}

}  // namespace hypha::binding
