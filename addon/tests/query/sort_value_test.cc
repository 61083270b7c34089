#include "query/sort_value.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace hypha {
namespace {

EntryView Entry(std::string_view key, std::string_view value, std::string_view metadata = {}) {
  EntryView entry;
  entry.key = key;
  entry.value = value;
  entry.metadata = metadata;
  return entry;
}

SortKey Field(std::string name, bool descending = false) { return {Source::kField, {std::move(name)}, descending}; }

int Compare(const SortExtractor& extractor, const EntryView& a, const EntryView& b) {
  std::vector<SortValue> row_a(extractor.size());
  std::vector<SortValue> row_b(extractor.size());
  extractor.Extract(a, row_a);
  extractor.Extract(b, row_b);
  const int order = extractor.Compare(row_a, row_b);
  EXPECT_EQ(order > 0, extractor.Compare(row_b, row_a) < 0);
  return order;
}

int CompareField(std::string_view a, std::string_view b, bool descending = false) {
  const std::string a_value = "{\"f\":" + std::string(a) + "}";
  const std::string b_value = "{\"f\":" + std::string(b) + "}";
  return Compare(SortExtractor({Field("f", descending)}), Entry("a", a_value), Entry("b", b_value));
}

TEST(SortExtractor, OrdersWithinARank) {
  EXPECT_LT(CompareField("2", "10"), 0);
  EXPECT_LT(CompareField("-1e999", "-5"), 0);
  EXPECT_EQ(CompareField("0", "-0"), 0);
  EXPECT_GT(CompareField(R"("2")", R"("10")"), 0);
  EXPECT_GT(CompareField("\"\xef\xbf\xae\"", "\"\xf0\x9f\x98\x80\""), 0);
  EXPECT_LT(CompareField(R"("\u0061")", R"("b")"), 0);
  EXPECT_LT(CompareField("false", "true"), 0);
  EXPECT_EQ(CompareField("[2]", R"({"a":1})"), 0);
}

TEST(SortExtractor, DescendingReversesWithinARankOnly) {
  EXPECT_GT(CompareField("2", "10", true), 0);
  EXPECT_GT(CompareField(R"("a")", R"("b")", true), 0);
  EXPECT_GT(CompareField("false", "true", true), 0);
}

TEST(SortExtractor, RanksAreFixedInBothDirections) {
  const std::vector<std::string> ranked{"9", R"("1")", "false", "[]", "null"};
  for (const bool descending : {false, true}) {
    for (std::size_t i = 0; i + 1 < ranked.size(); ++i) {
      EXPECT_LT(CompareField(ranked[i], ranked[i + 1], descending), 0) << ranked[i] << " " << ranked[i + 1];
    }
  }
}

TEST(SortExtractor, AbsentAndNullTieAtTheEnd) {
  const SortExtractor by_field({Field("f", true)});
  EXPECT_EQ(Compare(by_field, Entry("a", "{}"), Entry("b", R"({"f":null})")), 0);
  EXPECT_GT(Compare(by_field, Entry("a", "7"), Entry("b", R"({"f":{}})")), 0);
}

TEST(SortExtractor, NullAndAbsentFallBackToMetadata) {
  const SortExtractor by_field({Field("f")});
  const EntryView two = Entry("b", R"({"f":2})", R"({"f":9})");
  EXPECT_LT(Compare(by_field, Entry("a", R"({"f":null})", R"({"f":1})"), two), 0);
  EXPECT_GT(Compare(by_field, Entry("a", "[]", R"({"f":3})"), two), 0);
}

TEST(SortExtractor, ReadsEverySource) {
  EntryView old = Entry("a", R"({"p":{"q":1}})", R"({"m":1})");
  EntryView young = Entry("b", R"({"p":{"q":2}})", R"({"m":2})");
  young.created_at = young.updated_at = young.version = 5;
  for (const SortKey& key : {SortKey{Source::kKey, {}, false}, SortKey{Source::kPath, {"p", "q"}, false},
                             SortKey{Source::kMetadata, {"m"}, false}, SortKey{Source::kCreatedAt, {}, false},
                             SortKey{Source::kUpdatedAt, {}, false}, SortKey{Source::kVersion, {}, false}}) {
    EXPECT_LT(Compare(SortExtractor({key}), old, young), 0) << static_cast<int>(key.source);
  }
  EXPECT_LT(Compare(SortExtractor({{Source::kValue, {}, false}}), Entry("a", "1"), Entry("b", "2")), 0);
}

TEST(SortExtractor, LaterKeysBreakTies) {
  const SortExtractor extractor({Field("a"), Field("b", true)});
  EXPECT_GT(Compare(extractor, Entry("x", R"({"a":1,"b":1})"), Entry("y", R"({"a":1,"b":2})")), 0);
  EXPECT_LT(Compare(extractor, Entry("x", R"({"a":0,"b":1})"), Entry("y", R"({"a":1,"b":2})")), 0);
  EXPECT_EQ(Compare(SortExtractor({}), Entry("x", "1"), Entry("y", "2")), 0);
}

TEST(SortExtractor, IsAStrictWeakOrderOnMixedTypes) {
  const std::vector<std::string> mixed{"1", R"("0")", "true", "[]", "null", "-3", R"("b")", "false", "{}", "1e999"};
  for (const std::string& a : mixed) {
    for (const std::string& b : mixed) {
      for (const std::string& c : mixed) {
        if (CompareField(a, b) >= 0 || CompareField(b, c) >= 0) continue;
        EXPECT_LT(CompareField(a, c), 0) << a << b << c;
      }
    }
  }
}

TEST(SortExtractor, RowsAreReusedWithoutLeftovers) {
  const SortExtractor by_field({Field("f")});
  std::vector<SortValue> row(1);
  by_field.Extract(Entry("a", R"({"f":"a text longer than any small buffer"})"), row);
  by_field.Extract(Entry("a", R"({"f":4})"), row);
  EXPECT_EQ(row[0].rank, SortValue::Rank::kNumber);
  EXPECT_EQ(row[0].number, 4);
  EXPECT_EQ(row[0].text, "");
}

}  // namespace
}  // namespace hypha
