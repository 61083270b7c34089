// A histogram of durations or sizes that any thread may add to at the cost of one increment.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace hypha {

// Values fall into buckets of 1/8 of their power of two, so that a percentile is off by an eighth at most. Thread-safe;
// what is read while others write is somewhere between before and after.
class Histogram {
 public:
  struct Summary {
    std::int64_t count = 0;
    std::int64_t sum = 0;
    std::int64_t p50 = 0;
    std::int64_t p95 = 0;
    std::int64_t p99 = 0;
    std::int64_t max = 0;
  };

  // Negative values count as 0.
  void Add(std::int64_t value) noexcept {
    const std::uint64_t v = value > 0 ? static_cast<std::uint64_t>(value) : 0;
    buckets_[BucketOf(v)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(v, std::memory_order_relaxed);
    std::uint64_t seen = max_.load(std::memory_order_relaxed);
    while (v > seen && !max_.compare_exchange_weak(seen, v, std::memory_order_relaxed)) {
    }
  }

  Summary Summarize() const {
    std::array<std::uint64_t, kBuckets> counts{};
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) total += counts[i] = buckets_[i].load(std::memory_order_relaxed);
    Summary summary;
    summary.count = static_cast<std::int64_t>(total);
    summary.sum = static_cast<std::int64_t>(sum_.load(std::memory_order_relaxed));
    summary.max = static_cast<std::int64_t>(max_.load(std::memory_order_relaxed));
    const auto at = [&](std::uint64_t percent) {
      // The rank of the value below which so many per cent lie, rounded up.
      const std::uint64_t rank = (total * percent + 99) / 100;
      std::uint64_t passed = 0;
      for (std::size_t i = 0; i < kBuckets; ++i) {
        passed += counts[i];
        if (passed >= rank && passed > 0) return std::min(static_cast<std::int64_t>(HighestOf(i)), summary.max);
      }
      return summary.max;
    };
    if (total == 0) return summary;
    summary.p50 = at(50);
    summary.p95 = at(95);
    summary.p99 = at(99);
    return summary;
  }

  static constexpr std::size_t BucketOf(std::uint64_t value) {
    if (value < kFine) return static_cast<std::size_t>(value);
    const auto power = static_cast<std::size_t>(std::bit_width(value)) - 1;  // at least 3
    const auto eighth = static_cast<std::size_t>((value >> (power - 3)) & (kFine - 1));
    return std::min((power - 2) * kFine + eighth, kBuckets - 1);
  }
  // The highest value of a bucket.
  static constexpr std::uint64_t HighestOf(std::size_t bucket) {
    if (bucket < kFine) return bucket;
    const std::size_t power = bucket / kFine + 2;
    const std::uint64_t width = std::uint64_t{1} << (power - 3);
    return (std::uint64_t{1} << power) + (bucket % kFine + 1) * width - 1;
  }

 private:
  static constexpr std::size_t kFine = 8;
  static constexpr std::size_t kBuckets = 46 * kFine;  // to 2^48: nine years of microseconds

  std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
  std::atomic<std::uint64_t> sum_{0};
  std::atomic<std::uint64_t> max_{0};
};

}  // namespace hypha
