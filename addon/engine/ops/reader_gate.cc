#include "ops/reader_gate.h"

#include <algorithm>
#include <utility>

namespace hypha {
namespace {

std::int64_t Ticks(SteadyTime time) { return time.time_since_epoch().count(); }

}  // namespace

void ReaderGate::Pause() { paused_.store(true, std::memory_order_release); }

void ReaderGate::Resume() {
  const MutexLock lock(mutex_);
  paused_.store(false, std::memory_order_release);
  resumed_.NotifyAll();
}

std::chrono::nanoseconds ReaderGate::OldestAge() {
  const std::int64_t now = Ticks(hooks_.steady_now());
  std::int64_t oldest = now;
  const MutexLock lock(mutex_);
  for (const auto* seat : seats_) {
    const std::int64_t since = seat->since_.load(std::memory_order_relaxed);
    if (since != 0) oldest = std::min(oldest, since);
  }
  return SteadyTime::duration(now - oldest);
}

int ReaderGate::open() {
  const MutexLock lock(mutex_);
  return static_cast<int>(std::count_if(seats_.begin(), seats_.end(), [](const ReaderSeat* seat) {
    return seat->since_.load(std::memory_order_relaxed) != 0;
  }));
}

// Under the mutex, as Sit() and Leave() are for such a seat: the read transaction that is ended is the one that was
// old.
bool ReaderGate::Interrupt(std::chrono::nanoseconds least) {
  const std::int64_t latest = Ticks(hooks_.steady_now()) - least.count();
  const MutexLock lock(mutex_);
  ReaderSeat* oldest = nullptr;
  for (auto* seat : seats_) {
    const std::int64_t since = seat->since_.load(std::memory_order_relaxed);
    if (seat->db_ == nullptr || since == 0 || since > latest || seat->expired()) continue;
    if (oldest == nullptr || since < oldest->since_.load(std::memory_order_relaxed)) oldest = seat;
  }
  if (oldest == nullptr) return false;
  oldest->expired_.store(true, std::memory_order_relaxed);
  oldest->db_->Interrupt();
  expired_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

bool ReaderGate::ExpireOldest(std::chrono::nanoseconds least) {
  if (!Interrupt(least)) return false;
  std::function<void()> end;
  {
    const MutexLock lock(mutex_);
    end = on_expired_;
  }
  if (end) end();
  return true;
}

void ReaderGate::OnExpired(std::function<void()> end) {
  const MutexLock lock(mutex_);
  on_expired_ = std::move(end);
}

ReaderSeat::ReaderSeat(ReaderGate& gate, Connection* db) : gate_(gate), db_(db) {
  const MutexLock lock(gate_.mutex_);
  gate_.seats_.push_back(this);
  if (db_ != nullptr) db_->set_expired_flag(&expired_);
}

ReaderSeat::~ReaderSeat() {
  if (db_ != nullptr) db_->set_expired_flag(nullptr);
  const MutexLock lock(gate_.mutex_);
  std::erase(gate_.seats_, this);
}

void ReaderSeat::Sit() {
  MutexLock lock(gate_.mutex_);
  while (gate_.paused()) gate_.resumed_.Wait(gate_.mutex_);
  expired_.store(false, std::memory_order_relaxed);
  since_.store(Ticks(gate_.hooks_.steady_now()), std::memory_order_relaxed);
}

bool ReaderSeat::TrySit(SteadyTime now) {
  if (gate_.paused()) return false;
  since_.store(Ticks(now), std::memory_order_relaxed);
  return true;
}

void ReaderSeat::Leave() {
  if (db_ == nullptr) return since_.store(0, std::memory_order_relaxed);
  const MutexLock lock(gate_.mutex_);
  since_.store(0, std::memory_order_relaxed);
}

}  // namespace hypha
