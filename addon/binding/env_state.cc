#include "env_state.h"

#include <utility>

#include "store_handle.h"

namespace hypha::binding {

std::shared_ptr<EnvState> EnvState::Install(Napi::Env env) {
  std::shared_ptr<EnvState> state(new EnvState(env));
  napi_value name = Napi::String::New(env, "hyphadb");
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, state.get(), &EnvState::CallJs,
                                  &state->wake_);
  napi_unref_threadsafe_function(env, state->wake_);
  auto* keep = new std::shared_ptr<EnvState>(state);
  env.SetInstanceData<std::shared_ptr<EnvState>>(keep);
  // Added after the thread-safe function, so that it runs before that one's own hook.
  napi_add_env_cleanup_hook(env, &EnvState::OnEnvironmentEnd, state.get());
  return state;
}

std::shared_ptr<EnvState> EnvState::Of(Napi::Env env) { return *env.GetInstanceData<std::shared_ptr<EnvState>>(); }

EnvState::~EnvState() {
  for (auto& thread : threads_) thread.thread.join();
}

void EnvState::OnEnvironmentEnd(void* data) {
  auto* self = static_cast<EnvState*>(data);
  {
    std::lock_guard lock(self->mutex_);
    self->closing_ = true;
  }
  self->CloseAll();
  self->store_constructor_.Reset();
  napi_release_threadsafe_function(self->wake_, napi_tsfn_abort);
}

void EnvState::Post(std::unique_ptr<Completion> completion) {
  std::lock_guard lock(mutex_);
  if (closing_) return;
  queue_.Push(std::move(completion));
  if (scheduled_) return;
  scheduled_ = napi_call_threadsafe_function(wake_, nullptr, napi_tsfn_nonblocking) == napi_ok;
}

void EnvState::CallJs(napi_env env, napi_value /*callback*/, void* context, void* /*data*/) {
  if (env != nullptr) static_cast<EnvState*>(context)->Drain(env);
}

void EnvState::Drain(Napi::Env env) {
  CompletionQueue ready;
  {
    std::lock_guard lock(mutex_);
    ready.Swap(queue_);
    scheduled_ = false;
  }
  EndSnapshots();
  while (const auto completion = ready.Pop()) {
    Napi::HandleScope scope(env);
    try {
      completion->Run(env);
    } catch (...) {
      // Whoever settles a promise has caught what it could tell of; the others are not kept waiting.
    }
  }
  JoinFinished();
}

void EnvState::Hold() {
  if (holds_++ == 0) napi_ref_threadsafe_function(env_, wake_);
}

void EnvState::Release() {
  if (--holds_ == 0) napi_unref_threadsafe_function(env_, wake_);
}

void EnvState::RunBlocking(std::function<void()> work, std::unique_ptr<Completion> after) {
  auto finished = std::make_shared<std::atomic<bool>>(false);
  threads_.reserve(threads_.size() + 1);  // once the thread runs, nothing may fail
  std::thread thread([this, work = std::move(work), after = std::move(after), finished]() mutable {
    try {
      work();
    } catch (...) {
      // `after` finds that nothing was done.
    }
    Post(std::move(after));
    finished->store(true);
  });
  threads_.push_back({std::move(thread), std::move(finished)});
}

void EnvState::JoinFinished() {
  std::erase_if(threads_, [](Thread& thread) {
    if (!thread.finished->load()) return false;
    thread.thread.join();
    return true;
  });
}

// Nothing will run it any more. Not under the lock: dropping a store that nobody took over closes it.
void EnvState::DropQueue() {
  CompletionQueue dropped;
  std::lock_guard lock(mutex_);
  dropped.Swap(queue_);
}

void EnvState::Remove(StoreHandle* handle) {
  if (handles_.erase(handle) != 0) Account();
}

void EnvState::Account() {
  constexpr std::int64_t kStep = 64 << 10;
  std::int64_t bytes = kept_bytes_;
  for (const auto* handle : handles_) bytes += handle->MemoryUsed();
  const std::int64_t change = bytes - accounted_;
  if (change == 0 || (bytes != 0 && change > -kStep && change < kStep)) return;
  std::int64_t total = 0;
  if (napi_adjust_external_memory(env_, change, &total) == napi_ok) accounted_ = bytes;
}

void EnvState::EndSnapshots() {
  for (auto* handle : handles_) handle->EndSnapshot();
}

void EnvState::CloseAll() {
  // What runs for long ends now; a close() or open() under way first, the process must not end in the middle of it.
  CancelAll();
  for (auto* handle : handles_) handle->AbandonNow();
  for (auto& thread : threads_) thread.thread.join();
  threads_.clear();
  DropQueue();
  while (!handles_.empty()) {
    StoreHandle* handle = *handles_.begin();
    handles_.erase(handles_.begin());
    handle->CloseNow();
  }
  kept_.clear();
  kept_bytes_ = 0;
  Account();
}

}  // namespace hypha::binding
