#include "base/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

namespace hypha {
namespace {

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram::Summary summary = Histogram().Summarize();
  EXPECT_EQ(summary.count, 0);
  EXPECT_EQ(summary.p99, 0);
  EXPECT_EQ(summary.max, 0);
}

TEST(Histogram, OneValueIsEveryPercentile) {
  Histogram histogram;
  histogram.Add(1234);
  const Histogram::Summary summary = histogram.Summarize();
  EXPECT_EQ(summary.count, 1);
  EXPECT_EQ(summary.sum, 1234);
  EXPECT_EQ(summary.p50, 1234);
  EXPECT_EQ(summary.p99, 1234);
  EXPECT_EQ(summary.max, 1234);
}

TEST(Histogram, NegativeValuesCountAsZero) {
  Histogram histogram;
  histogram.Add(-5);
  EXPECT_EQ(histogram.Summarize().max, 0);
  EXPECT_EQ(histogram.Summarize().count, 1);
}

TEST(Histogram, EveryValueLiesInItsBucketAndBucketsAreNarrow) {
  for (std::uint64_t value : {0ULL, 1ULL, 7ULL, 8ULL, 9ULL, 15ULL, 16ULL, 17ULL, 1000ULL, 1023ULL, 1024ULL,
                              1'000'000ULL, (1ULL << 40) - 1, 1ULL << 40}) {
    const std::size_t bucket = Histogram::BucketOf(value);
    EXPECT_GE(Histogram::HighestOf(bucket), value);
    EXPECT_LE(Histogram::HighestOf(bucket), value + value / 8);
    if (bucket > 0) {
      EXPECT_LT(Histogram::HighestOf(bucket - 1), value);
    }
  }
}

TEST(Histogram, PercentilesAreWithinAnEighthOfTheTruth) {
  std::mt19937_64 random(7);
  Histogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(static_cast<std::int64_t>(random() % 1'000'000));
    histogram.Add(values.back());
  }
  std::sort(values.begin(), values.end());
  const Histogram::Summary summary = histogram.Summarize();
  const std::pair<std::int64_t, std::size_t> cases[] = {{summary.p50, 50}, {summary.p95, 95}, {summary.p99, 99}};
  for (const auto& [found, percent] : cases) {
    const auto truth = static_cast<double>(values[values.size() * percent / 100 - 1]);
    EXPECT_NEAR(static_cast<double>(found), truth, truth / 8) << percent;
  }
  EXPECT_EQ(summary.max, values.back());
}

TEST(Histogram, LosesNothingWhenThreadsAddAtOnce) {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) histogram.Add(i);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(histogram.Summarize().count, 40'000);
  EXPECT_EQ(histogram.Summarize().sum, 4LL * 9'999 * 10'000 / 2);
  EXPECT_EQ(histogram.Summarize().max, 9'999);
}

}  // namespace
}  // namespace hypha
