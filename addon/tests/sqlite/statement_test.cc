#include "sqlite/statement.h"

#include <gtest/gtest.h>

#include "sqlite/error_map.h"
#include "sqlite/savepoint.h"
#include "sqlite/transaction.h"
#include "support/databases.h"

namespace hypha {
namespace {

class StatementTest : public ::testing::Test {
 protected:
  StatementTest() : db_(test::Open(test::MemoryOptions(NewMemoryName()))) {
    EXPECT_TRUE(db_->Exec("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT) STRICT").ok());
  }
  StatementHandle Prepared(std::string_view sql) { return std::move(Prepare(db_->handle(), sql).value()); }
  std::int64_t Rows() { return db_->QueryInteger("SELECT count(*) FROM t").value(); }

  std::unique_ptr<Connection> db_;
};

TEST_F(StatementTest, ExactlyOneStatementIsPrepared) {
  EXPECT_EQ(Prepare(db_->handle(), "SELECT 1; SELECT 2").status().code(), Code::kInternal);
  EXPECT_EQ(Prepare(db_->handle(), "").status().code(), Code::kInternal);
  EXPECT_EQ(Prepare(db_->handle(), "SELEC 1").status().code(), Code::kInternal);
  EXPECT_TRUE(Prepare(db_->handle(), "SELECT 1").ok());
}

// A table's constructor that is interrupted before it declares its columns.
int InterruptedConnect(sqlite3* db, void* /*aux*/, int /*argc*/, const char* const* /*argv*/, sqlite3_vtab** /*table*/,
                       char** /*message*/) {
  sqlite3_interrupt(db);
  return sqlite3_declare_vtab(db, "CREATE TABLE x(data)");
}

TEST_F(StatementTest, AnInterruptInsideTheConstructorOfATableIsAnInterrupt) {
  sqlite3_module module{};
  module.xConnect = InterruptedConnect;  // and no xCreate: a table that is there without CREATE VIRTUAL TABLE
  ASSERT_EQ(sqlite3_create_module(db_->handle(), "interrupted", &module, nullptr), SQLITE_OK);
  const auto select = Prepared("SELECT 1");
  Cursor under_way(select.get());  // an interrupt holds while a statement runs
  ASSERT_TRUE(under_way.Step());
  const Status status = Prepare(db_->handle(), "SELECT data FROM interrupted").status();
  EXPECT_EQ(status.code(), Code::kTimeout) << status.message();
}

TEST_F(StatementTest, CursorLeavesTheStatementResetOnEveryPath) {
  const auto select = Prepared("SELECT a FROM t WHERE a >= ?1");
  const auto insert = Prepared("INSERT INTO t VALUES(?1, ?2)");
  for (std::int64_t i = 1; i <= 3; ++i) EXPECT_TRUE(Cursor(insert.get()).Bind(1, i).Bind(2, "x").Run("").ok());
  {
    Cursor halfway(select.get());
    EXPECT_TRUE(halfway.Bind(1, std::int64_t{1}).Step());
    EXPECT_NE(sqlite3_stmt_busy(select.get()), 0);
    Cursor moved(std::move(halfway));
    EXPECT_TRUE(moved.Step());
  }
  EXPECT_EQ(sqlite3_stmt_busy(select.get()), 0);
  { EXPECT_EQ(Cursor(insert.get()).Bind(1, std::int64_t{1}).Run("insert").code(), Code::kConstraint); }
  EXPECT_EQ(sqlite3_stmt_busy(insert.get()), 0);
  // No binding is left over: NULL makes a new key.
  EXPECT_TRUE(Cursor(insert.get()).Run("insert").ok());
  EXPECT_EQ(Rows(), 4);
}

TEST_F(StatementTest, AFailedBindSurfacesAtTheStep) {
  const auto select = Prepared("SELECT ?1");
  Cursor cursor(select.get());
  cursor.Bind(2, std::int64_t{1}).Bind(1, std::int64_t{1});
  EXPECT_FALSE(cursor.Step());
  EXPECT_FALSE(cursor.status("bind").ok());
  EXPECT_FALSE(cursor.Step());
}

TEST_F(StatementTest, TextKeepsNulBytesAndTellsEmptyFromNull) {
  const auto select = Prepared("SELECT ?1, ?2, ?3");
  Cursor cursor(select.get());
  const std::string nul("a\0b", 3);
  cursor.Bind(1, std::string_view(nul)).Bind(2, std::string_view()).BindNull(3);
  ASSERT_TRUE(cursor.Step());
  EXPECT_EQ(cursor.Text(0), nul);
  EXPECT_FALSE(cursor.IsNull(1));
  EXPECT_EQ(cursor.Text(1), "");
  EXPECT_TRUE(cursor.IsNull(2));
  EXPECT_EQ(cursor.Text(2), "");
}

TEST_F(StatementTest, TransactionRollsBackUnlessCommitted) {
  {
    auto transaction = Transaction::Begin(*db_);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(1, 'x')").ok());
    EXPECT_EQ(Transaction::Begin(*db_).status().code(), Code::kInternal);
  }
  EXPECT_FALSE(db_->in_transaction());
  EXPECT_EQ(Rows(), 0);
  auto transaction = Transaction::Begin(*db_);
  ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(1, 'x')").ok());
  EXPECT_TRUE(std::move(transaction.value()).Commit().ok());
  EXPECT_EQ(Rows(), 1);
}

TEST_F(StatementTest, SavepointsNestAndUndoOnlyTheirOwn) {
  auto transaction = Transaction::Begin(*db_);
  ASSERT_TRUE(transaction.ok());
  ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(1, 'x')").ok());
  {
    auto outer = Savepoint::Begin(*db_);
    ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(2, 'x')").ok());
    {
      auto inner = Savepoint::Begin(*db_);
      ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(3, 'x')").ok());
    }
    EXPECT_EQ(Rows(), 2);
    {
      auto inner = Savepoint::Begin(*db_);
      ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(4, 'x')").ok());
      EXPECT_TRUE(std::move(inner.value()).Release().ok());
    }
    EXPECT_EQ(Rows(), 3);
  }
  EXPECT_EQ(Rows(), 1);
  EXPECT_TRUE(std::move(transaction.value()).Commit().ok());
  EXPECT_EQ(Rows(), 1);
}

TEST_F(StatementTest, SavepointUndoesAfterAFailedStatement) {
  auto transaction = Transaction::Begin(*db_);
  {
    auto savepoint = Savepoint::Begin(*db_);
    ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(1, 'x')").ok());
    ASSERT_EQ(db_->Exec("INSERT INTO t VALUES(1, 'y')").code(), Code::kConstraint);
  }
  EXPECT_TRUE(db_->in_transaction());
  EXPECT_EQ(Rows(), 0);
}

// As when there is no memory for it.
int DenyRollbacks(void* /*unused*/, int action, const char* what, const char* /*unused*/, const char* /*unused*/,
                  const char* /*unused*/) {
  const bool ends = action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT;
  return ends && std::string_view(what) == "ROLLBACK" ? SQLITE_DENY : SQLITE_OK;
}

TEST_F(StatementTest, ATransactionThatCannotBeRolledBackIsNoneUntilItIs) {
  ASSERT_TRUE(db_->Exec("BEGIN").ok());
  sqlite3_set_authorizer(db_->handle(), &DenyRollbacks, nullptr);
  {
    auto savepoint = Savepoint::Begin(*db_);
    ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(1, 'x')").ok());
  }
  EXPECT_FALSE(db_->in_transaction());
  EXPECT_FALSE(db_->RollBack());
  EXPECT_EQ(sqlite3_get_autocommit(db_->handle()), 0);
  sqlite3_set_authorizer(db_->handle(), nullptr, nullptr);
  EXPECT_TRUE(db_->RollBack());
  EXPECT_EQ(sqlite3_get_autocommit(db_->handle()), 1);
  EXPECT_EQ(Rows(), 0);
  ASSERT_TRUE(db_->Exec("BEGIN").ok());
  EXPECT_TRUE(db_->in_transaction());
}

TEST_F(StatementTest, SavepointOutlivedByNoTransactionDoesNothing) {
  ASSERT_TRUE(db_->Exec("BEGIN").ok());
  {
    auto savepoint = Savepoint::Begin(*db_);
    ASSERT_TRUE(db_->Exec("ROLLBACK").ok());
  }
  EXPECT_FALSE(db_->in_transaction());
}

TEST(ErrorMap, EachPrimaryCodeHasItsMeaning) {
  const std::pair<int, Code> wanted[] = {{SQLITE_OK, Code::kOk},
                                         {SQLITE_ROW, Code::kOk},
                                         {SQLITE_DONE, Code::kOk},
                                         {SQLITE_ERROR, Code::kInternal},
                                         {SQLITE_INTERNAL, Code::kInternal},
                                         {SQLITE_PERM, Code::kCantOpen},
                                         {SQLITE_ABORT, Code::kInternal},
                                         {SQLITE_BUSY, Code::kBusy},
                                         {SQLITE_LOCKED, Code::kBusy},
                                         {SQLITE_NOMEM, Code::kNoMem},
                                         {SQLITE_READONLY, Code::kReadOnly},
                                         {SQLITE_INTERRUPT, Code::kTimeout},
                                         {SQLITE_IOERR, Code::kIo},
                                         {SQLITE_CORRUPT, Code::kCorrupt},
                                         {SQLITE_NOTFOUND, Code::kInternal},
                                         {SQLITE_FULL, Code::kFull},
                                         {SQLITE_CANTOPEN, Code::kCantOpen},
                                         {SQLITE_PROTOCOL, Code::kBusy},
                                         {SQLITE_SCHEMA, Code::kInternal},
                                         {SQLITE_TOOBIG, Code::kTooLarge},
                                         {SQLITE_CONSTRAINT, Code::kConstraint},
                                         {SQLITE_MISMATCH, Code::kInternal},
                                         {SQLITE_MISUSE, Code::kInternal},
                                         {SQLITE_NOLFS, Code::kInternal},
                                         {SQLITE_AUTH, Code::kCantOpen},
                                         {SQLITE_RANGE, Code::kInternal},
                                         {SQLITE_NOTADB, Code::kNotADatabase}};
  for (const auto& [rc, code] : wanted) {
    const Status status = FromSqlite(rc, nullptr, "test");
    EXPECT_EQ(status.code(), code) << rc;
    EXPECT_EQ(status.sqlite_code(), code == Code::kOk ? 0 : rc);
  }
  EXPECT_EQ(FromSqlite(SQLITE_IOERR_NOMEM, nullptr, "").code(), Code::kNoMem);
  EXPECT_EQ(FromSqlite(SQLITE_BUSY_SNAPSHOT, nullptr, "").code(), Code::kBusy);
  EXPECT_EQ(FromSqlite(SQLITE_CONSTRAINT_UNIQUE, nullptr, "").sqlite_code(), SQLITE_CONSTRAINT_UNIQUE);
}

}  // namespace
}  // namespace hypha
