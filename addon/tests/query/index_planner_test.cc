// Queries with random indexes against the plain way, and the choices the planner makes.
#include "query/index_planner.h"

#include <gtest/gtest.h>

#include "query/evaluator.h"
#include "query/index_catalog.h"
#include "query/query_runner.h"
#include "query/random_values.h"
#include "query/row_text.h"
#include "store/entry_writer.h"
#include "support/databases.h"
#include "support/filters.h"

namespace hypha {
namespace {

using test::And;
using test::Leaf;

Term OnField(std::string name, Operator op, double number) {
  return {Source::kField, {std::move(name)}, op, {Operand::Tag::kNumber, false, number, {}, {}}};
}
IndexDefinition Index(std::vector<std::string> names, std::int64_t id = 1) {
  IndexDefinition index{id, 7, {}, false};
  for (auto& name : names) index.fields.push_back({Source::kField, {std::move(name)}});
  return index;
}
std::optional<IndexPlan> PlanFor(FilterNode filter, const std::vector<IndexDefinition>& indexes,
                                 std::vector<SortKey> sort = {}) {
  QuerySpec spec;
  spec.filter = std::move(filter);
  spec.sort = std::move(sort);
  return PlanIndex(spec, indexes, {false, !spec.sort.empty(), nullptr});
}

TEST(IndexPlanner, TakesTheIndexThatNarrowsMost) {
  const std::vector<IndexDefinition> indexes{Index({"b"}, 1), Index({"a"}, 2), Index({"a", "b"}, 3)};
  const auto both = PlanFor(And({Leaf(OnField("a", Operator::kEq, 1)), Leaf(OnField("b", Operator::kGt, 1))}), indexes);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->index.id, 3);
  EXPECT_EQ(both->equal.size(), 1U);
  const auto one = PlanFor(Leaf(OnField("b", Operator::kEq, 1)), indexes);
  ASSERT_TRUE(one);
  EXPECT_EQ(one->index.id, 1);
  EXPECT_TRUE(one->exact);
  EXPECT_TRUE(one->ordered);
}

TEST(IndexPlanner, WhatItCannotUseItLeaves) {
  const std::vector<IndexDefinition> indexes{Index({"a"})};
  EXPECT_FALSE(PlanFor({}, indexes));
  EXPECT_FALSE(PlanFor(Leaf(OnField("b", Operator::kEq, 1)), indexes));
  EXPECT_FALSE(PlanFor(Leaf(OnField("a", Operator::kNe, 1)), indexes));
  EXPECT_FALSE(PlanFor({FilterNode::Kind::kNot, {Leaf(OnField("a", Operator::kEq, 1))}, {}}, indexes));
  EXPECT_FALSE(PlanFor({FilterNode::Kind::kOr, {Leaf(OnField("a", Operator::kEq, 1))}, {}}, indexes));
  Term path = OnField("a", Operator::kEq, 1);
  path.source = Source::kPath;
  EXPECT_FALSE(PlanFor(Leaf(path), indexes));
}

TEST(IndexPlanner, ATermCountsOnceThoughTheIndexNamesItsFieldTwice) {
  const auto plan =
      PlanFor(And({Leaf(OnField("a", Operator::kEq, 1)), Leaf(OnField("b", Operator::kEq, 2))}), {Index({"a", "a"})});
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->exact);
}

TEST(IndexPlanner, TheSecondTermOnAFieldIsLeftToTheEvaluator) {
  const auto plan =
      PlanFor(And({Leaf(OnField("a", Operator::kGt, 1)), Leaf(OnField("a", Operator::kLt, 5))}), {Index({"a"})});
  ASSERT_TRUE(plan);
  EXPECT_FALSE(plan->exact);
}

// Each round: new rows, new indexes, many queries, pages and counts.
class IndexedQueries : public ::testing::Test {
 protected:
  // The last two are the planner's own words.
  static constexpr const char* kNames[] = {"a", "b", "it's \"x\\", "x AND hypha_match(y) ORDER BY z", "f FROM t"};

  std::string Name() { return kNames[random_.Below(std::size(kNames))]; }
  std::string Object() {
    std::string json = "{";
    for (const char* name : kNames) {
      if (random_.Below(3) == 0) continue;
      if (json.size() > 1) json.push_back(',');
      json +=
          JsonName(name) + ":" +
          (random_.Below(3) == 0 ? random_.OneOf<std::string>({"1", "null", "0", "\"ab\"", "true"}) : random_.Json());
    }
    return json + "}";
  }
  IndexField Field() {
    const Source source = random_.OneOf<Source>({Source::kField, Source::kField, Source::kPath, Source::kMetadata});
    return {source, {Name()}};
  }
  void Fill(EntryWriter& writer) {
    for (int i = 0; i < 120; ++i) {
      WriteOp op = test::SetOp("k" + std::to_string(random_.Below(500)),
                               random_.Below(15) == 0 ? random_.Json() : Object(), "n");
      if (random_.Below(2) == 0) op.metadata = Object();
      ASSERT_TRUE(writer.Apply(op).status.ok());
    }
  }
  void Load() {
    entries_.clear();
    auto rows = Prepare(db_->handle(),
                        "SELECT key, value, metadata, created_at, updated_at, version FROM hypha_entries WHERE ns_id = "
                        "?1 ORDER BY key");
    Cursor cursor(rows.value().get());
    cursor.Bind(1, ns_id_);
    while (cursor.Step())
      entries_.push_back({std::string(cursor.Text(0)), std::string(cursor.Text(1)), std::string(cursor.Text(2)),
                          cursor.Integer(3), cursor.Integer(4), cursor.Integer(5)});
  }
  QuerySpec RandomSpec() {
    QuerySpec spec;
    for (std::size_t n = random_.Below(4); n > 0; --n) {
      Term term = random_.TermOn(Name());
      term.source = random_.OneOf<Source>({Source::kField, Source::kField, Source::kPath, Source::kMetadata});
      if (random_.Below(2) == 0) term.op = Operator::kEq;
      if (random_.Below(4) == 0) term.operand = {Operand::Tag::kNumber, false, 1, {}, {}};
      spec.filter.children.push_back(Leaf(std::move(term)));
    }
    const std::size_t keys = random_.Below(3);
    for (std::size_t n = 0; n < keys; ++n) {
      const IndexField field = Field();
      spec.sort.push_back({field.source, field.path, random_.Below(2) == 0});
    }
    if (random_.Below(2) == 0) spec.limit = static_cast<std::int64_t>(1 + random_.Below(30));
    if (random_.Below(3) == 0) spec.offset = static_cast<std::int64_t>(random_.Below(20));
    return spec;
  }
  std::vector<std::string> Plain(const QuerySpec& spec) {
    const Evaluator evaluator(spec.filter);
    const SortExtractor extractor(spec.sort);
    std::vector<std::pair<std::vector<SortValue>, std::string>> rows;
    for (const auto& entry : entries_) {
      const EntryView view{entry.key, entry.value, entry.metadata, entry.created_at, entry.updated_at, entry.version};
      if (!evaluator.Matches(view)) continue;
      std::vector<SortValue> sort(spec.sort.size());
      extractor.Extract(view, sort);
      std::string text;
      AppendRow(text, view, {spec.shape, {}});
      rows.emplace_back(std::move(sort), std::move(text));
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const auto& a, const auto& b) { return extractor.Compare(a.first, b.first) < 0; });
    std::vector<std::string> texts;
    for (auto& row : rows) texts.push_back(std::move(row.second));
    return texts;
  }
  static std::string Joined(const std::vector<std::string>& rows, std::size_t from, std::size_t to) {
    std::string all;
    for (std::size_t i = from; i < std::min(to, rows.size()); ++i) all += (all.empty() ? "" : ",") + rows[i];
    return all;
  }
  static std::string Text(const QueryReply& reply) {
    std::string all;
    for (const auto& chunk : reply.chunks) all += (all.empty() ? "" : ",") + chunk.substr(1, chunk.size() - 2);
    return all;
  }
  std::string Pages(QuerySpec spec, std::int64_t limit) {
    spec.page = true;
    spec.limit = limit;
    spec.offset = 0;
    std::string all;
    for (int round = 0; round < 1000; ++round) {
      auto reply = runner_.Run(spec, ns_id_, 1 << 30);
      if (!reply.ok()) return reply.status().message();
      const std::string text = Text(reply.value());
      if (!text.empty()) all += (all.empty() ? "" : ",") + text;
      if (reply.value().cursor.empty()) return all;
      spec.after = reply.value().cursor;
    }
    return "endless";
  }

  test::RandomValues random_{test::Seed()};
  Hooks hooks_;
  std::unique_ptr<Connection> db_ = test::OpenFreshMemory();
  KvStatements statements_{*db_};
  QueryRunner runner_{*db_};
  std::int64_t ns_id_ = 0;
  std::vector<Entry> entries_;
};

TEST_F(IndexedQueries, AgreeWithThePlainWay) {
  EntryWriter writer(statements_, hooks_);
  int indexed = 0;
  for (int round = 0; round < 30; ++round) {
    ASSERT_TRUE(db_->Exec("BEGIN IMMEDIATE").ok());
    writer.OnBegin();
    ASSERT_TRUE(writer.Apply(test::SetOp("keeper", "{}", "n")).status.ok());
    ns_id_ = NamespaceCache(statements_).Find("n").value();
    std::vector<IndexDefinition> made;
    for (std::size_t n = 1 + random_.Below(3); n > 0; --n) {
      IndexDefinition index{0, ns_id_, std::vector<IndexField>(1 + random_.Below(3)), false};
      for (auto& field : index.fields) field = Field();
      ASSERT_TRUE(CreateIndex(*db_, index, 1).ok());
      made.push_back(std::move(index));
    }
    Fill(writer);
    Load();
    for (int i = 0; i < 60; ++i) {
      const QuerySpec spec = RandomSpec();
      const auto plain = Plain(spec);
      const auto reply = runner_.Run(spec, ns_id_, 1 << 30);
      ASSERT_TRUE(reply.ok()) << reply.status().message();
      if (!reply.value().index.empty()) ++indexed;
      const auto from = static_cast<std::size_t>(spec.offset);
      ASSERT_EQ(Text(reply.value()),
                Joined(plain, from, spec.limit ? from + static_cast<std::size_t>(*spec.limit) : plain.size()))
          << reply.value().index;
      ASSERT_EQ(runner_.Count({spec.ns, spec.filter}, ns_id_).value(), static_cast<std::int64_t>(plain.size()));
      ASSERT_EQ(Pages(spec, static_cast<std::int64_t>(2 + random_.Below(40))), Joined(plain, 0, plain.size()));
    }
    const auto& one = made[random_.Below(made.size())];
    ASSERT_TRUE(DropIndex(*db_, one).ok());
    ASSERT_TRUE(runner_.Run(RandomSpec(), ns_id_, 1 << 30).ok());
    ASSERT_TRUE(db_->Exec(round % 3 == 0 ? "COMMIT" : "ROLLBACK").ok());
    if (round % 3 == 0) {
      ASSERT_EQ(db_->QueryText("PRAGMA integrity_check").value(), "ok");
    }
  }
  EXPECT_GT(indexed, 300);
}

}  // namespace
}  // namespace hypha
