// Names as SQL and JSON text.
#include "query/index_definition.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "query/random_values.h"
#include "support/databases.h"

namespace hypha {
namespace {

TEST(IndexDefinition, PathsRoundTripThroughSqlite) {
  auto db = test::OpenFreshMemory();
  test::RandomValues random(test::Seed());
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::string> path(1 + random.Below(3));
    for (auto& name : path) name = random.Wtf8(random.Below(12));
    const std::string quoted = QuotePath(path);
    // One SQL literal: quotes inside are doubled, and nothing is a control character or half a surrogate pair.
    ASSERT_EQ(quoted.front(), '\'');
    ASSERT_EQ(quoted.back(), '\'');
    std::string text;
    for (std::size_t at = 1; at + 1 < quoted.size(); ++at) {
      ASSERT_GE(static_cast<unsigned char>(quoted[at]), 0x20);
      if (quoted[at] == '\'') {
        ASSERT_EQ(quoted[++at], '\'');
      }
      ASSERT_LT(at + 1, quoted.size());
      text.push_back(quoted[at]);
      ASSERT_FALSE(static_cast<unsigned char>(quoted[at]) == 0xED &&
                   static_cast<unsigned char>(quoted[at + 1]) >= 0xA0);
    }
    ASSERT_EQ(ParsePath(text), path) << text;
    if (i % 20 == 0) {
      ASSERT_EQ(db->QueryText(("SELECT " + quoted).c_str()).value(), text);
    }
  }
}

TEST(IndexDefinition, FieldsRoundTrip) {
  test::RandomValues random(test::Seed());
  for (int i = 0; i < 10'000; ++i) {
    std::vector<IndexField> fields(1 + random.Below(4));
    for (auto& field : fields) {
      field.source = random.OneOf<Source>({Source::kField, Source::kPath, Source::kMetadata});
      field.path.resize(field.source == Source::kPath ? 1 + random.Below(3) : 1);
      for (auto& name : field.path) name = random.Wtf8(random.Below(8));
    }
    ASSERT_EQ(FieldsFromJson(FieldsToJson(fields)), fields) << FieldsToJson(fields);
  }
}

TEST(IndexDefinition, ParsePathRefusesWhatItDidNotWrite) {
  for (const char* text : {"", "a", "$a", "$.a", "$[0]", "$.\"a", "$.\"a\"b", "$.\"a\".", "$.\"", "$..\"a\"", "$.5"}) {
    EXPECT_EQ(ParsePath(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParsePath("$"), std::vector<std::string>{});
  test::RandomValues random(test::Seed());
  for (int i = 0; i < 50'000; ++i) {
    std::string text = "$.\"";
    for (std::size_t n = random.Below(20); n > 0; --n)
      text.push_back(
          random.OneOf<char>({'$', '.', '"', '\\', 'u', 'd', '8', '0', 'a', '\'', '\x01', '\xff', '[', '{'}));
    static_cast<void>(ParsePath(std::string_view(text.data(), text.size())));
  }
}

TEST(IndexDefinition, ExtractIsTotal) {
  auto db = test::OpenFreshMemory();
  const auto extract = [&](const std::string& arguments) {
    return db->QueryText(("SELECT coalesce(nullif(hex(hypha_extract(" + arguments + ")), ''), 'absent')").c_str())
        .value();
  };
  EXPECT_EQ(extract("'{\"a\":null}', '{\"a\":1}', '$.\"a\"'"), "51");
  EXPECT_EQ(extract("'{\"a\":null}', '{\"a\":null}', '$.\"a\"'"), "50");
  EXPECT_EQ(extract("'{\"a\":null}', NULL, '$.\"a\"'"), "50");
  EXPECT_EQ(extract("'{}', '{\"a\":true}', '$.\"a\"'"), "31");
  EXPECT_EQ(extract("'{}', NULL, '$.\"a\"'"), "absent");
  EXPECT_EQ(extract("NULL, '$.\"a\"'"), "absent");
  EXPECT_EQ(extract("5, x'00', '$.\"a\"'"), "absent");
  EXPECT_EQ(extract("'{\"a\":{\"b\":\"x\"}}', '$.\"a\".\"b\"'"), "2078");
  EXPECT_EQ(extract("'[7]', '$.\"0\"'"), "10C01C000000000000");
  EXPECT_NE(extract("'{\"a\":', '$.\"a\"'"), "");
  const std::string deep(5000, '[');
  EXPECT_NE(extract("'{\"a\":" + deep + "', '$.\"a\"'"), "");
  EXPECT_FALSE(db->QueryText("SELECT hypha_extract('{}', 'a')").ok());
  EXPECT_FALSE(db->QueryText("SELECT hypha_extract('{}', NULL)").ok());
  EXPECT_FALSE(db->QueryText("SELECT hypha_extract('{}', '$')").ok());
}

}  // namespace
}  // namespace hypha
