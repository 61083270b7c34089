// How fast a copy goes beside syncs of the log.
#include "ops/disk_pace.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace hypha {
namespace {

double SecondsOf(DiskPace pace, int pieces) {
  const auto from = std::chrono::steady_clock::now();
  for (int i = 0; i < pieces; ++i) pace.Wait(pace.NextPages());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count();
}

TEST(DiskPaceTest, SmallPiecesAndRestsOnceASyncWasSeen) {
  std::atomic<std::int64_t> syncs{7};
  DiskPace pace(&syncs);
  EXPECT_EQ(pace.NextPages(), DiskPace::kManyPages) << "those of before do not count";
  ++syncs;
  EXPECT_EQ(pace.NextPages(), DiskPace::kFewPages);
  constexpr int kPieces = 100;
  // The first one does not wait.
  constexpr double kLeast =
      (kPieces - 1) * DiskPace::kFewPages * 4096.0 / static_cast<double>(DiskPace::kBytesPerSecond);
  EXPECT_GE(SecondsOf(pace, kPieces), kLeast);
}

TEST(DiskPaceTest, LargePiecesWhereNobodySyncs) {
  EXPECT_EQ(DiskPace(nullptr).NextPages(), DiskPace::kManyPages);
  const std::atomic<std::int64_t> syncs{7};
  DiskPace pace(&syncs);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(pace.NextPages(), DiskPace::kManyPages);
}

}  // namespace
}  // namespace hypha
