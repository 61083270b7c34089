// The bytes of an order key against the comparisons that they stand for.
#include "query/order_key.h"

#include <gtest/gtest.h>

#include "query/predicate.h"
#include "query/random_values.h"
#include "support/databases.h"

namespace hypha {
namespace {

int Sign(int order) { return (order > 0) - (order < 0); }

TEST(OrderKey, OrdersAsSortingDoes) {
  test::RandomValues random(test::Seed());
  const SortExtractor extractor({SortKey{Source::kValue, {}, false}});
  for (int i = 0; i < 60'000; ++i) {
    const std::string a = random.Json();
    const std::string b = random.Json();
    SortValue x;
    SortValue y;
    extractor.Extract({"k", a, {}, 0, 0, 0}, {&x, 1});
    extractor.Extract({"k", b, {}, 0, 0, 0}, {&y, 1});
    const std::string key_x = OrderKey(x);
    const std::string key_y = OrderKey(y);
    ASSERT_EQ(Sign(key_x.compare(key_y)), extractor.Compare({&x, 1}, {&y, 1})) << a << " and " << b;
    // What an index stores is what a cursor holds.
    ASSERT_EQ(OrderKey(js::Value::Json(a)), key_x) << a;
  }
}

TEST(OrderKey, IsOneForWhatIsStrictlyEqual) {
  test::RandomValues random(test::Seed());
  for (int i = 0; i < 60'000; ++i) {
    const std::string json = random.Json(0);
    const Operand operand = random.Scalar();
    Term term;
    term.source = Source::kValue;
    term.operand = operand;
    const bool equal = Predicate(term).Test({"k", json, {}, 0, 0, 0});
    js::Primitive primitive;
    if (operand.tag == Operand::Tag::kNull) primitive = js::Primitive::Null();
    if (operand.tag == Operand::Tag::kBoolean) primitive = js::Primitive::Boolean(operand.boolean);
    if (operand.tag == Operand::Tag::kNumber) primitive = js::Primitive::Number(operand.number);
    if (operand.tag == Operand::Tag::kString) primitive = js::Primitive::String(operand.text);
    if (operand.tag == Operand::Tag::kNumber && std::isnan(operand.number)) continue;
    ASSERT_EQ(OrderKey(primitive) == OrderKey(js::Value::Json(json)), equal)
        << json << " and " << operand.text << operand.number;
  }
  EXPECT_EQ(OrderKey(js::Primitive{}), "");
}

TEST(OrderKey, TakesAnyBytes) {
  test::RandomValues random(test::Seed());
  for (int i = 0; i < 20'000; ++i) {
    SortValue value;
    value.rank = SortValue::Rank::kString;
    for (std::size_t n = random.Below(9); n > 0; --n) value.text.push_back(static_cast<char>(random.Below(256)));
    ASSERT_EQ(OrderKey(value)[0], order_tag::kString);
  }
}

}  // namespace
}  // namespace hypha
