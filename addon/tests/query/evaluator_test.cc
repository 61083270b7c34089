#include "query/evaluator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/filters.h"

namespace hypha {
namespace {

using test::Leaf;
using test::Num;
using test::Str;

Operand Undefined() { return {}; }
Operand Null() { return {Operand::Tag::kNull, false, 0, {}, {}}; }
Operand Bool(bool b) { return {Operand::Tag::kBoolean, b, 0, {}, {}}; }
Operand List(std::vector<Operand> list) { return {Operand::Tag::kList, false, 0, {}, std::move(list)}; }

const double kNaN = std::nan("");

FilterNode Node(FilterNode::Kind kind, std::vector<FilterNode> children) {
  FilterNode node;
  node.kind = kind;
  node.children = std::move(children);
  return node;
}

EntryView Entry(std::string_view value, std::string_view metadata = {}, std::string_view key = "key") {
  EntryView entry;
  entry.key = key;
  entry.value = value;
  entry.metadata = metadata;
  return entry;
}

// Whether the whole value `json` satisfies the operator.
bool Is(std::string_view json, Operator op, Operand operand) {
  return Evaluator(Leaf(Source::kValue, {}, op, std::move(operand))).Matches(Entry(json));
}

bool FieldIs(const EntryView& entry, std::string name, Operator op, Operand operand) {
  return Evaluator(Leaf(Source::kField, {std::move(name)}, op, std::move(operand))).Matches(entry);
}

TEST(Evaluator, EqualityNeverConverts) {
  EXPECT_FALSE(Is("true", Operator::kEq, Num(1)));
  EXPECT_TRUE(Is("true", Operator::kEq, Bool(true)));
  EXPECT_FALSE(Is("\"1\"", Operator::kEq, Num(1)));
  EXPECT_TRUE(Is("1.0", Operator::kEq, Num(1)));
  EXPECT_TRUE(Is("-0", Operator::kEq, Num(0)));
  EXPECT_TRUE(Is("null", Operator::kNe, Num(5)));
  EXPECT_TRUE(Is("null", Operator::kEq, Null()));
  EXPECT_FALSE(Is("null", Operator::kEq, Undefined()));
  EXPECT_TRUE(Is("null", Operator::kNe, Undefined()));
  EXPECT_FALSE(Is("[]", Operator::kEq, Str("")));
  EXPECT_TRUE(Is("{}", Operator::kNe, Str("[object Object]")));
  EXPECT_TRUE(Is(R"("\u0061\ud800")", Operator::kEq, Str("a\xed\xa0\x80")));
}

TEST(Evaluator, RelationsConvertAsJavaScriptDoes) {
  EXPECT_TRUE(Is("null", Operator::kGt, Num(-1)));
  EXPECT_TRUE(Is("null", Operator::kGte, Num(0)));
  EXPECT_TRUE(Is("true", Operator::kGt, Num(0)));
  EXPECT_TRUE(Is("\"10\"", Operator::kGt, Num(9)));
  EXPECT_FALSE(Is("\"abc\"", Operator::kGt, Num(9)));
  EXPECT_FALSE(Is("5", Operator::kLt, Str("abc")));
  EXPECT_TRUE(Is("\"\"", Operator::kLt, Num(1)));
  EXPECT_TRUE(Is("\" 0x10 \"", Operator::kGte, Num(16)));
  EXPECT_FALSE(Is("\"10\"", Operator::kGt, Str("9")));
  EXPECT_TRUE(Is("10", Operator::kGt, Str("9")));
  EXPECT_TRUE(Is("1", Operator::kGt, Null()));
}

TEST(Evaluator, RelationsConvertContainers) {
  EXPECT_TRUE(Is("[3]", Operator::kGt, Num(2)));
  EXPECT_TRUE(Is("[]", Operator::kLt, Num(1)));
  EXPECT_FALSE(Is("{}", Operator::kGt, Num(0)));
  EXPECT_FALSE(Is("{}", Operator::kLte, Num(0)));
  EXPECT_TRUE(Is("{}", Operator::kGt, Str("[a")));
  EXPECT_TRUE(Is("[1,2]", Operator::kLt, Str("1,3")));
}

TEST(Evaluator, NaNAndUndefinedRelateToNothing) {
  for (const Operator op : {Operator::kGt, Operator::kGte, Operator::kLt, Operator::kLte}) {
    EXPECT_FALSE(Is("1", op, Num(kNaN)));
    EXPECT_FALSE(Is("null", op, Undefined()));
    EXPECT_FALSE(Is("\"x\"", op, Undefined()));
  }
  EXPECT_TRUE(Is("1", Operator::kNe, Num(kNaN)));
  EXPECT_FALSE(Is("1", Operator::kEq, Num(kNaN)));
  EXPECT_TRUE(Is("\"NaN!\"", Operator::kContains, Num(kNaN)));
  EXPECT_TRUE(Is("\"an undefined thing\"", Operator::kContains, Undefined()));
}

TEST(Evaluator, TextOperatorsCompareStringForms) {
  EXPECT_TRUE(Is("1e21", Operator::kEndsWith, Str("e+21")));
  EXPECT_TRUE(Is("[1,null,\"x\"]", Operator::kContains, Str("1,,x")));
  EXPECT_TRUE(Is("{}", Operator::kStartsWith, Str("[object")));
  EXPECT_TRUE(Is("null", Operator::kContains, Str("ull")));
  EXPECT_TRUE(Is("\"50\"", Operator::kStartsWith, Num(5)));
  EXPECT_TRUE(Is("1152921504606846976", Operator::kEndsWith, Str("7000")));
  EXPECT_FALSE(Is("\"abc\"", Operator::kContains, Str("B")));
  EXPECT_FALSE(Is("\"abc\"", Operator::kContains, Str("%")));
  EXPECT_FALSE(Is("\"abc\"", Operator::kStartsWith, Str("_bc")));
  EXPECT_TRUE(Is(R"("\ud83d\ude00")", Operator::kStartsWith, Str("\xed\xa0\xbd")));
}

TEST(Evaluator, LargeIntegersEqualThemselves) {
  EXPECT_TRUE(Is("1152921504606846976", Operator::kEq, Num(std::ldexp(1, 60))));
  EXPECT_TRUE(Is("1152921504606847000", Operator::kEq, Num(std::ldexp(1, 60))));
  EXPECT_TRUE(Is("2.2250738585072011e-308", Operator::kEq, Num(2.2250738585072011e-308)));
  EXPECT_TRUE(Is("1e999", Operator::kEq, Num(HUGE_VAL)));
}

TEST(Evaluator, StringsOrderByUtf16) {
  EXPECT_TRUE(Is("\"\xef\xbf\xae\"", Operator::kGt, Str("\xf0\x9f\x98\x80")));
  EXPECT_FALSE(Is("\"\xef\xbf\xae\"", Operator::kLt, Str("\xf0\x9f\x98\x80")));
}

TEST(Evaluator, AbsentPropertyIsFalseForEveryOperator) {
  for (int op = 0; op <= static_cast<int>(Operator::kHas); ++op) {
    if (static_cast<Operator>(op) == Operator::kExists) continue;
    for (const Operand& operand : {Undefined(), Null(), Num(1), Str(""), Str("*"), List({}), List({Num(0), Num(1)})}) {
      EXPECT_FALSE(FieldIs(Entry("{}", "{}"), "a", static_cast<Operator>(op), operand)) << op;
    }
  }
  EXPECT_TRUE(FieldIs(Entry("{}"), "a", Operator::kExists, Bool(false)));
  EXPECT_FALSE(FieldIs(Entry("{}"), "constructor", Operator::kExists, Bool(true)));
}

TEST(Evaluator, ExistsSeesNullAndMetadata) {
  EXPECT_TRUE(FieldIs(Entry(R"({"a":null})"), "a", Operator::kExists, Bool(true)));
  EXPECT_FALSE(FieldIs(Entry(R"({"a":null})"), "a", Operator::kExists, Bool(false)));
  EXPECT_TRUE(FieldIs(Entry("1", R"({"a":0})"), "a", Operator::kExists, Bool(true)));
  EXPECT_FALSE(FieldIs(Entry(R"({"a":1})"), "a", Operator::kExists, Num(1)));
}

TEST(Evaluator, FieldFallsBackToMetadata) {
  EXPECT_TRUE(FieldIs(Entry(R"({"a":1})", R"({"a":2})"), "a", Operator::kEq, Num(1)));
  EXPECT_TRUE(FieldIs(Entry(R"({"b":1})", R"({"a":2})"), "a", Operator::kEq, Num(2)));
  EXPECT_FALSE(FieldIs(Entry(R"({"a":null})", R"({"a":2})"), "a", Operator::kEq, Num(2)));
  EXPECT_TRUE(FieldIs(Entry("\"text\"", R"({"length":2})"), "length", Operator::kEq, Num(2)));
  EXPECT_FALSE(FieldIs(Entry("\"text\""), "length", Operator::kEq, Num(4)));
}

TEST(Evaluator, FieldIsALiteralName) {
  const EntryView entry = Entry(R"({"a":{"b":0},"a.b":1,"a[0]":2,"":3,"a\"b":4,"a\\b":5,"0":6,"value":7,"key":8})");
  const std::vector<std::string> names{"a.b", "a[0]", "", "a\"b", "a\\b", "0", "value", "key"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_TRUE(FieldIs(entry, names[i], Operator::kEq, Num(static_cast<double>(i) + 1))) << names[i];
  }
  EXPECT_FALSE(FieldIs(entry, "$.a", Operator::kExists, Bool(true)));
}

TEST(Evaluator, ArraysHaveIndexesAndLength) {
  EXPECT_TRUE(FieldIs(Entry("[7,8]"), "0", Operator::kEq, Num(7)));
  EXPECT_TRUE(FieldIs(Entry("[7,8]"), "length", Operator::kGte, Num(2)));
  EXPECT_FALSE(FieldIs(Entry("[7,8]"), "00", Operator::kExists, Bool(true)));
}

TEST(Evaluator, LastDuplicateWins) {
  EXPECT_TRUE(FieldIs(Entry(R"({"a":1,"a":2})"), "a", Operator::kEq, Num(2)));
  EXPECT_FALSE(FieldIs(Entry(R"({"a":1,"\u0061":2})"), "a", Operator::kEq, Num(1)));
}

TEST(Evaluator, NulBytesAreText) {
  const std::string key("a\0b", 3);
  const Evaluator by_key(Leaf(Source::kKey, {}, Operator::kEndsWith, Str(std::string_view("\0b", 2))));
  EXPECT_TRUE(by_key.Matches(Entry("1", {}, key)));
  EXPECT_FALSE(by_key.Matches(Entry("1", {}, "a")));
  EXPECT_TRUE(Is(R"("a\u0000b")", Operator::kEq, Str(key)));
  EXPECT_FALSE(Is(R"("a\u0000c")", Operator::kEq, Str(key)));
}

TEST(Evaluator, InUsesIncludes) {
  const Operand list = List({Num(1), Str("a"), Null(), Bool(false), Num(kNaN), Undefined()});
  for (const std::string_view json : {"1", "1.0", "\"a\"", "null", "false"}) {
    EXPECT_TRUE(Is(json, Operator::kIn, list)) << json;
    EXPECT_FALSE(Is(json, Operator::kNin, list)) << json;
  }
  for (const std::string_view json : {"2", "\"1\"", "true", "[1]", "{}", "0", "\"\""}) {
    EXPECT_FALSE(Is(json, Operator::kIn, list)) << json;
    EXPECT_TRUE(Is(json, Operator::kNin, list)) << json;
  }
  EXPECT_TRUE(Is("-0", Operator::kIn, List({Num(0)})));
}

TEST(Evaluator, InAndNinNeedAList) {
  EXPECT_FALSE(Is("\"a\"", Operator::kIn, Str("abc")));
  EXPECT_FALSE(Is("\"a\"", Operator::kNin, Str("xyz")));
  EXPECT_FALSE(Is("1", Operator::kIn, List({})));
  EXPECT_TRUE(Is("1", Operator::kNin, List({})));
}

TEST(Evaluator, InTakesLongLists) {
  std::vector<Operand> elements;
  for (int i = 0; i < 10'000; ++i) elements.push_back(i % 2 == 0 ? Num(i) : Str(std::to_string(i)));
  const Evaluator in(Leaf(Source::kValue, {}, Operator::kIn, List(std::move(elements))));
  EXPECT_TRUE(in.Matches(Entry("5000")));
  EXPECT_TRUE(in.Matches(Entry("\"9999\"")));
  EXPECT_FALSE(in.Matches(Entry("5001")));
  EXPECT_FALSE(in.Matches(Entry("\"5000\"")));
}

TEST(Evaluator, BetweenIncludesBothEnds) {
  const Operand range = List({Num(2), Num(4)});
  for (const std::string_view json : {"2", "3", "4", "\"3\"", "[3]"}) EXPECT_TRUE(Is(json, Operator::kBetween, range));
  for (const std::string_view json : {"1.9", "4.1", "null", "\"x\"", "{}"}) {
    EXPECT_FALSE(Is(json, Operator::kBetween, range));
  }
  EXPECT_TRUE(Is("\"b\"", Operator::kBetween, List({Str("a"), Str("c")})));
  EXPECT_FALSE(Is("3", Operator::kBetween, List({Num(2)})));
  EXPECT_FALSE(Is("3", Operator::kBetween, Num(3)));
  EXPECT_FALSE(Is("3", Operator::kBetween, List({Num(kNaN), Num(4)})));
}

TEST(Evaluator, LikeIsAGlob) {
  EXPECT_TRUE(Is("\"a.b.c\"", Operator::kLike, Str("a*c")));
  EXPECT_FALSE(Is("\"a.b.c\"", Operator::kLike, Str("A*")));
  EXPECT_FALSE(Is("\"abc\"", Operator::kLike, Str("a%")));
  EXPECT_TRUE(Is("12345", Operator::kLike, Str("1*5")));
  EXPECT_FALSE(Is("12345", Operator::kLike, Num(12345)));
}

TEST(Evaluator, HasSearchesArrays) {
  const std::string_view json = R"(["a",1,null,[2],{"b":3},false])";
  for (const Operand& operand : {Str("a"), Num(1), Null(), Bool(false)}) EXPECT_TRUE(Is(json, Operator::kHas, operand));
  for (const Operand& operand : {Str("1"), Num(2), Num(3), Bool(true), Undefined(), List({Num(2)})}) {
    EXPECT_FALSE(Is(json, Operator::kHas, operand));
  }
  EXPECT_FALSE(Is("\"a\"", Operator::kHas, Str("a")));
  EXPECT_FALSE(Is(R"({"0":"a"})", Operator::kHas, Str("a")));
}

TEST(Evaluator, PathsWalkOwnPropertiesOfTheValue) {
  const EntryView entry = Entry(R"({"a":{"b":[10,{"c":"x"}]},"s":"text"})", R"({"m":{"n":1}})");
  const auto at = [&](std::vector<std::string> path, Operand operand) {
    return Evaluator(Leaf(Source::kPath, std::move(path), Operator::kEq, std::move(operand))).Matches(entry);
  };
  EXPECT_TRUE(at({"a", "b", "0"}, Num(10)));
  EXPECT_TRUE(at({"a", "b", "1", "c"}, Str("x")));
  EXPECT_TRUE(at({"a", "b", "length"}, Num(2)));
  EXPECT_FALSE(at({"a", "b", "length", "x"}, Num(2)));
  EXPECT_FALSE(at({"s", "length"}, Num(4)));
  EXPECT_FALSE(at({"m", "n"}, Num(1)));
}

TEST(Evaluator, ReadsMetadataAndSystemFields) {
  EntryView entry = Entry(R"({"m":1})", R"({"m":2})", "user:1");
  entry.created_at = 1700000000000;
  entry.updated_at = 1700000000001;
  entry.version = 3;
  const auto is = [&](Source source, std::vector<std::string> path, Operator op, Operand operand) {
    return Evaluator(Leaf(source, std::move(path), op, std::move(operand))).Matches(entry);
  };
  EXPECT_TRUE(is(Source::kMetadata, {"m"}, Operator::kEq, Num(2)));
  EXPECT_TRUE(is(Source::kCreatedAt, {}, Operator::kEq, Num(1700000000000)));
  EXPECT_TRUE(is(Source::kUpdatedAt, {}, Operator::kGt, Num(1700000000000)));
  EXPECT_TRUE(is(Source::kVersion, {}, Operator::kIn, List({Num(3)})));
  EXPECT_TRUE(is(Source::kVersion, {}, Operator::kStartsWith, Str("3")));
  EXPECT_TRUE(is(Source::kKey, {}, Operator::kStartsWith, Str("user:")));
  EXPECT_FALSE(is(Source::kKey, {}, Operator::kHas, Str("user:1")));
  entry.metadata = {};
  EXPECT_FALSE(is(Source::kMetadata, {"m"}, Operator::kNe, Num(2)));
}

TEST(Evaluator, CombinesNodes) {
  using Kind = FilterNode::Kind;
  const auto is = [](double n) { return Leaf(Source::kValue, {}, Operator::kEq, Num(n)); };
  const EntryView one = Entry("1");
  EXPECT_TRUE(Evaluator(Node(Kind::kAnd, {})).Matches(one));
  EXPECT_FALSE(Evaluator(Node(Kind::kOr, {})).Matches(one));
  EXPECT_FALSE(Evaluator(Node(Kind::kNot, {Node(Kind::kAnd, {})})).Matches(one));
  EXPECT_TRUE(Evaluator(Node(Kind::kOr, {is(2), is(1), is(3)})).Matches(one));
  EXPECT_FALSE(Evaluator(Node(Kind::kAnd, {is(1), is(1), is(2)})).Matches(one));
  EXPECT_TRUE(Evaluator(Node(Kind::kAnd, {Node(Kind::kNot, {is(2)}), Node(Kind::kOr, {is(3), is(1)})})).Matches(one));
  EXPECT_TRUE(Evaluator(Node(Kind::kNot, {Node(Kind::kAnd, {is(1), is(2)})})).Matches(one));
  EXPECT_FALSE(Evaluator(Node(Kind::kNot, {Node(Kind::kOr, {is(2), is(1)})})).Matches(one));
}

// Each shape of three terms gives what plain boolean algebra gives, for each of the eight outcomes of the terms.
TEST(Evaluator, NestsLikeBooleanAlgebra) {
  using Kind = FilterNode::Kind;
  for (int bits = 0; bits < 8; ++bits) {
    const auto truth = [&](int i) { return (bits >> i & 1) != 0; };
    const auto leaf = [&](int i) { return Leaf(Source::kValue, {}, Operator::kEq, Num(truth(i) ? 1 : 2)); };
    const auto test = [](const FilterNode& node) { return Evaluator(node).Matches(Entry("1")); };
    const bool a = truth(0), b = truth(1), c = truth(2);
    EXPECT_EQ(test(Node(Kind::kOr, {Node(Kind::kAnd, {leaf(0), leaf(1)}), leaf(2)})), (a && b) || c);
    EXPECT_EQ(test(Node(Kind::kAnd, {leaf(2), Node(Kind::kNot, {Node(Kind::kOr, {leaf(0), leaf(1)})})})),
              c && !(a || b));
    EXPECT_EQ(
        test(Node(Kind::kNot, {Node(Kind::kAnd, {leaf(0), Node(Kind::kNot, {leaf(1)}), Node(Kind::kOr, {leaf(2)})})})),
        !(a && !b && c));
  }
}

TEST(Evaluator, NotIsTheComplementForAnAbsentField) {
  const FilterNode term = Leaf(Source::kField, {"a"}, Operator::kEq, Num(1));
  EXPECT_FALSE(Evaluator(term).Matches(Entry("{}")));
  EXPECT_TRUE(Evaluator(Node(FilterNode::Kind::kNot, {term})).Matches(Entry("{}")));
}

TEST(Evaluator, SaysWhatItReads) {
  const Evaluator by_key(Leaf(Source::kKey, {}, Operator::kEq, Str("k")));
  EXPECT_FALSE(by_key.needs_value() || by_key.needs_metadata());
  const Evaluator by_field(Leaf(Source::kField, {"a"}, Operator::kEq, Num(1)));
  EXPECT_TRUE(by_field.needs_value() && by_field.needs_metadata());
  const Evaluator by_path(Leaf(Source::kPath, {"a"}, Operator::kEq, Num(1)));
  EXPECT_TRUE(by_path.needs_value() && !by_path.needs_metadata());
  const Evaluator by_metadata(Leaf(Source::kMetadata, {"a"}, Operator::kEq, Num(1)));
  EXPECT_TRUE(!by_metadata.needs_value() && by_metadata.needs_metadata());
}

TEST(Evaluator, CopiesAreIndependent) {
  auto original = std::make_unique<Evaluator>(Leaf(Source::kValue, {}, Operator::kEq, Str("short")));
  const Evaluator copy = *original;
  original.reset();
  EXPECT_TRUE(copy.Matches(Entry("\"short\"")));
}

TEST(Evaluator, DeepValuesNeitherRecurseNorFail) {
  const std::string deep = std::string(200'000, '[') + "1" + std::string(200'000, ']');
  const std::string value = "{\"deep\":" + deep + ",\"a\":5}";
  EXPECT_TRUE(FieldIs(Entry(value), "a", Operator::kEq, Num(5)));
  EXPECT_TRUE(FieldIs(Entry(value), "deep", Operator::kGte, Num(1)));
  EXPECT_TRUE(FieldIs(Entry(value), "deep", Operator::kContains, Str("1")));
  EXPECT_FALSE(FieldIs(Entry(value), "deep", Operator::kHas, Num(1)));
}

TEST(Evaluator, DeepFiltersCompileWithoutRecursion) {
  FilterNode node = Leaf(Source::kValue, {}, Operator::kEq, Num(1));
  for (int i = 0; i < 1'000; ++i) node = Node(FilterNode::Kind::kNot, {std::move(node)});
  EXPECT_TRUE(Evaluator(node).Matches(Entry("1")));
}

}  // namespace
}  // namespace hypha
