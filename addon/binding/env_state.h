// What one JavaScript environment (the main thread or a worker) owns of the addon.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hypha/progress.h"
#include "hypha/types.h"
#include "napi_setup.h"

namespace hypha::binding {

class StoreHandle;

// Work for the JavaScript thread, made on another thread.
class Completion {
 public:
  virtual ~Completion() = default;
  // Thread: JavaScript. Runs inside a handle scope; a pending exception is a defect.
  virtual void Run(Napi::Env env) = 0;

 private:
  friend class CompletionQueue;
  std::unique_ptr<Completion> next_;
};

// In the order of Push(). Linked, so that an answer that has been made needs no memory to be delivered.
class CompletionQueue {
 public:
  CompletionQueue() = default;
  CompletionQueue(const CompletionQueue&) = delete;
  CompletionQueue& operator=(const CompletionQueue&) = delete;
  ~CompletionQueue() {
    while (Pop() != nullptr) {
    }
  }

  void Push(std::unique_ptr<Completion> completion) {
    auto& place = last_ == nullptr ? first_ : last_->next_;
    last_ = completion.get();
    place = std::move(completion);
  }
  // Null when empty.
  std::unique_ptr<Completion> Pop() {
    auto completion = std::move(first_);
    if (completion != nullptr) first_ = std::move(completion->next_);
    if (first_ == nullptr) last_ = nullptr;
    return completion;
  }
  void Swap(CompletionQueue& other) {
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
  }

 private:
  std::unique_ptr<Completion> first_;
  Completion* last_ = nullptr;
};

template <class F>
std::unique_ptr<Completion> MakeCompletion(F f) {
  struct Of final : Completion {
    explicit Of(F f) : f_(std::move(f)) {}
    void Run(Napi::Env env) override { f_(env); }
    F f_;
  };
  return std::make_unique<Of>(std::move(f));
}

// Rules. (1) The thread-safe function belongs to the environment, engines do not: a worker's end detaches it from them.
// (2) Engine threads reach the environment only through Post(), which drops its argument once the environment is
// closing: a promise of a dying environment is never settled, by Node's own rule. (3) The process is kept alive by
// pending promises only, through Hold() and Release() on the JavaScript thread.
class EnvState : public std::enable_shared_from_this<EnvState> {
 public:
  static std::shared_ptr<EnvState> Install(Napi::Env env);
  static std::shared_ptr<EnvState> Of(Napi::Env env);
  ~EnvState();

  // Thread: any. One wake-up serves all completions that pile up until it runs.
  void Post(std::unique_ptr<Completion> completion);

  // Thread: JavaScript, all below.
  void Hold();
  void Release();

  // Runs `work`, which may block, on a thread of its own; then `after`, here, even if `work` threw. Throws when the
  // thread cannot be started: then neither runs.
  void RunBlocking(std::function<void()> work, std::unique_ptr<Completion> after);

  void Add(StoreHandle* handle) { handles_.insert(handle); }
  void Remove(StoreHandle* handle);
  // Flags by which reads are cancelled, under numbers that JavaScript chose.
  std::shared_ptr<std::atomic<bool>> NewCancellation(std::int64_t token) {
    return cancellations_[token] = std::make_shared<std::atomic<bool>>(false);
  }
  void ForgetCancellation(std::int64_t token) { cancellations_.erase(token); }
  void Cancel(std::int64_t token) {
    const auto found = cancellations_.find(token);
    if (found != cancellations_.end()) found->second->store(true);
  }
  void CancelAll() {
    for (const auto& [token, flag] : cancellations_) flag->store(true);
  }

  // How far what takes long is, under the numbers by which it is cancelled.
  std::shared_ptr<Progress> NewProgress(std::int64_t token) { return progress_[token] = std::make_shared<Progress>(); }
  void ForgetProgress(std::int64_t token) { progress_.erase(token); }
  // Null when there is no such work.
  const Progress* ProgressOf(std::int64_t token) const {
    const auto found = progress_.find(token);
    return found == progress_.end() ? nullptr : found->second.get();
  }

  // Chunks of results that JavaScript has not asked for yet, under numbers.
  double KeepChunks(JsonChunks chunks) {
    for (const auto& chunk : chunks) kept_bytes_ += static_cast<std::int64_t>(chunk.size());
    kept_[++last_kept_] = {std::move(chunks), 0};
    Account();
    return static_cast<double>(last_kept_);
  }
  // The next of them; nothing after the last, and the number is free again.
  std::optional<std::string> TakeChunk(std::int64_t id) {
    const auto found = kept_.find(id);
    if (found == kept_.end()) return std::nullopt;
    auto& [chunks, next] = found->second;
    if (next == chunks.size()) {
      kept_.erase(found);
      Account();
      return std::nullopt;
    }
    kept_bytes_ -= static_cast<std::int64_t>(chunks[next].size());
    return std::move(chunks[next++]);
  }

  // Tells V8 what the stores of the environment hold outside its heap, so that it collects those that nobody needs:
  // when it differs by 64 KiB or more from what was told last, or is nothing.
  void Account();
  std::int64_t accounted() const { return accounted_; }

  // A write of this environment is about to be acknowledged: reads must see it.
  void EndSnapshots();
  // Closes every store of the environment and waits for it, and for what RunBlocking() has under way. The end: nothing
  // that was posted before runs any more.
  void CloseAll();

  Napi::FunctionReference& store_constructor() { return store_constructor_; }

 private:
  explicit EnvState(Napi::Env env) : env_(env) {}

  static void CallJs(napi_env env, napi_value callback, void* context, void* data);
  static void OnEnvironmentEnd(void* data);
  void Drain(Napi::Env env);
  void JoinFinished();
  void DropQueue();

  napi_env env_;
  napi_threadsafe_function wake_ = nullptr;
  std::mutex mutex_;  // guards queue_, scheduled_, closing_ and the use of wake_
  CompletionQueue queue_;
  bool scheduled_ = false;
  bool closing_ = false;

  struct Thread {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> finished;
  };
  std::vector<Thread> threads_;
  std::unordered_set<StoreHandle*> handles_;
  std::unordered_map<std::int64_t, std::shared_ptr<std::atomic<bool>>> cancellations_;
  std::unordered_map<std::int64_t, std::shared_ptr<Progress>> progress_;
  struct Kept {
    JsonChunks chunks;
    std::size_t next;
  };
  std::unordered_map<std::int64_t, Kept> kept_;
  std::int64_t last_kept_ = 0;
  std::int64_t kept_bytes_ = 0;
  std::int64_t accounted_ = 0;
  int holds_ = 0;
  Napi::FunctionReference store_constructor_;
};

}  // namespace hypha::binding
