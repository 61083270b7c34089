// std::mutex and friends with clang's thread-safety annotations (-Wthread-safety), which libstdc++'s own types lack.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define HYPHA_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define HYPHA_THREAD_ANNOTATION(x)
#endif
#define GUARDED_BY(x) HYPHA_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES_LOCK(x) HYPHA_THREAD_ANNOTATION(requires_capability(x))

namespace hypha {

class HYPHA_THREAD_ANNOTATION(capability("mutex")) Mutex {
 public:
  void Lock() HYPHA_THREAD_ANNOTATION(acquire_capability()) { mutex_.lock(); }
  bool TryLock() HYPHA_THREAD_ANNOTATION(try_acquire_capability(true)) { return mutex_.try_lock(); }
  void Unlock() HYPHA_THREAD_ANNOTATION(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class HYPHA_THREAD_ANNOTATION(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HYPHA_THREAD_ANNOTATION(acquire_capability(mutex)) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() HYPHA_THREAD_ANNOTATION(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Every Wait() may wake without a cause: callers loop over their condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES_LOCK(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  void WaitUntil(Mutex& mutex, std::chrono::steady_clock::time_point deadline) REQUIRES_LOCK(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait_until(lock, deadline);
    lock.release();
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace hypha
