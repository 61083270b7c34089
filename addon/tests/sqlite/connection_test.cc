#include "sqlite/connection.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "sqlite/vfs_test_util.h"
#include "support/databases.h"
#include "support/slow_reads.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

using test::FileOptions;
using test::TempDir;

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Status OpenStatus(ConnectionOptions options) { return Connection::Open(options).status(); }

class ConnectionTest : public ::testing::TestWithParam<Role> {
 protected:
  void SetUp() override { keeper_ = test::OpenFresh(FileOptions(dir_.File())); }
  TempDir dir_;
  std::unique_ptr<Connection> keeper_;
};
std::string RoleName(const ::testing::TestParamInfo<Role>& info) {
  constexpr const char* kNames[] = {"Writer", "Reader", "Inline"};
  return kNames[static_cast<int>(info.param)];
}
INSTANTIATE_TEST_SUITE_P(Roles, ConnectionTest, ::testing::Values(Role::kWriter, Role::kReader, Role::kInline),
                         RoleName);

// Makes a database that stands alone, as a backup does.
void MakeAlone(const std::string& path, const char* text) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  const std::string sql = std::string("CREATE TABLE t(a); INSERT INTO t VALUES('") + text + "')";
  ASSERT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
}

// The second connection of the name has the log of the new file: the first one must not touch that.
TEST(ConnectionReplacedTest, AFileThatIsReplacedWhileItIsOpenedIsOpenedAnew) {
  TempDir dir;
  MakeAlone(dir.File(), "old");
  MakeAlone(dir.File("new.db"), "new");
  ConnectionOptions options = FileOptions(dir.File(), Role::kWriter);
  int looks = 0;
  options.accept = [&](Connection&) {
    if (++looks == 1) std::filesystem::rename(dir.File("new.db"), dir.File());
    return Status::Ok();
  };
  auto db = Connection::Open(options);
  ASSERT_TRUE(db.ok()) << db.status().message();
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(db.value()->QueryText("SELECT a FROM t").value(), "new");
}

TEST(ConnectionReplacedTest, OneThatIsReplacedAgainAndAgainIsBusy) {
  TempDir dir;
  MakeAlone(dir.File(), "old");
  ConnectionOptions options = FileOptions(dir.File(), Role::kWriter);
  options.accept = [&](Connection&) {
    MakeAlone(dir.File("new.db"), "new");
    std::filesystem::rename(dir.File("new.db"), dir.File());
    return Status::Ok();
  };
  EXPECT_EQ(OpenStatus(options).code(), Code::kBusy);
}

TEST_P(ConnectionTest, DefensiveFlagsReadBack) {
  auto db = test::Open(FileOptions(dir_.File(), GetParam()));
  const std::pair<int, int> flags[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                       {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                       {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
                                       {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}};
  for (const auto& [flag, wanted] : flags) {
    int now = -1;
    ASSERT_EQ(sqlite3_db_config(db->handle(), flag, -1, &now), SQLITE_OK);
    EXPECT_EQ(now, wanted) << flag;
  }
  int no_checkpoint = -1;
  sqlite3_db_config(db->handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &no_checkpoint);
  EXPECT_EQ(no_checkpoint, GetParam() == Role::kInline ? 1 : 0);
}

TEST_P(ConnectionTest, PragmasReadBack) {
  auto db = test::Open(FileOptions(dir_.File(), GetParam()));
  const std::pair<const char*, const char*> pragmas[] = {
      {"PRAGMA journal_mode", "wal"},     {"PRAGMA synchronous", "2"},
      {"PRAGMA wal_autocheckpoint", "0"}, {"PRAGMA cell_size_check", "1"},
      {"PRAGMA temp_store", "2"},         {"PRAGMA cache_size", "-8192"},
      {"PRAGMA encoding", "UTF-8"},       {"PRAGMA journal_size_limit", "67108864"}};
  for (const auto& [sql, wanted] : pragmas) EXPECT_EQ(db->QueryText(sql).value(), wanted) << sql;
  EXPECT_EQ(db->QueryText("PRAGMA query_only").value(), GetParam() == Role::kWriter ? "0" : "1");
}

TEST_P(ConnectionTest, LimitsReadBack) {
  ConnectionOptions options = FileOptions(dir_.File(), GetParam());
  options.max_text_bytes = 1 << 20;
  auto db = test::Open(std::move(options));
  const std::pair<int, int> limits[] = {
      {SQLITE_LIMIT_SQL_LENGTH, 100'000},     {SQLITE_LIMIT_EXPR_DEPTH, 200},  {SQLITE_LIMIT_COMPOUND_SELECT, 3},
      {SQLITE_LIMIT_VDBE_OP, 250'000},        {SQLITE_LIMIT_FUNCTION_ARG, 8},  {SQLITE_LIMIT_ATTACHED, 0},
      {SQLITE_LIMIT_VARIABLE_NUMBER, 10'000}, {SQLITE_LIMIT_TRIGGER_DEPTH, 1}, {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256},
      {SQLITE_LIMIT_WORKER_THREADS, 0},       {SQLITE_LIMIT_LENGTH, 2 << 20}};
  for (const auto& [limit, wanted] : limits) EXPECT_EQ(sqlite3_limit(db->handle(), limit, -1), wanted) << limit;
}

TEST_P(ConnectionTest, DurabilityIsThePragma) {
  const std::pair<Durability, int> levels[] = {
      {Durability::kOff, 0}, {Durability::kNormal, 1}, {Durability::kPeriodic, 1}, {Durability::kFull, 2}};
  for (const auto& [durability, level] : levels) {
    ConnectionOptions options = FileOptions(dir_.File(), GetParam());
    options.durability = durability;
    auto db = test::Open(std::move(options));
    EXPECT_EQ(db->QueryInteger("PRAGMA synchronous").value(), level);
    EXPECT_EQ(db->durability(), durability);
  }
}

TEST_P(ConnectionTest, CacheAndJournalLimitAreThePragmas) {
  ConnectionOptions options = FileOptions(dir_.File(), GetParam());
  options.cache_kib = 1234;
  options.journal_size_limit = 5'000'000;
  auto db = test::Open(std::move(options));
  EXPECT_EQ(db->QueryInteger("PRAGMA cache_size").value(), -1234);
  EXPECT_EQ(db->QueryInteger("PRAGMA journal_size_limit").value(), 5'000'000);
}

TEST_P(ConnectionTest, OnlyTheWriterWrites) {
  auto db = test::Open(FileOptions(dir_.File(), GetParam()));
  const Status status = db->Exec("DELETE FROM hypha_entries");
  EXPECT_EQ(status.code(), GetParam() == Role::kWriter ? Code::kOk : Code::kReadOnly);
}

TEST_P(ConnectionTest, RefusesWhatTheStoreNeverDoes) {
  auto db = test::Open(FileOptions(dir_.File(), GetParam()));
  for (const char* sql : {"ATTACH ':memory:' AS other", "CREATE TEMP TABLE t(a)", "PRAGMA writable_schema=ON",
                          "CREATE TRIGGER g AFTER DELETE ON hypha_entries BEGIN SELECT 1; END",
                          "CREATE VIRTUAL TABLE f USING fts5(a)", "SELECT * FROM storage_entries"}) {
    EXPECT_FALSE(db->Exec(sql).ok()) << sql;
  }
}

TEST_P(ConnectionTest, ADeadlineStopsALongStatement) {
  auto db = test::Open(FileOptions(dir_.File(), GetParam()));
  db->SetDeadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  const Status status = db->QueryInteger(test::kEndless).status();
  EXPECT_EQ(status.code(), Code::kTimeout);
  db->ClearDeadline();
  EXPECT_EQ(db->QueryInteger("SELECT 7").value(), 7);
}

TEST(ConnectionDurability, ChangesBetweenTransactions) {
  TempDir dir;
  ConnectionOptions options = FileOptions(dir.File());
  options.durability = Durability::kNormal;
  auto db = test::Open(std::move(options));
  ASSERT_TRUE(db->SetDurability(Durability::kOff).ok());
  EXPECT_EQ(db->QueryInteger("PRAGMA synchronous").value(), 0);
  ASSERT_TRUE(db->SetDurability(Durability::kFull).ok());
  EXPECT_EQ(db->QueryInteger("PRAGMA synchronous").value(), 2);
  EXPECT_EQ(db->durability(), Durability::kFull);
}

TEST(ConnectionOpen, NewFilesBelongToTheirOwnerAlone) {
  TempDir dir;
  auto db = test::OpenFresh(FileOptions(dir.File()));
  for (const char* name : {"a.db", "a.db-wal", "a.db-shm"}) {
    struct stat info {};
    ASSERT_EQ(::stat(dir.File(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600U) << name;
  }
}

TEST(ConnectionOpen, MissingFileWithoutCreateIsNotMade) {
  TempDir dir;
  ConnectionOptions options = FileOptions(dir.File());
  options.create = false;
  EXPECT_EQ(OpenStatus(std::move(options)).code(), Code::kCantOpen);
  EXPECT_FALSE(dir.Has("a.db"));
}

TEST(ConnectionOpen, ADirectoryCannotBeOpened) {
  TempDir dir;
  EXPECT_EQ(OpenStatus(FileOptions(dir.path())).code(), Code::kCantOpen);
}

TEST(ConnectionOpen, ASymbolicLinkIsNotFollowed) {
  TempDir dir;
  test::OpenFresh(FileOptions(dir.File()));
  std::filesystem::create_symlink(dir.File(), dir.File("link.db"));
  EXPECT_EQ(OpenStatus(FileOptions(dir.File("link.db"))).code(), Code::kCantOpen);
}

TEST(ConnectionOpen, OtherFilesAreRefusedUnchanged) {
  TempDir dir;
  const std::string text(5000, 'x');
  std::ofstream(dir.File()) << text;
  const Status status = OpenStatus(FileOptions(dir.File()));
  EXPECT_EQ(status.code(), Code::kNotADatabase);
  EXPECT_NE(status.message().find(dir.File()), std::string::npos);
  EXPECT_EQ(Bytes(dir.File()), text);
}

TEST(ConnectionOpen, Utf16DatabasesAreRefusedUnchanged) {
  TempDir dir;
  ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
  TestDb(dir.File(), kFileVfs).Exec("PRAGMA encoding='UTF-16le'; CREATE TABLE t(a); INSERT INTO t VALUES('x')");
  const std::string before = Bytes(dir.File());
  EXPECT_EQ(OpenStatus(FileOptions(dir.File())).code(), Code::kNotADatabase);
  EXPECT_EQ(Bytes(dir.File()), before);
}

TEST(ConnectionOpen, AFileThatIsNotAcceptedStaysAsItIs) {
  TempDir dir;
  ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
  TestDb(dir.File(), kFileVfs).Exec("CREATE TABLE t(a)");
  const std::string before = Bytes(dir.File());
  ConnectionOptions options = FileOptions(dir.File());
  options.accept = [](Connection&) { return Status(Code::kSchemaTooNew); };
  EXPECT_EQ(OpenStatus(std::move(options)).code(), Code::kSchemaTooNew);
  EXPECT_EQ(Bytes(dir.File()), before);
  EXPECT_FALSE(dir.Has("a.db-wal"));
}

TEST(ConnectionOpen, ReadOnlyReadsAndNeverWrites) {
  TempDir dir;
  auto writer = test::OpenFresh(FileOptions(dir.File()));
  ConnectionOptions options = FileOptions(dir.File(), Role::kReader);
  options.read_only = true;
  auto db = test::Open(std::move(options));
  EXPECT_EQ(db->QueryInteger("SELECT count(*) FROM hypha_entries").value(), 0);
  EXPECT_EQ(db->Exec("DELETE FROM hypha_entries").code(), Code::kReadOnly);
}

TEST(ConnectionOpen, ReaderOfAFileWithoutLogIsToldSo) {
  TempDir dir;
  ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
  TestDb(dir.File(), kFileVfs).Exec("CREATE TABLE t(a)");
  EXPECT_EQ(OpenStatus(FileOptions(dir.File(), Role::kReader)).code(), Code::kWalUnavailable);
}

TEST(ConnectionBusy, LockWaitsEndAtTheirDeadline) {
  TempDir dir;
  auto one = test::OpenFresh(FileOptions(dir.File()));
  auto two = test::Open(FileOptions(dir.File()));
  ASSERT_TRUE(one->Exec("BEGIN IMMEDIATE").ok());
  const auto started = std::chrono::steady_clock::now();
  two->SetLockDeadline(started + std::chrono::milliseconds(60));
  EXPECT_EQ(two->Exec("BEGIN IMMEDIATE").code(), Code::kBusy);
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(60));
  ASSERT_TRUE(one->Exec("COMMIT").ok());
  EXPECT_TRUE(two->Exec("BEGIN IMMEDIATE").ok());
}

}  // namespace
}  // namespace hypha
