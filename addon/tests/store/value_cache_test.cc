#include "store/value_cache.h"

#include <gtest/gtest.h>

#include <string>

namespace hypha {
namespace {

TEST(ValueCache, KeepsNothingUntilTwoSnapshotsSawTheSameState) {
  ValueCache cache;
  cache.OnSnapshot(7);
  cache.Put(1, "k", "1");
  EXPECT_EQ(cache.Find(1, "k"), nullptr);
  cache.OnSnapshot(7);
  cache.Put(1, "k", "1");
  ASSERT_NE(cache.Find(1, "k"), nullptr);
  EXPECT_EQ(*cache.Find(1, "k"), "1");
}

TEST(ValueCache, KeepsNamespacesAndKeysApart) {
  ValueCache cache;
  cache.OnSnapshot(1);
  cache.OnSnapshot(1);
  cache.Put(1, "k", "one");
  EXPECT_EQ(cache.Find(2, "k"), nullptr);
  EXPECT_EQ(cache.Find(1, std::string_view("k\0", 2)), nullptr);
}

TEST(ValueCache, NothingOfAnEarlierStateIsUsedAgain) {
  ValueCache cache;
  cache.OnSnapshot(1);
  cache.OnSnapshot(1);
  cache.Put(1, "k", "old");
  cache.OnSnapshot(2);
  EXPECT_EQ(cache.Find(1, "k"), nullptr);
  cache.OnSnapshot(2);
  EXPECT_EQ(cache.Find(1, "k"), nullptr);
  cache.Put(1, "k", "new");
  EXPECT_EQ(*cache.Find(1, "k"), "new");
}

TEST(ValueCache, LeavesLongValuesOut) {
  ValueCache cache;
  cache.OnSnapshot(1);
  cache.OnSnapshot(1);
  cache.Put(1, "at", std::string(ValueCache::kMaxValueBytes, 'x'));
  cache.Put(1, "over", std::string(ValueCache::kMaxValueBytes + 1, 'x'));
  EXPECT_NE(cache.Find(1, "at"), nullptr);
  EXPECT_EQ(cache.Find(1, "over"), nullptr);
}

TEST(ValueCache, RestsAfterAFillingThatWasOfNoUse) {
  ValueCache cache;
  cache.OnSnapshot(1);
  cache.OnSnapshot(1);
  const std::string text(1000, 'x');
  const auto filling = static_cast<int>(ValueCache::kMaxBytes / text.size()) + 1;
  for (int i = 0; i < filling; ++i) cache.Put(1, "k" + std::to_string(i), text);
  cache.Put(1, "after", text);
  EXPECT_EQ(cache.Find(1, "after"), nullptr);
}

}  // namespace
}  // namespace hypha
