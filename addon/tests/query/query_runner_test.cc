// Queries over random documents against the plain way: evaluate each document, sort, cut.
#include "query/query_runner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "query/evaluator.h"
#include "query/row_text.h"
#include "query/sort_value.h"
#include "store/entry_reader.h"
#include "support/databases.h"
#include "support/filters.h"

namespace hypha {
namespace {

using Json = nlohmann::json;
using test::Leaf;
using test::Num;
using test::Str;

class QueryRunnerTest : public ::testing::TestWithParam<int> {
 protected:
  // The parameter is the part of the entries, in per cent, that lie in the namespace asked for: it decides the plan.
  void SetUp() override {
    EntryWriter writer(statements_, hooks_);
    ASSERT_TRUE(db_->Exec("BEGIN IMMEDIATE").ok());
    writer.OnBegin();
    for (int i = 0; i < 600; ++i) {
      WriteOp op =
          test::SetOp(RandomKey(), RandomValue(), static_cast<int>(Below(100)) < GetParam() ? "mine" : "other");
      if (Below(3) == 0) op.metadata = "{\"f\":" + std::to_string(Below(5)) + ",\"m\":\"x\"}";
      ASSERT_TRUE(writer.Apply(op).status.ok());
    }
    ASSERT_TRUE(db_->Exec("COMMIT").ok());
    NamespaceCache namespaces(statements_);
    ns_id_ = namespaces.Find("mine").value();
    auto rows = Prepare(db_->handle(),
                        "SELECT key, value, metadata, created_at, updated_at, version FROM hypha_entries WHERE ns_id = "
                        "?1 ORDER BY key");
    Cursor cursor(rows.value().get());
    cursor.Bind(1, ns_id_);
    while (cursor.Step()) {
      entries_.push_back({std::string(cursor.Text(0)), std::string(cursor.Text(1)), std::string(cursor.Text(2)),
                          cursor.Integer(3), cursor.Integer(4), cursor.Integer(5)});
    }
  }

  std::size_t Below(std::size_t n) { return random_() % n; }
  template <class T>
  T OneOf(std::vector<T> list) {
    return list[Below(list.size())];
  }

  std::string RandomKey() {
    return OneOf<std::string>({"user:", "a", "\xe6\x95\xb0", "zz"}) + std::to_string(Below(300));
  }
  std::string RandomScalar() {
    return OneOf<std::string>({"null", "true", "false", "\"\"", "\"10\"", "\"abc\"", "\"\\ud83d\\ude00\"",
                               "\"\xef\xbf\xae\"", "[3]", "[]", "{}", "1e400", "-0", "9007199254740993",
                               std::to_string(Below(12))});
  }
  std::string RandomValue() {
    if (Below(10) == 0) return RandomScalar();
    std::string value = "{\"f\":" + RandomScalar();
    if (Below(2) == 0) value += ",\"g\":" + RandomScalar();
    if (Below(3) == 0) value += ",\"f\":" + RandomScalar();
    return value + ",\"n\":{\"deep\":" + RandomScalar() + "}}";
  }
  Operand RandomOperand() {
    switch (Below(6)) {
      case 0: return {Operand::Tag::kNull, false, 0, {}, {}};
      case 1: return {Operand::Tag::kBoolean, Below(2) == 0, 0, {}, {}};
      case 2: return Str(OneOf<std::string>({"", "1", "10", "abc", "user:", "user:1", "a"}));
      case 3: return {Operand::Tag::kList, false, 0, {}, {Num(3), Str("abc"), Str("user:7"), Str("a5")}};
      default: return Num(static_cast<double>(Below(12)));
    }
  }
  FilterNode RandomFilter(int depth = 0) {
    if (depth < 3 && Below(3) == 0) {
      FilterNode node;
      node.kind = OneOf<FilterNode::Kind>({FilterNode::Kind::kAnd, FilterNode::Kind::kOr, FilterNode::Kind::kNot});
      const std::size_t children = node.kind == FilterNode::Kind::kNot ? 1 : Below(4);
      for (std::size_t i = 0; i < children; ++i) node.children.push_back(RandomFilter(depth + 1));
      return node;
    }
    const auto op = static_cast<Operator>(Below(static_cast<std::size_t>(Operator::kIn) + 2));
    switch (Below(6)) {
      case 0: return Leaf(Source::kKey, {}, op, RandomOperand());
      case 1: return Leaf(Source::kPath, {"n", "deep"}, op, RandomOperand());
      case 2: return Leaf(Source::kMetadata, {"m"}, op, RandomOperand());
      case 3: return Leaf(Source::kVersion, {}, op, RandomOperand());
      case 4: return Leaf(Source::kValue, {}, op, RandomOperand());
      default: return Leaf(Source::kField, {OneOf<std::string>({"f", "g"})}, op, RandomOperand());
    }
  }
  std::vector<SortKey> RandomSort() {
    std::vector<SortKey> sort;
    for (std::size_t i = Below(3); i > 0; --i) {
      sort.push_back(Below(4) == 0 ? SortKey{Source::kKey, {}, Below(2) == 0}
                                   : SortKey{Source::kField, {OneOf<std::string>({"f", "g"})}, Below(2) == 0});
    }
    return sort;
  }

  static EntryView View(const Entry& entry) {
    return {entry.key, entry.value, entry.metadata, entry.created_at, entry.updated_at, entry.version};
  }
  std::string Plain(const QuerySpec& spec) {
    const Evaluator evaluator(spec.filter);
    const SortExtractor extractor(spec.sort);
    struct Row {
      const Entry* entry;
      std::vector<SortValue> sort;
    };
    std::vector<Row> rows;
    for (const auto& entry : entries_) {
      if (!evaluator.Matches(View(entry))) continue;
      rows.push_back({&entry, std::vector<SortValue>(spec.sort.size())});
      extractor.Extract(View(entry), rows.back().sort);
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const Row& a, const Row& b) { return extractor.Compare(a.sort, b.sort) < 0; });
    std::string all;
    for (std::size_t i = static_cast<std::size_t>(spec.offset); i < rows.size(); ++i) {
      if (spec.limit && i >= static_cast<std::size_t>(spec.offset + *spec.limit)) break;
      if (!all.empty()) all.push_back(',');
      AppendRow(all, View(*rows[i].entry), {spec.shape, {}});
    }
    return all;
  }
  std::string Run(const QuerySpec& spec) {
    const auto reply = runner_.Run(spec, ns_id_, 1 << 30);
    if (!reply.ok()) return reply.status().message();
    std::string all;
    for (const auto& chunk : reply.value().chunks) {
      if (!all.empty()) all.push_back(',');
      all += chunk.substr(1, chunk.size() - 2);
    }
    return all;
  }

  std::mt19937 random_{test::Seed()};
  Hooks hooks_;
  std::unique_ptr<Connection> db_ = test::OpenFreshMemory();
  KvStatements statements_{*db_};
  QueryRunner runner_{*db_};
  std::int64_t ns_id_ = 0;
  std::vector<Entry> entries_;
};
INSTANTIATE_TEST_SUITE_P(Share, QueryRunnerTest, ::testing::Values(5, 95));

TEST_P(QueryRunnerTest, AgreesWithThePlainWay) {
  for (int i = 0; i < 1500; ++i) {
    QuerySpec spec;
    spec.filter = RandomFilter();
    spec.sort = RandomSort();
    if (Below(2) == 0) spec.limit = static_cast<std::int64_t>(Below(40));
    spec.offset = Below(2) == 0 ? static_cast<std::int64_t>(Below(30)) : 0;
    spec.shape = Below(2) == 0 ? QueryShape::kKernel : QueryShape::kEntries;
    ASSERT_EQ(Run(spec), Plain(spec)) << i;
    QuerySpec all;
    all.filter = spec.filter;
    const std::string matching = Plain(all);
    const auto wanted =
        matching.empty() ? 0
                         : static_cast<std::int64_t>(std::count_if(
                               entries_.begin(), entries_.end(),
                               [&, e = Evaluator(spec.filter)](const Entry& entry) { return e.Matches(View(entry)); }));
    ASSERT_EQ(runner_.Count({spec.ns, spec.filter}, ns_id_).value(), wanted) << i;
  }
}

TEST_P(QueryRunnerTest, OffsetsAndLimitsBeyondTheEnd) {
  QuerySpec spec;
  for (const std::int64_t offset : {std::int64_t{0}, std::int64_t{1} << 40, std::int64_t{9'007'199'254'740'991}}) {
    for (const std::int64_t limit : {std::int64_t{1}, std::int64_t{9'007'199'254'740'991}}) {
      spec.offset = offset;
      spec.limit = limit;
      for (const auto& sort : {std::vector<SortKey>{}, std::vector<SortKey>{{Source::kField, {"f"}, true}}}) {
        spec.sort = sort;
        EXPECT_EQ(Run(spec).empty(), offset > 0);
      }
    }
  }
}

TEST(QueryRunnerLimits, AFewLargeRowsOfManyFitWhenOnlyTheyAreWanted) {
  auto db = test::OpenFreshMemory();
  KvStatements statements(*db);
  Hooks hooks;
  EntryWriter writer(statements, hooks);
  ASSERT_TRUE(db->Exec("BEGIN IMMEDIATE").ok());
  writer.OnBegin();
  for (int i = 0; i < 60; ++i) {
    const std::string value =
        "{\"f\":" + std::to_string((i * 37) % 60) + ",\"pad\":\"" + std::string(10'000, 'p') + "\"}";
    ASSERT_TRUE(writer.Apply(test::SetOp("k" + std::to_string(i), value)).status.ok());
  }
  ASSERT_TRUE(db->Exec("COMMIT").ok());
  QueryRunner runner(*db);
  QuerySpec spec;
  spec.sort = {{Source::kField, {"f"}, false}};
  spec.limit = 1;
  const auto reply = runner.Run(spec, 1, 25'000);
  ASSERT_TRUE(reply.ok()) << reply.status().message();
  EXPECT_EQ(Json::parse(reply.value().chunks.at(0))[0]["value"]["f"], 0);
  spec.limit = 3;
  EXPECT_EQ(runner.Run(spec, 1, 25'000).status().code(), Code::kTooLarge);
}

TEST(SqlFunctions, EntryProblemSaysWhatIsWrong) {
  auto db = test::OpenFreshMemory();
  const auto problem = [&](const std::string& arguments) {
    return db->QueryText(("SELECT coalesce(hypha_entry_problem(" + arguments + "), 'none')").c_str()).value();
  };
  EXPECT_EQ(problem("'n', 'k', '1', NULL, 1, 1"), "none");
  EXPECT_EQ(problem("'n', 'k', '{\"a\":[1,null]}', '{}', 1, 1"), "none");
  EXPECT_EQ(problem("'n', replace(hex(zeroblob(2048)), '00', 'kk'), '1', NULL, 1, 1"), "none");
  EXPECT_EQ(problem("'n', 'k' || replace(hex(zeroblob(2048)), '00', 'kk'), '1', NULL, 1, 1"), "the name is too long");
  EXPECT_EQ(problem("replace(hex(zeroblob(256)), '00', 'nn'), 'k', '1', NULL, 1, 1"), "none");
  EXPECT_EQ(problem("'n' || replace(hex(zeroblob(256)), '00', 'nn'), 'k', '1', NULL, 1, 1"), "the name is too long");
  EXPECT_EQ(problem("'n', char(0xa0, 0x3000), '1', NULL, 1, 1"), "the name is blank");
  EXPECT_EQ(problem("'n', char(0), '1', NULL, 1, 1"), "none");
  EXPECT_EQ(problem("NULL, 'k', '1', NULL, 1, 1"), "the name is not text");
  EXPECT_EQ(problem("'n', 'k', NULL, NULL, 1, 1"), "the value is not JSON");
  EXPECT_EQ(problem("'n', 'k', '01', NULL, 1, 1"), "the value is not JSON");
  EXPECT_EQ(problem("'n', 'k', '1', 'null', 1, 1"), "the metadata is not an object");
  EXPECT_EQ(problem("'n', 'k', '1', x'7b7d', 1, 1"), "the metadata is not JSON");
  EXPECT_EQ(problem("'n', 'k', '1', NULL, 1.5, 1"), "a time is not an integer");
}

TEST(SqlFunctions, MatchNeedsABoundFilter) {
  auto db = test::OpenFreshMemory();
  EXPECT_FALSE(db->QueryText("SELECT hypha_match(NULL, 'k', '1', NULL, 1, 1, 1, NULL)").ok());
  EXPECT_FALSE(db->QueryText("SELECT hypha_match(12345, 'k', '1', NULL, 1, 1, 1, NULL)").ok());
}

}  // namespace
}  // namespace hypha
