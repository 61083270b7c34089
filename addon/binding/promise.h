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
  Pending(Napi::Env env, std::shared_ptr<EnvState> state)
      : state_(std::move(state)), deferred_(Napi::Promise::Deferred::New(env)) {
    state_->Hold();
  }

  Napi::Promise promise() const { return deferred_.Promise(); }
  EnvState& state() { return *state_; }

  // Thread: JavaScript; one of the two, once.
  void Resolve(Napi::Value value) {
    state_->Release();
    deferred_.Resolve(value);
  }
  void Reject(Napi::Env env, const Status& status) {
    state_->Release();
    deferred_.Reject(ErrorRecord(env, status));
  }

 private:
  std::shared_ptr<EnvState> state_;
  Napi::Promise::Deferred deferred_;
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
