// A transaction of the engine as a thread that may wait sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "hypha/engine.h"

namespace hypha {

// The answer to one request; each request gets exactly one.
template <class T>
class Awaited {
 public:
  void Put(T value) {
    MutexLock lock(mutex_);
    value_.emplace(std::move(value));
    ready_.NotifyAll();
  }
  T Take() {
    MutexLock lock(mutex_);
    while (!value_) ready_.Wait(mutex_);
    return std::move(*value_);
  }

 private:
  Mutex mutex_;
  CondVar ready_;
  std::optional<T> value_ GUARDED_BY(mutex_);
};

// Thread: one. Rolls back in the destructor unless Commit() was called.
class ImportTransaction {
 public:
  ImportTransaction(Engine& engine, const void* owner) : engine_(engine), owner_(owner) {}
  ~ImportTransaction();
  ImportTransaction(const ImportTransaction&) = delete;
  ImportTransaction& operator=(const ImportTransaction&) = delete;

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

 private:
  Engine& engine_;
  const void* owner_;
  TransactionId id_ = 0;
  std::shared_ptr<Awaited<WriteReply>> under_way_;
};

}  // namespace hypha
