#include "query/js_value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace hypha::js {
namespace {

constexpr std::string_view kEmoji = "\xf0\x9f\x98\x80";      // U+1F600, D83D DE00
constexpr std::string_view kHigh = "\xed\xa0\xbd";           // D83D alone
constexpr std::string_view kLow = "\xed\xb8\x80";            // DE00 alone
constexpr std::string_view kPrivate = "\xef\xbf\xae";        // U+FFEE
constexpr std::string_view kLastPlane = "\xf4\x8f\xbf\xbf";  // U+10FFFF

bool Less(std::string_view a, std::string_view b) { return LessThan(Value::Json(a), Value::Json(b)); }

std::string Property(std::string_view json, std::string_view name) {
  const std::optional<Value> value = OwnProperty(json, name);
  std::string scratch;
  if (!value) return "absent";
  return value->is_json ? std::string(value->json) : std::string(ToText(*value, &scratch));
}

TEST(JsToString, ConvertsAsString) {
  EXPECT_EQ(ToString("null"), "null");
  EXPECT_EQ(ToString(" true "), "true");
  EXPECT_EQ(ToString("1e21"), "1e+21");
  EXPECT_EQ(ToString("1.0"), "1");
  EXPECT_EQ(ToString("-0"), "0");
  EXPECT_EQ(ToString("1152921504606846976"), "1152921504606847000");
  EXPECT_EQ(ToString(R"("a\n")"), "a\n");
  EXPECT_EQ(ToString(R"({"a":[1]})"), "[object Object]");
}

TEST(JsToString, JoinsArrays) {
  EXPECT_EQ(ToString(R"([1,null,"x"])"), "1,,x");
  EXPECT_EQ(ToString("[ ]"), "");
  EXPECT_EQ(ToString("[null]"), "");
  EXPECT_EQ(ToString(R"([[1, [2, [] , null]],
                         {"a":[3,4]}, [ "b,\u0063" ], true])"),
            "1,2,,,[object Object],b,c,true");
  EXPECT_EQ(ToString(std::string(200'000, '[') + "1" + std::string(200'000, ']')), "1");
}

TEST(JsToNumber, ConvertsAsNumber) {
  EXPECT_EQ(ToNumber("null"), 0);
  EXPECT_EQ(ToNumber("true"), 1);
  EXPECT_EQ(ToNumber(R"(" 0x10 ")"), 16);
  EXPECT_EQ(ToNumber("[]"), 0);
  EXPECT_EQ(ToNumber("[[3]]"), 3);
  EXPECT_TRUE(std::isnan(ToNumber("[1,2]")));
  EXPECT_TRUE(std::isnan(ToNumber("{}")));
  EXPECT_TRUE(std::isnan(ToNumber(Primitive())));
}

TEST(JsOwnProperty, OfArrays) {
  EXPECT_EQ(Property(R"([1,"b"])", "1"), R"("b")");
  EXPECT_EQ(Property(R"([1,"b"])", "length"), "2");
  for (const std::string_view name : {"2", "01", "-0", "1.0", "", " 1", "4294967295", "99999999999999999999", "push"}) {
    EXPECT_EQ(Property(R"([1,"b"])", name), "absent") << name;
  }
}

TEST(JsOwnProperty, OfOtherKinds) {
  EXPECT_EQ(Property(R"({"length":7})", "length"), "7");
  EXPECT_EQ(Property(R"({"a":null})", "a"), "null");
  EXPECT_EQ(Property("{}", "constructor"), "absent");
  EXPECT_EQ(Property(R"({"__proto__":1})", "__proto__"), "1");
  EXPECT_EQ(Property(R"("text")", "length"), "absent");
  EXPECT_EQ(Property("null", "a"), "absent");
}

TEST(JsCompareUtf16, OrdersByCodeUnits) {
  EXPECT_GT(CompareUtf16(kPrivate, kEmoji), 0);
  EXPECT_LT(CompareUtf16(kEmoji, kPrivate), 0);
  EXPECT_GT(CompareUtf16("\xee\x80\x80", kLastPlane), 0);
  EXPECT_LT(CompareUtf16("\xed\x9f\xbf", kEmoji), 0);
  EXPECT_LT(CompareUtf16(kEmoji, kLastPlane), 0);
  EXPECT_LT(CompareUtf16("a", "b"), 0);
  EXPECT_LT(CompareUtf16("a", "ab"), 0);
  EXPECT_EQ(CompareUtf16("same text, long enough", "same text, long enough"), 0);
  EXPECT_LT(CompareUtf16("same text, long enough", "same text, long enougi"), 0);
  EXPECT_GT(CompareUtf16(std::string_view("a\0b", 3), std::string_view("a\0a", 3)), 0);
}

TEST(JsCompareUtf16, OrdersLoneSurrogates) {
  EXPECT_LT(CompareUtf16(kHigh, kEmoji), 0);
  EXPECT_GT(CompareUtf16(kLow, kEmoji), 0);
  EXPECT_LT(CompareUtf16(std::string(kHigh) + "z", kEmoji), 0);
  EXPECT_GT(CompareUtf16(std::string(kHigh) + std::string(kPrivate), kEmoji), 0);
  EXPECT_LT(CompareUtf16(std::string(kHigh) + std::string(kEmoji), kEmoji), 0);
}

TEST(JsLessThan, FollowsTheRelationalOperators) {
  EXPECT_TRUE(Less("9", R"("10")"));
  EXPECT_FALSE(Less("9", R"("abc")"));
  EXPECT_FALSE(Less(R"("abc")", "9"));
  EXPECT_TRUE(Less(R"("10")", R"("9")"));
  EXPECT_TRUE(Less(R"("")", "1"));
  EXPECT_TRUE(Less("-1", "null"));
  EXPECT_TRUE(Less("0", "true"));
  EXPECT_TRUE(Less("2", "[3]"));
  EXPECT_TRUE(Less("[]", "1"));
  EXPECT_TRUE(Less("[1]", "[2]"));
  EXPECT_FALSE(Less("0", "{}"));
  EXPECT_FALSE(Less("{}", "0"));
}

TEST(JsRelate, IsUnorderedForNaNAndUndefined) {
  const Primitive nan = Primitive::Number(std::nan(""));
  EXPECT_EQ(Relate(nan, nan), std::partial_ordering::unordered);
  EXPECT_EQ(Relate(Primitive(), Primitive::Number(0)), std::partial_ordering::unordered);
  EXPECT_EQ(Relate(Primitive::Null(), Primitive::Number(-0.0)), std::partial_ordering::equivalent);
}

TEST(JsStrictEquals, NeverConverts) {
  EXPECT_FALSE(StrictEquals(Primitive::Boolean(true), Primitive::Number(1)));
  EXPECT_FALSE(StrictEquals(Primitive::Null(), Primitive()));
  EXPECT_TRUE(StrictEquals(Primitive::Null(), Primitive::Null()));
  EXPECT_TRUE(StrictEquals(Primitive::Number(0), Primitive::Number(-0.0)));
  EXPECT_FALSE(StrictEquals(Primitive::Number(std::nan("")), Primitive::Number(std::nan(""))));
}

}  // namespace
}  // namespace hypha::js
