// The ranges of an index against the predicate itself.
#include "query/index_range.h"

#include <gtest/gtest.h>

#include "query/order_key.h"
#include "query/predicate.h"
#include "query/random_values.h"
#include "support/databases.h"

namespace hypha {
namespace {

// What hypha_extract() gives for the field f.
std::optional<std::string> StoredKey(const EntryView& entry) {
  const auto value = Resolve(Source::kField, {"f"}, entry);
  if (!value) return std::nullopt;
  std::string key = OrderKey(*value);
  const auto below = Resolve(Source::kMetadata, {"f"}, entry);
  if (key[0] == order_tag::kNull && below && OrderKey(*below)[0] != order_tag::kNull)
    key[0] = order_tag::kNullOverMetadata;
  return key;
}

TEST(IndexRange, NeverTooNarrowAndExactWhereItSaysSo) {
  test::RandomValues random(test::Seed());
  int ranged = 0;
  int exact_hits = 0;
  for (int i = 0; i < 20'000; ++i) {
    const Term term = random.TermOn("f");
    const auto ranges = RangesOf(term);
    if (!ranges) continue;
    ++ranged;
    for (std::size_t r = 1; r < ranges->size(); ++r) {
      const auto& before = (*ranges)[r - 1];
      ASSERT_TRUE(before.high <= (*ranges)[r].low || before.low >= before.high)
          << "range " << r << " of operator " << static_cast<int>(term.op);
    }
    const Predicate predicate(term);
    for (int j = 0; j < 12; ++j) {
      // Half of the values are near the operand.
      std::string json = random.Json();
      if (term.operand.tag == Operand::Tag::kString && random.Below(2) == 0)
        json = JsonName(term.operand.text + (random.Below(2) == 0 ? "" : random.Text()));
      const std::string value = random.Below(12) == 0 ? "{}" : "{\"f\":" + json + "}";
      const std::string metadata = random.Below(2) == 0 ? "{\"f\":" + random.Json() + "}" : "";
      const EntryView entry{"k", value, metadata, 0, 0, 0};
      const bool matches = predicate.Test(entry);
      const auto key = StoredKey(entry);
      bool inside = false;
      bool exact = false;
      for (const auto& range : *ranges) {
        if (!key || *key < range.low || *key >= range.high) continue;
        inside = true;
        exact = range.exact;
      }
      const auto what = [&] {
        return "operator " + std::to_string(static_cast<int>(term.op)) + ", operand '" + term.operand.text + "' " +
               std::to_string(term.operand.number) + " tag " + std::to_string(static_cast<int>(term.operand.tag)) +
               ", value " + value + ", metadata " + metadata;
      };
      ASSERT_TRUE(inside || !matches) << "too narrow: " << what();
      ASSERT_TRUE(matches || !inside || !exact) << "not exact: " << what();
      if (inside && exact) ++exact_hits;
    }
  }
  EXPECT_GT(ranged, 5000);
  EXPECT_GT(exact_hits, 2000);
}

TEST(IndexRange, SomeOperatorsHaveNone) {
  for (const Operator op :
       {Operator::kNe, Operator::kNin, Operator::kContains, Operator::kEndsWith, Operator::kHas, Operator::kExists}) {
    Term term;
    term.op = op;
    EXPECT_FALSE(RangesOf(term).has_value());
  }
}

}  // namespace
}  // namespace hypha
