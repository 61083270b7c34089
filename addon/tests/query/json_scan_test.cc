#include "query/json_scan.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/databases.h"

namespace hypha::json {
namespace {

std::string Nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string Find(std::string_view object, std::string_view name) {
  return std::string(FindMember(object, name).value_or("absent"));
}

TEST(JsonIsValid, AcceptsWhatJsonParseAccepts) {
  for (const std::string_view text :
       {"null", " true\t\r\n", "-0", "1.5e+300", "1e999", "\"\\ud800\"", "\"\\\\\\\"\\/\\b\\f\\n\\r\\t\\u00Ff\"", "[]",
        "{}", "[1,[2,{\"a\":[]}],{}]", "{ \"a\" : 1 , \"a\" : 2 }", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "\"\x7f\""}) {
    EXPECT_TRUE(IsValid(text)) << text;
  }
}

TEST(JsonIsValid, RefusesWhatJsonParseRefuses) {
  for (const std::string_view text : {"",
                                      " ",
                                      "nul",
                                      "truex",
                                      "01",
                                      "-",
                                      "+1",
                                      "1.",
                                      ".5",
                                      "1e",
                                      "1e+",
                                      "0x1",
                                      "NaN",
                                      "Infinity",
                                      "'a'",
                                      "\"a",
                                      "\"\\x\"",
                                      "\"\\u12g4\"",
                                      "\"\\u123",
                                      "\"\n\"",
                                      "[",
                                      "[1,]",
                                      "[,1]",
                                      "[1 2]",
                                      "{\"a\"}",
                                      "{\"a\":}",
                                      "{\"a\":1,}",
                                      "{a:1}",
                                      "{1:1}",
                                      "]",
                                      "[}",
                                      "{]",
                                      "1 2",
                                      "\v1",
                                      "\xc2\xa0"
                                      "1",
                                      "\xef\xbb\xbf"
                                      "1",
                                      "[1]]",
                                      "\"\\"}) {
    EXPECT_FALSE(IsValid(text)) << text;
  }
}

TEST(JsonIsValid, RefusesMalformedUtf8) {
  for (const std::string_view bytes :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(IsValid("\"" + std::string(bytes) + "\""));
  }
}

TEST(JsonIsValid, HasNoDepthLimitAndSeesNulBytes) {
  EXPECT_TRUE(IsValid(Nested(1'000'000)));
  EXPECT_FALSE(IsValid(Nested(100'000) + "]"));
  EXPECT_FALSE(IsValid(std::string_view("1\0", 2)));
  EXPECT_FALSE(IsValid(std::string_view("\"\0\"", 3)));
}

TEST(JsonKindOf, TellsByTheFirstByte) {
  EXPECT_EQ(KindOf("null"), Kind::kNull);
  EXPECT_EQ(KindOf(" false"), Kind::kBoolean);
  EXPECT_EQ(KindOf("-1"), Kind::kNumber);
  EXPECT_EQ(KindOf("\"\""), Kind::kString);
  EXPECT_EQ(KindOf("\n[]"), Kind::kArray);
  EXPECT_EQ(KindOf("{}"), Kind::kObject);
  EXPECT_EQ(KindOf(""), Kind::kNull);
}

TEST(JsonSkipValue, EndsAfterOneValue) {
  EXPECT_EQ(SkipValue("12,3", 0), 2U);
  EXPECT_EQ(SkipValue("[1, \"]\\\"]\", {}],2", 0), 15U);
  EXPECT_EQ(SkipValue("x  \"a\"y", 1), 6U);
  EXPECT_EQ(SkipValue("\"open", 0), 5U);
  EXPECT_EQ(SkipValue("\"open\\", 0), 6U);
  EXPECT_EQ(SkipValue("1", 9), 1U);
  const std::string deep = Nested(1'000'000);
  EXPECT_EQ(SkipValue(deep, 0), deep.size());
}

TEST(JsonFindMember, FindsTopLevelMembersOnly) {
  const std::string_view text = R"( { "a" : 1, "nested": {"inner": [2, {"a":3}], "b":4}, "text":"\"b\":5", "c":[ ] } )";
  EXPECT_EQ(Find(text, "a"), "1");
  EXPECT_EQ(Find(text, "c"), "[ ]");
  EXPECT_EQ(Find(text, "b"), "absent");
  EXPECT_EQ(Find(text, "inner"), "absent");
  EXPECT_EQ(Find(R"({"x":"a","a":{"a":1}})", "a"), R"({"a":1})");
  EXPECT_EQ(Find(R"({"x":["a"],"y":"a"})", "a"), "absent");
}

TEST(JsonFindMember, LastDuplicateWins) {
  EXPECT_EQ(Find(R"({"a":1,"b":2,"a":3})", "a"), "3");
  EXPECT_EQ(Find(R"({"a":1,"\u0061":3,"b":"\n"})", "a"), "3");
  EXPECT_EQ(Find(R"({"\u0061":3,"a":1})", "a"), "1");
}

TEST(JsonFindMember, NamesAreLiteral) {
  EXPECT_EQ(Find(R"({"a":{"b":1},"a.b":2,"a[0]":3,"":4,"0":5})", "a.b"), "2");
  EXPECT_EQ(Find(R"({"a":{"b":1},"a.b":2,"a[0]":3,"":4,"0":5})", "a[0]"), "3");
  EXPECT_EQ(Find(R"({"a":{"b":1},"a.b":2,"a[0]":3,"":4,"0":5})", ""), "4");
  EXPECT_EQ(Find(R"({"a\"b":1,"a\\b":2})", "a\"b"), "1");
  EXPECT_EQ(Find(R"({"a\"b":1,"a\\b":2})", "a\\b"), "2");
  EXPECT_EQ(Find(R"({"a":1,"b":2})", "a\":1,\"b"), "absent");
  EXPECT_EQ(Find(R"({"a":"b","c":":"})", ":"), "absent");
  EXPECT_EQ(Find(R"({"{":1,"]":2,",":3})", "]"), "2");
}

TEST(JsonFindMember, ComparesDecodedNames) {
  EXPECT_EQ(Find(R"({"\ud83d\ude00":1})", "\xf0\x9f\x98\x80"), "1");
  EXPECT_EQ(Find(R"({"\ud83d":1})", "\xed\xa0\xbd"), "1");
  EXPECT_EQ(Find(R"({"\u0000":1})", std::string_view("\0", 1)), "1");
  EXPECT_EQ(Find("{\"\xc3\xa9\":1}", "\xc3\xa9"), "1");
}

TEST(JsonFindMember, WorksAtEveryOffsetOfABlock) {
  for (std::size_t padding = 0; padding < 70; ++padding) {
    const std::string filler(padding, 'x');
    const std::string text =
        "{\"p\":\"" + filler + "\",\"o\":{\"name\":0,\"q\":[[]]},\"name\":7,\"r\":\"" + filler + "\"}";
    EXPECT_EQ(Find(text, "name"), "7") << padding;
    EXPECT_EQ(Find(text, "q"), "absent") << padding;
    EXPECT_EQ(Find(text, filler), "absent") << padding;
  }
}

// Objects of few names, deep and wide, as JSON.stringify or anybody else may have written them.
void AppendRandomObject(std::mt19937& random, int depth, std::string* out) {
  static const std::vector<std::string> kNames{"a", "ab", "", ",", ":", "}{", "b", " ", "name"};
  const auto space = [&] { return random() % 8 == 0 ? " " : ""; };
  out->push_back('{');
  const auto members = random() % (depth == 0 ? 12 : 4);
  for (std::size_t i = 0; i < members; ++i) {
    if (i > 0) out->push_back(',');
    *out += space() + ('"' + kNames[random() % kNames.size()]) + '"' + space() + ':' + space();
    const auto kind = random() % 4;
    if (kind == 0 && depth < 4) {
      AppendRandomObject(random, depth + 1, out);
    } else if (kind == 1) {
      *out += "[\"" + kNames[random() % kNames.size()] + "\",[{\"a\":1}]]";
    } else if (kind == 2) {
      *out += '"' + kNames[random() % kNames.size()] + std::string(random() % 20, 'x') + '"';
    } else {
      *out += std::to_string(random() % 1000);
    }
    *out += space();
  }
  out->push_back('}');
}

TEST(JsonFindMember, FindsWhatWalkingTheMembersFinds) {
  std::mt19937 random(test::Seed());
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    AppendRandomObject(random, 0, &text);
    for (const std::string_view name : {"a", "ab", "", ",", ":", "}{", " ", "name", "absent"}) {
      std::string expected = "absent";
      ObjectMembers members(text);
      while (const auto member = members.Next()) {
        if (DecodeString(member->name) == name) expected = member->value;
      }
      ASSERT_EQ(Find(text, name), expected) << name << " in " << text;
    }
  }
}

TEST(JsonFindMember, ReadsOnceThroughManyLookAlikes) {
  std::string text = "{\"a\":1,\"list\":[";
  for (int i = 0; i < 200'000; ++i) text += "{\"a\":2},";
  text += "0],\"z\":3}";
  EXPECT_EQ(Find(text, "a"), "1");
}

TEST(JsonFindMember, OfOtherKindsIsNothing) {
  for (const std::string_view text : {"", "1", "[{\"a\":1}]", "\"a\"", "{", "{}", "{\"a\"", "{\"a"}) {
    EXPECT_EQ(Find(text, "a"), "absent") << text;
  }
}

TEST(JsonFindMember, PassesDeepValues) {
  const std::string text = "{\"deep\":" + Nested(100'000) + ",\"a\":1}";
  EXPECT_EQ(Find(text, "a"), "1");
  EXPECT_EQ(Find("{\"t\":\"\\n\"," + text.substr(1), "a"), "1");
}

TEST(JsonObjectMembers, WalksInOrderWithDuplicates) {
  ObjectMembers members(R"({ "a" : 1 , "b":[1,2],"a":"}" })");
  std::vector<std::string> seen;
  while (const auto member = members.Next())
    seen.push_back(std::string(member->name) + "=" + std::string(member->value));
  EXPECT_EQ(seen, (std::vector<std::string>{"\"a\"=1", "\"b\"=[1,2]", "\"a\"=\"}\""}));
  EXPECT_FALSE(ObjectMembers("[]").Next());
}

TEST(JsonArrayElements, CountsAndIndexes) {
  const std::string_view text = R"([ 1 , [2,3], "]", {"a":[4]} ])";
  EXPECT_EQ(ArrayLength(text), 4U);
  EXPECT_EQ(ArrayElement(text, 1), "[2,3]");
  EXPECT_EQ(ArrayElement(text, 3), R"({"a":[4]})");
  EXPECT_EQ(ArrayElement(text, 4), std::nullopt);
  EXPECT_EQ(ArrayLength("[ ]"), 0U);
  EXPECT_EQ(ArrayLength("{}"), 0U);
}

TEST(JsonDecodeString, DecodesEveryEscape) {
  EXPECT_EQ(DecodeString(R"("\"\\\/\b\f\n\r\t\u0041")"), "\"\\/\b\f\n\r\tA");
  EXPECT_EQ(DecodeString(R"("\u00e9\u20ac\ud83d\ude00")"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(DecodeString(R"("\u0000x")"), std::string("\0x", 2));
}

TEST(JsonDecodeString, KeepsLoneSurrogates) {
  EXPECT_EQ(DecodeString(R"("\ud83d\u0041")"),
            "\xed\xa0\xbd"
            "A");
  EXPECT_EQ(DecodeString(R"("\ude00\ud83d")"), "\xed\xb8\x80\xed\xa0\xbd");
}

TEST(JsonDecodeString, CopiesNothingWithoutEscapes) {
  const std::string_view literal = "\"plain\"";
  std::string scratch = "untouched";
  const std::string_view text = DecodeString(literal, &scratch);
  EXPECT_EQ(text, "plain");
  EXPECT_EQ(text.data(), literal.data() + 1);
  EXPECT_EQ(scratch, "untouched");
}

TEST(JsonDecodeString, EndsOnBrokenEscapes) {
  for (const std::string_view literal :
       {"", "\"", "\"\\", "\"\\\"", "\"\\u", "\"\\u12\"", "\"\\ud83d\\u\"", "\"\\ud83d\\"}) {
    EXPECT_LE(DecodeString(literal).size(), literal.size());
  }
}

TEST(JsonMergeObjects, KeepsPlacesAndBytes) {
  EXPECT_EQ(MergeObjects(R"({"a":1,"b":{ "x":1.0 }})", R"({"c":"\u0041","a":[ ]})"),
            R"({"a":[ ],"b":{ "x":1.0 },"c":"\u0041"})");
  EXPECT_EQ(MergeObjects(R"({"a":1,"\u0061":2,"b":3,"a":4})", "{}"), R"({"a":4,"b":3})");
  EXPECT_EQ(MergeObjects(R"({"\u0061":1})", R"({"a":null})"), R"({"\u0061":null})");
}

TEST(JsonMergeObjects, TakesOtherTextAsEmpty) {
  EXPECT_EQ(MergeObjects("", ""), "{}");
  EXPECT_EQ(MergeObjects("null", R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(MergeObjects(R"( { "a" : 1 } )", ""), R"({"a":1})");
}

}  // namespace
}  // namespace hypha::json
