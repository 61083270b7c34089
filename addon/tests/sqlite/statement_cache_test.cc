#include "sqlite/statement_cache.h"

#include <gtest/gtest.h>

#include "support/databases.h"

namespace hypha {
namespace {

class StatementCacheTest : public ::testing::Test {
 protected:
  StatementCacheTest() : db_(test::Open(test::MemoryOptions(NewMemoryName()))) {}
  bool Hits(StatementCache& cache, const char* sql) {
    const auto before = cache.counters().hits;
    EXPECT_TRUE(cache.Take(sql).ok());
    return cache.counters().hits > before;
  }
  std::unique_ptr<Connection> db_;
};

TEST_F(StatementCacheTest, ReturnsTheSameStatement) {
  StatementCache cache(db_->handle(), 4);
  sqlite3_stmt* first = cache.Take("SELECT 1").value().get();
  EXPECT_EQ(cache.Take("SELECT 1").value().get(), first);
  EXPECT_EQ(cache.counters().hits, 1U);
  EXPECT_EQ(cache.counters().misses, 1U);
  EXPECT_EQ(cache.size(), 1U);
}

TEST_F(StatementCacheTest, TheLeastRecentlyUsedGoesFirst) {
  StatementCache cache(db_->handle(), 2);
  EXPECT_FALSE(Hits(cache, "SELECT 1"));
  EXPECT_FALSE(Hits(cache, "SELECT 2"));
  EXPECT_TRUE(Hits(cache, "SELECT 1"));
  EXPECT_FALSE(Hits(cache, "SELECT 3"));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_TRUE(Hits(cache, "SELECT 1"));
  EXPECT_FALSE(Hits(cache, "SELECT 2"));
}

TEST_F(StatementCacheTest, CapacityZeroKeepsNothing) {
  StatementCache cache(db_->handle(), 0);
  EXPECT_FALSE(Hits(cache, "SELECT 1"));
  EXPECT_FALSE(Hits(cache, "SELECT 1"));
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(StatementCacheTest, NestedLeasesOfOneTextAreTwoStatements) {
  StatementCache cache(db_->handle(), 4);
  {
    auto outer = cache.Take("SELECT 1");
    auto inner = cache.Take("SELECT 1");
    EXPECT_NE(outer.value().get(), inner.value().get());
  }
  EXPECT_EQ(cache.size(), 1U);
}

TEST_F(StatementCacheTest, AReturnedStatementIsResetAndUnbound) {
  StatementCache cache(db_->handle(), 4);
  {
    auto lease = cache.Take("SELECT ?1");
    sqlite3_bind_int(lease.value().get(), 1, 5);
    EXPECT_EQ(sqlite3_step(lease.value().get()), SQLITE_ROW);
  }
  auto lease = cache.Take("SELECT ?1");
  EXPECT_EQ(sqlite3_stmt_busy(lease.value().get()), 0);
  EXPECT_EQ(sqlite3_step(lease.value().get()), SQLITE_ROW);
  EXPECT_EQ(sqlite3_column_type(lease.value().get(), 0), SQLITE_NULL);
}

TEST_F(StatementCacheTest, BadTextFailsAndIsNotKept) {
  StatementCache cache(db_->handle(), 4);
  EXPECT_FALSE(cache.Take("nonsense").ok());
  EXPECT_EQ(cache.size(), 0U);
}

TEST_F(StatementCacheTest, ClearFinalizesEverythingNotOnLoan) {
  StatementCache cache(db_->handle(), 4);
  EXPECT_FALSE(Hits(cache, "SELECT 1"));
  auto lease = cache.Take("SELECT 2");
  cache.Clear();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(sqlite3_step(lease.value().get()), SQLITE_ROW);
}

}  // namespace
}  // namespace hypha
