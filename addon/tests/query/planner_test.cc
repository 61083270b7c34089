#include "query/planner.h"

#include <gtest/gtest.h>

#include "query/key_range.h"
#include "support/filters.h"

namespace hypha {
namespace {

using test::And;
using test::Num;
using test::Or;
using test::Str;

FilterNode Leaf(Source source, Operator op, Operand operand) {
  const bool is_field = source == Source::kField;
  return test::Leaf(source, is_field ? std::vector<std::string>{"f"} : std::vector<std::string>(), op,
                    std::move(operand));
}
FilterNode Key(Operator op, Operand operand) { return Leaf(Source::kKey, op, std::move(operand)); }

Plan PlanOf(const FilterNode& filter) {
  PlanRequest request;
  request.unsorted = true;
  return MakePlan(filter, request);
}

TEST(KeyRange, TheEndIsAboveEveryStringWithThePrefix) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff\xff"), std::nullopt);
  EXPECT_EQ(PrefixEnd(""), std::nullopt);
  EXPECT_EQ(PrefixEnd(std::string("a\0", 2)), std::string("a\x01"));
}

TEST(Planner, NoFilterNeedsNoEvaluator) {
  const Plan plan = PlanOf({});
  EXPECT_FALSE(plan.match);
  EXPECT_TRUE(plan.key_order);
  EXPECT_TRUE(plan.texts.empty());
}

TEST(Planner, KeyTermsBecomeRangesOfTheIndex) {
  const Plan equal = PlanOf(Key(Operator::kEq, Str("k")));
  EXPECT_FALSE(equal.match);
  EXPECT_EQ(equal.texts, (std::vector<std::string>{"k"}));
  EXPECT_NE(equal.sql.find("key = ?3"), std::string::npos) << equal.sql;
  const Plan prefix = PlanOf(Key(Operator::kStartsWith, Str("user:")));
  EXPECT_EQ(prefix.texts, (std::vector<std::string>{"user:", "user;"}));
  EXPECT_NE(prefix.sql.find("key >= ?3 AND key < ?4"), std::string::npos) << prefix.sql;
  Operand list{Operand::Tag::kList, false, 0, {}, {Str("a\"b"), Num(5), Str("c")}};
  const Plan in = PlanOf(Key(Operator::kIn, list));
  EXPECT_FALSE(in.match);
  EXPECT_EQ(in.texts, (std::vector<std::string>{"[\"a\\\"b\",\"c\"]"}));
}

TEST(Planner, WhatTheKeyCannotSayIsLeftToTheEvaluator) {
  EXPECT_TRUE(PlanOf(Key(Operator::kEq, Num(5))).match);
  EXPECT_TRUE(PlanOf(Key(Operator::kContains, Str("k"))).match);
  EXPECT_TRUE(PlanOf(Key(Operator::kEq, Str("\xed\xa0\x80"))).match);
  EXPECT_TRUE(PlanOf(Leaf(Source::kField, Operator::kEq, Str("k"))).match);
  Operand nul{Operand::Tag::kList, false, 0, {}, {Str(std::string("\0", 1))}};
  EXPECT_TRUE(PlanOf(Key(Operator::kIn, nul)).match);
  const Plan either = PlanOf(Or({Key(Operator::kEq, Str("a")), Key(Operator::kEq, Str("b"))}));
  EXPECT_TRUE(either.match);
  EXPECT_TRUE(either.texts.empty());
}

TEST(Planner, AConjunctionTakesTheRangeAndLeavesTheRest) {
  const Plan plan =
      PlanOf(And({Leaf(Source::kField, Operator::kEq, Num(1)), And({Key(Operator::kStartsWith, Str("a"))})}));
  EXPECT_TRUE(plan.match);
  EXPECT_EQ(plan.texts.size(), 2U);
  EXPECT_NE(plan.sql.find("hypha_match(?2"), std::string::npos);
}

TEST(Planner, UserTextNeverEntersTheSql) {
  const std::string evil = "'; DROP TABLE hypha_entries; --";
  for (const Operator op : {Operator::kEq, Operator::kStartsWith, Operator::kContains}) {
    EXPECT_EQ(PlanOf(Key(op, Str(evil))).sql.find("DROP"), std::string::npos);
  }
}

TEST(Planner, ManyTermsStayWithinSqlitesLimits) {
  std::vector<FilterNode> many;
  for (int i = 0; i < 1000; ++i) many.push_back(Key(Operator::kStartsWith, Str("a")));
  const Plan plan = PlanOf(And(std::move(many)));
  EXPECT_LE(plan.texts.size(), 65U);
  EXPECT_TRUE(plan.match);
}

TEST(Planner, TheTableIsScannedOnlyWhereMostRowsCount) {
  PlanRequest request;
  request.unsorted = true;
  request.mostly_this_namespace = true;
  const FilterNode filter = Leaf(Source::kField, Operator::kEq, Num(1));
  EXPECT_TRUE(MakePlan(filter, request).table_scan);
  EXPECT_FALSE(MakePlan(filter, request).key_order);
  request.limited = true;
  EXPECT_FALSE(MakePlan(filter, request).table_scan);
  EXPECT_TRUE(MakePlan(filter, request).key_order);
}

TEST(Planner, WithoutAFilterTheTableIsScannedForTheSakeOfASortOnly) {
  PlanRequest request;
  request.mostly_this_namespace = true;
  EXPECT_TRUE(MakePlan(And({}), request).table_scan);
  request.limited = true;
  EXPECT_TRUE(MakePlan(And({}), request).table_scan);
  request.unsorted = true;
  for (const bool limited : {true, false}) {
    request.limited = limited;
    EXPECT_FALSE(MakePlan(And({}), request).table_scan) << limited;
    EXPECT_TRUE(MakePlan(And({}), request).key_order) << limited;
  }
  request.unsorted = false;
  request.count_only = true;
  EXPECT_FALSE(MakePlan(And({}), request).table_scan);
}

}  // namespace
}  // namespace hypha
