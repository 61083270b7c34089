#include "query/glob.h"

#include <gtest/gtest.h>

#include <string>

namespace hypha {
namespace {

constexpr std::string_view kEmoji = "\xf0\x9f\x98\x80";
constexpr std::string_view kHigh = "\xed\xa0\xbd";
constexpr std::string_view kLow = "\xed\xb8\x80";

TEST(MatchesPattern, WithoutStarIsEquality) {
  EXPECT_TRUE(MatchesPattern("abc", "abc"));
  EXPECT_TRUE(MatchesPattern("", ""));
  EXPECT_FALSE(MatchesPattern("abc", "ab"));
  EXPECT_FALSE(MatchesPattern("abc", "ABC"));
}

TEST(MatchesPattern, StarMatchesAnyRun) {
  EXPECT_TRUE(MatchesPattern("", "*"));
  EXPECT_TRUE(MatchesPattern("user:1:name", "user:*"));
  EXPECT_TRUE(MatchesPattern("user:1:name", "*name"));
  EXPECT_TRUE(MatchesPattern("user:1:name", "u*:*:n*e"));
  EXPECT_TRUE(MatchesPattern("aab", "*a**b*"));
  EXPECT_TRUE(MatchesPattern("abab", "*ab"));
  EXPECT_TRUE(MatchesPattern(std::string_view("a\0b", 3), "a*b"));
  EXPECT_FALSE(MatchesPattern("aba", "ab*ba"));
  EXPECT_FALSE(MatchesPattern("abc", "a*d*c"));
  EXPECT_FALSE(MatchesPattern("ba", "*a*b*"));
}

TEST(MatchesPattern, AllElseIsLiteral) {
  for (const std::string_view text : {"%", "_", "?", ".", "[a]", "\\", "{a,b}"}) {
    EXPECT_TRUE(MatchesPattern(text, text));
    EXPECT_FALSE(MatchesPattern("a", text));
  }
}

TEST(MatchesPattern, FindsOverlappingCandidates) {
  EXPECT_TRUE(MatchesPattern("aabaabaaab", "*aabaaab*"));
  EXPECT_TRUE(MatchesPattern("abababac", "*ababac*"));
  EXPECT_FALSE(MatchesPattern("abababab", "*ababac*"));
}

TEST(MatchesPattern, StaysLinear) {
  const std::string text(1'000'000, 'a');
  const std::string literal(100'000, 'a');
  EXPECT_FALSE(MatchesPattern(text, "*" + literal + "b*"));
  EXPECT_FALSE(MatchesPattern(text, "*a*a*a*a*a*a*a*b*"));
}

TEST(MatchesPattern, HalfAPairMatchesHalfACharacter) {
  EXPECT_TRUE(MatchesPattern(kEmoji, std::string(kHigh) + "*"));
  EXPECT_TRUE(MatchesPattern(kEmoji, "*" + std::string(kLow)));
  EXPECT_TRUE(MatchesPattern(kEmoji, std::string(kHigh) + "*" + std::string(kLow)));
  EXPECT_FALSE(MatchesPattern(kEmoji, std::string(kLow) + "*"));
  EXPECT_TRUE(MatchesPattern("x" + std::string(kEmoji), "*" + std::string(kLow)));
}

TEST(Glob, SubstringFormsTakeStarsLiterally) {
  EXPECT_TRUE(Glob::Containing("a*b").Matches("xa*by"));
  EXPECT_FALSE(Glob::Containing("a*b").Matches("axb"));
  EXPECT_TRUE(Glob::StartingWith("*a").Matches("*ab"));
  EXPECT_FALSE(Glob::StartingWith("*a").Matches("ba"));
  EXPECT_TRUE(Glob::EndingWith("a").Matches("ba"));
  EXPECT_FALSE(Glob::EndingWith("aa").Matches("a"));
  EXPECT_TRUE(Glob::Containing("").Matches(""));
  EXPECT_TRUE(Glob::Containing(kLow).Matches(kEmoji));
  EXPECT_FALSE(Glob::Containing(kLow).Matches(kHigh));
}

}  // namespace
}  // namespace hypha
