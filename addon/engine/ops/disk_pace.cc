#include "ops/disk_pace.h"

#include <algorithm>
#include <thread>

namespace hypha {
namespace {

constexpr std::int64_t kPageBytes = 4096;
// One sync is seldom the last; on a busy disk each takes tens of milliseconds.
constexpr auto kSharedFor = std::chrono::milliseconds(200);

}  // namespace

DiskPace::DiskPace(const std::atomic<std::int64_t>* syncs)
    : syncs_(syncs), seen_(syncs == nullptr ? 0 : syncs->load(std::memory_order_relaxed)) {}

int DiskPace::NextPages() {
  if (syncs_ == nullptr) return kManyPages;
  const std::int64_t now = syncs_->load(std::memory_order_relaxed);
  if (now != seen_) shared_until_ = Clock::now() + kSharedFor;
  seen_ = now;
  return Clock::now() < shared_until_ ? kFewPages : kManyPages;
}

void DiskPace::Wait(int pages) {
  if (pages != kFewPages) return;
  // What was lost is not made up for: that would be a burst.
  const auto now = Clock::now();
  due_ = std::max(now, due_ + std::chrono::microseconds(pages * kPageBytes * 1'000'000 / kBytesPerSecond));
  std::this_thread::sleep_until(due_);
}

}  // namespace hypha
