// How fast a copy goes where others wait for the same disk.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace hypha {

// While the store's log is being synced every now and then, a copy is written in small pieces with rests between them:
// a sync waits for the piece that is on its way to the disk, and brings it there. Thread: one.
class DiskPace {
 public:
  // Pages of 4 KiB between two write-backs, where nobody waits and where somebody does.
  static constexpr int kManyPages = 128;
  static constexpr int kFewPages = 32;
  // Nobody has to wait for a copy longer than this speed asks for; a disk that is slower sets its own.
  static constexpr std::int64_t kBytesPerSecond = 256LL << 20;

  // `syncs` counts those of the log, which nobody does in this process where it is null.
  explicit DiskPace(const std::atomic<std::int64_t>* syncs);

  // How many pages to copy before the next write-back.
  int NextPages();
  // REQUIRES: so many have been written back.
  void Wait(int pages);

 private:
  using Clock = std::chrono::steady_clock;

  const std::atomic<std::int64_t>* syncs_;
  std::int64_t seen_ = 0;
  Clock::time_point shared_until_{};  // the disk, with whoever syncs
  Clock::time_point due_{};           // the next piece
};

}  // namespace hypha
