// Cursors: what was encoded comes back, and nothing else does harm.
#include "query/position.h"

#include <gtest/gtest.h>

#include "query/order_key.h"
#include "query/random_values.h"
#include "support/databases.h"

namespace hypha {
namespace {

TEST(Position, RoundTrips) {
  test::RandomValues random(test::Seed());
  for (int i = 0; i < 20'000; ++i) {
    const SortExtractor extractor(std::vector<SortKey>(random.Below(4), SortKey{Source::kField, {"f"}, false}));
    std::vector<SortValue> sort(extractor.size());
    extractor.Extract({"k", "{\"f\":" + random.Json() + "}", {}, 0, 0, 0}, sort);
    const std::string key = "k" + random.Wtf8(random.Below(20));
    const std::string cursor = EncodePosition(sort, key);
    ASSERT_EQ(cursor.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    const auto back = DecodePosition(cursor, sort.size());
    ASSERT_TRUE(back);
    ASSERT_EQ(back->key, key);
    ASSERT_EQ(back->sort.size(), sort.size());
    ASSERT_EQ(extractor.Compare(back->sort, sort), 0);
    for (std::size_t n = 0; n < sort.size(); ++n) ASSERT_EQ(OrderKey(back->sort[n]), OrderKey(sort[n]));
  }
}

TEST(Position, AnyTextIsReadOrRefused) {
  test::RandomValues random(test::Seed());
  const std::string alphabet = "AAAAABCDwxyz0189-_/+=\xff";
  int read = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::string text;
    for (std::size_t n = random.Below(60); n > 0; --n) text.push_back(alphabet[random.Below(alphabet.size())]);
    const std::size_t keys = random.Below(4);
    const auto position = DecodePosition(text, keys);
    if (!position) continue;
    ++read;
    ASSERT_EQ(position->sort.size(), keys);
    ASSERT_FALSE(position->key.empty());
    for (const auto& value : position->sort) ASSERT_FALSE(OrderKey(value).empty());
  }
  EXPECT_GT(read, 100);
}

}  // namespace
}  // namespace hypha
