#include "query/js_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace hypha::js {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(JsNumberToString, FollowsEcmaScript) {
  EXPECT_EQ(NumberToString(0), "0");
  EXPECT_EQ(NumberToString(-0.0), "0");
  EXPECT_EQ(NumberToString(-12.5), "-12.5");
  EXPECT_EQ(NumberToString(std::nan("")), "NaN");
  EXPECT_EQ(NumberToString(-kInfinity), "-Infinity");
  EXPECT_EQ(NumberToString(123456789012345), "123456789012345");
  EXPECT_EQ(NumberToString(1e20), "100000000000000000000");
  EXPECT_EQ(NumberToString(1e21), "1e+21");
  EXPECT_EQ(NumberToString(1.5e300), "1.5e+300");
  EXPECT_EQ(NumberToString(0.000001), "0.000001");
  EXPECT_EQ(NumberToString(0.0000001), "1e-7");
  EXPECT_EQ(NumberToString(-1.25e-7), "-1.25e-7");
  EXPECT_EQ(NumberToString(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(NumberToString(1152921504606846976.0), "1152921504606847000");
  EXPECT_EQ(NumberToString(5e-324), "5e-324");
  EXPECT_EQ(NumberToString(1.7976931348623157e308), "1.7976931348623157e+308");
}

TEST(JsStringToNumber, TrimsJavaScriptWhiteSpace) {
  EXPECT_EQ(StringToNumber(""), 0);
  EXPECT_EQ(StringToNumber(" \t\n\v\f\r"), 0);
  EXPECT_EQ(StringToNumber("\xef\xbb\xbf\xc2\xa0"
                           "7\xe2\x80\xa8\xe2\x80\xa9\xe3\x80\x80"),
            7);
  EXPECT_EQ(StringToNumber(" 0x10 "), 16);
  EXPECT_TRUE(
      std::isnan(StringToNumber("\xe2\x80\x8b"
                                "7")));
  EXPECT_TRUE(
      std::isnan(StringToNumber("\xc2\x85"
                                "7")));
  EXPECT_TRUE(std::isnan(StringToNumber(std::string_view("7\0", 2))));
}

TEST(JsTrimSpace, TrimsBothEndsOnly) {
  EXPECT_EQ(TrimSpace("\xef\xbb\xbf a b\xc2\xa0"), "a b");
  EXPECT_EQ(TrimSpace("\xe2\x80\xa8\n"), "");
  EXPECT_EQ(TrimSpace("\xa0"), "\xa0");
}

TEST(JsStringToNumber, ReadsDecimals) {
  EXPECT_EQ(StringToNumber("+.5"), 0.5);
  EXPECT_EQ(StringToNumber("5."), 5);
  EXPECT_EQ(StringToNumber("-00012e-1"), -1.2);
  EXPECT_EQ(StringToNumber("Infinity"), kInfinity);
  EXPECT_EQ(StringToNumber("-Infinity"), -kInfinity);
  EXPECT_TRUE(std::signbit(StringToNumber("-0")));
  for (const std::string_view text :
       {".", "-", "+", "e5", "1e", "1e+", "--1", "1_000", "inf", "nan", "infinity", "1n", "1 2"}) {
    EXPECT_TRUE(std::isnan(StringToNumber(text))) << text;
  }
}

TEST(JsStringToNumber, ReadsOtherBases) {
  EXPECT_EQ(StringToNumber("0XfF"), 255);
  EXPECT_EQ(StringToNumber("0o17"), 15);
  EXPECT_EQ(StringToNumber("0B101"), 5);
  EXPECT_EQ(StringToNumber("0x20000000000001"), 9007199254740992.0);
  EXPECT_EQ(StringToNumber("0x20000000000003"), 9007199254740996.0);
  EXPECT_EQ(StringToNumber("0x1000000000000080000000000000000000001"), std::ldexp(0x10000000000001, 92));
  EXPECT_EQ(StringToNumber("0x" + std::string(300, 'f')), kInfinity);
  for (const std::string_view text : {"0x", "-0x10", "0xg", "0b2", "0o8", "0x1p3", "0x1.0"}) {
    EXPECT_TRUE(std::isnan(StringToNumber(text))) << text;
  }
}

TEST(JsStringToNumber, OverflowsAndUnderflows) {
  const std::string zeros(400, '0');
  EXPECT_EQ(StringToNumber("1e309"), kInfinity);
  EXPECT_EQ(StringToNumber("-1e99999999999999999999"), -kInfinity);
  EXPECT_EQ(StringToNumber("1e-99999999999999999999"), 0);
  EXPECT_EQ(StringToNumber("0e99999999999999999999"), 0);
  EXPECT_EQ(StringToNumber("0." + zeros + "1e401"), 1);
  EXPECT_EQ(StringToNumber("0." + zeros + "1e800"), kInfinity);
  EXPECT_EQ(StringToNumber("1" + zeros + "e-400"), 1);
  EXPECT_EQ(StringToNumber("1" + zeros), kInfinity);
  EXPECT_EQ(StringToNumber("1.7976931348623158e308"), 1.7976931348623157e308);
  EXPECT_EQ(StringToNumber("1.7976931348623159e308"), kInfinity);
  EXPECT_EQ(StringToNumber("2.4703282292062328e-324"), 5e-324);
  EXPECT_EQ(StringToNumber("2.4703282292062327e-324"), 0);
}

TEST(JsParseJsonNumber, RoundsCorrectly) {
  EXPECT_EQ(ParseJsonNumber("1152921504606846976"), 1152921504606846976.0);
  EXPECT_EQ(ParseJsonNumber("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(ParseJsonNumber("999999999999999"), 999999999999999.0);
  EXPECT_EQ(ParseJsonNumber("-12.75E-1"), -1.275);
  EXPECT_EQ(ParseJsonNumber("2.2250738585072011e-308"), 2.225073858507201e-308);
  EXPECT_EQ(ParseJsonNumber("-1e999"), -kInfinity);
  EXPECT_EQ(ParseJsonNumber("1e-999"), 0);
  EXPECT_TRUE(std::signbit(ParseJsonNumber("-0")));
  EXPECT_TRUE(std::isnan(ParseJsonNumber("")));
  EXPECT_TRUE(std::isnan(ParseJsonNumber("-")));
  EXPECT_TRUE(std::isnan(ParseJsonNumber("1x")));
}

}  // namespace
}  // namespace hypha::js
