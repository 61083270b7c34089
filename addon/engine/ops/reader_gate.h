// Who reads since when: how a checkpoint gets the readers of this process out of its way.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/mutex.h"
#include "hypha/hooks.h"
#include "sqlite/connection.h"

namespace hypha {

class ReaderSeat;

// Thread-safe. Outlives its seats.
class ReaderGate {
 public:
  explicit ReaderGate(const Hooks& hooks) : hooks_(hooks) {}
  ReaderGate(const ReaderGate&) = delete;
  ReaderGate& operator=(const ReaderGate&) = delete;

  // Until Resume() no new read transaction begins through ReaderSeat::Sit(). A pause is short: its end is all that
  // those who wait get to hear.
  void Pause();
  void Resume();
  bool paused() const { return paused_.load(std::memory_order_acquire); }

  // How long the oldest read transaction has been open; zero without one.
  std::chrono::nanoseconds OldestAge();
  // Read transactions that are open.
  int open();
  // Ends the oldest read transaction that can be ended and is at least this old. False: there is none.
  bool ExpireOldest(std::chrono::nanoseconds least);
  // Runs after each of these, on the thread that called ExpireOldest(): who holds a read transaction open without
  // running anything in it cannot be interrupted, and has to end it. Outlives the calls.
  void OnExpired(std::function<void()> end);
  std::int64_t expired() const { return expired_.load(std::memory_order_relaxed); }

 private:
  friend class ReaderSeat;

  bool Interrupt(std::chrono::nanoseconds least);

  const Hooks& hooks_;
  std::atomic<bool> paused_{false};
  std::atomic<std::int64_t> expired_{0};
  Mutex mutex_;
  CondVar resumed_;
  std::vector<ReaderSeat*> seats_ GUARDED_BY(mutex_);
  std::function<void()> on_expired_ GUARDED_BY(mutex_);
};

// A connection's place at the gate. Thread: that of the connection.
class ReaderSeat {
 public:
  // `db` is interrupted when its read transaction has to end; null for one that never runs long.
  ReaderSeat(ReaderGate& gate, Connection* db);
  ~ReaderSeat();
  ReaderSeat(const ReaderSeat&) = delete;
  ReaderSeat& operator=(const ReaderSeat&) = delete;

  // Before a read transaction begins; waits while the gate is closed.
  void Sit();
  // The same on a thread that may not wait. False: the gate is closed.
  bool TrySit(SteadyTime now);
  // After it has ended.
  void Leave();
  // Whether the read transaction was ended by ExpireOldest(): what it would have read is lost.
  bool expired() const { return expired_.load(std::memory_order_relaxed); }

 private:
  friend class ReaderGate;

  ReaderGate& gate_;
  Connection* db_;
  std::atomic<std::int64_t> since_{0};  // steady clock; 0: no read transaction
  std::atomic<bool> expired_{false};
};

}  // namespace hypha
