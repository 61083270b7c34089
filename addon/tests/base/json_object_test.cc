#include "base/json_object.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hypha {
namespace {

TEST(JsonObject, WritesItsMembersInOrder) {
  JsonArray list;
  EXPECT_EQ(JsonArray(list).Take(), "[]");
  list.Add("1");
  list.Add("{}");
  JsonObject object;
  EXPECT_EQ(JsonObject(object).Take(), "{}");
  object.Number("n", -5).Boolean("yes", true).Boolean("no", false).Text("t", "a\"b").Raw("l", std::move(list).Take());
  EXPECT_EQ(std::move(object).Take(), R"({"n":-5,"yes":true,"no":false,"t":"a\"b","l":[1,{}]})");
}

TEST(JsonObject, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(JsonText("\xe6\x95\xb0\xf0\x9f\x98\x80"), "\"\xe6\x95\xb0\xf0\x9f\x98\x80\"");
  EXPECT_EQ(JsonText("a\xff\"\xe6\x95"), "\"a\xef\xbf\xbd\\\"\xef\xbf\xbd\xef\xbf\xbd\"");
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const char bytes[] = {static_cast<char>(first), static_cast<char>(second), 'x'};
      EXPECT_TRUE(nlohmann::json::accept(JsonText({bytes, sizeof bytes}))) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace hypha
