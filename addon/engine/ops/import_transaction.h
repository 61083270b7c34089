// A transaction of the engine as a thread that may wait sees it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "hypha/bundle.h"
#include "hypha/engine.h"

namespace hypha {

// The answer to one request; each request gets exactly one.
template <class T>
class Awaited {
 public:
  void Put(T value) {
    std::function<void(T)> late;
    {
      MutexLock lock(mutex_);
      value_.emplace(std::move(value));
      late = std::move(late_);
      ready_.NotifyAll();
    }
    if (late != nullptr) late(Take());
  }
  T Take() {
    MutexLock lock(mutex_);
    while (!value_) ready_.Wait(mutex_);
    return std::move(*value_);
  }
  // Instead of Take(), without waiting: `late` gets the answer, perhaps on the thread that puts it.
  void Leave(std::function<void(T)> late) {
    {
      MutexLock lock(mutex_);
      if (!value_) {
        late_ = std::move(late);
        return;
      }
    }
    late(Take());
  }

 private:
  Mutex mutex_;
  CondVar ready_;
  std::optional<T> value_ GUARDED_BY(mutex_);
  std::function<void(T)> late_ GUARDED_BY(mutex_);
};

// Thread: made on any, then used on one. Has its place among the writes from its making on. Rolled back in the
// destructor unless it was committed.
class ImportTransaction {
 public:
  ImportTransaction(Engine& engine, const void* owner, std::optional<Durability> durability, Cancellation cancelled);
  ~ImportTransaction() { RollBack(); }
  ImportTransaction(const ImportTransaction&) = delete;
  ImportTransaction& operator=(const ImportTransaction&) = delete;

  // Waits for its turn.
  Status Begin();
  // The row of hypha_meta as text, empty when there is none.
  Result<std::string> Meta(const std::string& name);
  // Starts writing and answers with the reply to the writing before: one request is under way while the next is made.
  // The first reply has no outcomes.
  WriteReply Write(std::vector<WriteOp> ops);
  // The reply to what is still under way.
  WriteReply Wait();
  // REQUIRES: nothing is under way.
  Status Commit();
  // Gives the place back, or waits for the rollback of what was begun. Nothing after Commit().
  void RollBack();

 private:
  Status End(bool commit);

  Engine& engine_;
  TransactionId id_ = 0;
  std::shared_ptr<Awaited<Result<TransactionId>>> turn_;  // null once taken
  std::shared_ptr<Awaited<WriteReply>> under_way_;
  Awaited<Status> ended_;
};

}  // namespace hypha
