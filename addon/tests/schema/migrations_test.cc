#include "schema/migrations.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "schema/kernel_file.h"
#include "support/databases.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

using test::FileOptions;
using test::KernelContent;
using test::MakeKernelFile;
using test::ReadKernelFile;
using test::TempDir;

class MigrationsTest : public ::testing::Test {
 protected:
  Status MigrateTo(int target, bool keep_old = false) {
    auto db = test::Open(FileOptions(path_));
    return Migrate(*db, {target, keep_old, path_}, Hooks());
  }
  std::string Query(const std::string& sql) { return TestDb(path_, kFileVfs).Query(sql); }
  void Exec(const std::string& sql) { ASSERT_EQ(TestDb(path_, kFileVfs).Exec(sql), SQLITE_OK) << sql; }
  int Version() { return SchemaVersion(*test::Open(FileOptions(path_))).value(); }
  Status Verify() { return VerifySchema(*test::Open(FileOptions(path_))); }

  TempDir dir_;
  std::string path_ = dir_.File("storage.db");
};

TEST_F(MigrationsTest, AFreshFileGetsTheLatestSchema) {
  ASSERT_TRUE(MigrateTo(kLatestSchema, true).ok());
  EXPECT_EQ(Version(), kLatestSchema);
  EXPECT_TRUE(Verify().ok());
  EXPECT_EQ(Query("SELECT group_concat(version) FROM schema_version"), "1,2");
  EXPECT_EQ(Query("PRAGMA user_version"), "2");
  EXPECT_EQ(Query("PRAGMA application_id"), std::to_string(kApplicationId));
  EXPECT_EQ(Query("SELECT count(*) FROM storage_entries"), "0");
  EXPECT_FALSE(dir_.Has("storage.db.v1"));
}

TEST_F(MigrationsTest, StepOneIsWhatTheKernelHas) {
  ASSERT_TRUE(MigrateTo(1).ok());
  EXPECT_EQ(Version(), 1);
  EXPECT_EQ(Query("PRAGMA application_id"), "0");
  EXPECT_EQ(Query("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'hypha%' OR name = 'quarantine'"), "0");
}

TEST_F(MigrationsTest, TargetsThatDoNotExistAreRefused) {
  ASSERT_TRUE(MigrateTo(2).ok());
  for (const int target : {-1, 0, kLatestSchema + 1}) EXPECT_EQ(MigrateTo(target).code(), Code::kInvalidArgument);
  EXPECT_EQ(Version(), 2);
}

TEST_F(MigrationsTest, UpLosesNothing) {
  MakeKernelFile(path_);
  ASSERT_TRUE(MigrateTo(2).ok());
  EXPECT_TRUE(Verify().ok());
  EXPECT_EQ(Query("SELECT count(*) FROM hypha_entries"), std::to_string(test::kGoodRows));
  EXPECT_EQ(Query("SELECT count(*), count(DISTINCT version), min(version), max(version) FROM hypha_entries"),
            "1000|1000|1|1000");
  EXPECT_EQ(Query("SELECT value FROM hypha_meta WHERE name = 'version_mark'"), "1000");
  EXPECT_EQ(Query("SELECT namespace, key, value, metadata, created_at, updated_at FROM storage_entries WHERE id = 10"),
            "implicit|key5|{\"i\":5}|{\"m\":1}|1005|2005");
  EXPECT_EQ(Query("SELECT length(value) FROM storage_entries WHERE key = 'big'"), "1048578");
  EXPECT_EQ(Query("SELECT name, explicit FROM hypha_namespaces ORDER BY name"), "default|1|empty|1|implicit|0|users|1");
  EXPECT_EQ(Query("SELECT * FROM mine"), "1|kept");
  EXPECT_EQ(Query("PRAGMA integrity_check"), "ok");
}

TEST_F(MigrationsTest, QuarantineHoldsExactlyWhatCannotBeRepresented) {
  MakeKernelFile(path_);
  ASSERT_TRUE(MigrateTo(2).ok());
  EXPECT_EQ(Query("SELECT count(*), min(id), max(id) FROM quarantine WHERE source = 'storage_entries'"),
            "11|5000|5010");
  EXPECT_EQ(Query("SELECT count(*) FROM quarantine WHERE source = 'storage_namespaces'"),
            std::to_string(test::kBadNamespaces));
  EXPECT_EQ(Query("SELECT reason FROM quarantine WHERE source = 'storage_entries' ORDER BY id"),
            "the name is blank|the name is blank|the name is blank|the value is not JSON|the value is not JSON|"
            "the name is not text|the name is too long|the name is not UTF-8|the value is not JSON|"
            "the metadata is not an object|a time is not an integer");
  EXPECT_EQ(Query("SELECT typeof(key), quote(value), quote(created_at) FROM quarantine WHERE id IN (5004, 5005, 5010) "
                  "ORDER BY id"),
            "text|X'0102'|1|blob|'1'|1|text|'1'|'yesterday'");
}

TEST_F(MigrationsTest, TheOldFileIsKeptAndEqual) {
  const KernelContent before = MakeKernelFile(path_);
  ASSERT_TRUE(MigrateTo(2, true).ok());
  ASSERT_TRUE(dir_.Has("storage.db.v1"));
  EXPECT_FALSE(dir_.Has("storage.db.v1-wal"));
  EXPECT_TRUE(ReadKernelFile(path_ + ".v1") == before);
  // A second time the first copy is not touched.
  ASSERT_TRUE(MigrateTo(1).ok());
  Exec("UPDATE storage_entries SET value = '0' WHERE id = 2");
  ASSERT_TRUE(MigrateTo(2, true).ok());
  EXPECT_TRUE(ReadKernelFile(path_ + ".v1") == before);
  EXPECT_TRUE(dir_.Has("storage.db.v1.2"));
}

TEST_F(MigrationsTest, NoCopyIsKeptOfAFileWithoutRows) {
  Exec(std::string(SchemaFiles()[0].up));
  ASSERT_TRUE(MigrateTo(2, true).ok());
  EXPECT_FALSE(dir_.Has("storage.db.v1"));
}

TEST_F(MigrationsTest, ACopyThatCannotBeKeptLeavesVersionOne) {
  const KernelContent before = MakeKernelFile(path_);
  auto db = test::Open(FileOptions(path_));
  const Status status = Migrate(*db, {2, true, dir_.File("missing/folder/storage.db")}, Hooks());
  EXPECT_FALSE(status.ok());
  db.reset();
  EXPECT_TRUE(ReadKernelFile(path_) == before);
}

TEST_F(MigrationsTest, DownGivesTheSameRowsBack) {
  const KernelContent before = MakeKernelFile(path_);
  ASSERT_TRUE(MigrateTo(2).ok());
  ASSERT_TRUE(MigrateTo(1).ok());
  EXPECT_EQ(Version(), 1);
  const KernelContent after = ReadKernelFile(path_);
  EXPECT_EQ(after.schema, before.schema);
  EXPECT_EQ(after.namespaces, before.namespaces);
  EXPECT_EQ(after.mine, before.mine);
  EXPECT_TRUE(after.rows == before.rows);
  EXPECT_EQ(Query("SELECT count(*) FROM sqlite_schema WHERE name LIKE 'hypha%' OR name = 'quarantine'"), "0");
  EXPECT_EQ(Query("PRAGMA user_version") + Query("PRAGMA application_id"), "00");
  EXPECT_EQ(Query("PRAGMA integrity_check"), "ok");
}

TEST_F(MigrationsTest, CyclesChangeNothing) {
  const KernelContent before = MakeKernelFile(path_);
  std::string quarantine;
  for (int cycle = 0; cycle < 3; ++cycle) {
    ASSERT_TRUE(MigrateTo(2).ok());
    EXPECT_TRUE(Verify().ok());
    const std::string now = Query(
        "SELECT source, quote(id), quote(namespace), quote(key), reason FROM quarantine ORDER BY source, id, "
        "created_at");
    if (cycle == 0) quarantine = now;
    EXPECT_EQ(now, quarantine) << cycle;
    ASSERT_TRUE(MigrateTo(1).ok());
    EXPECT_TRUE(ReadKernelFile(path_) == before) << cycle;
  }
}

TEST_F(MigrationsTest, AQuarantinedRowWhosePlaceWasTakenStaysInQuarantine) {
  MakeKernelFile(path_);
  ASSERT_TRUE(MigrateTo(2).ok());
  Exec("INSERT INTO hypha_namespaces(name, explicit, created_at) VALUES('bad', 0, 1)");
  Exec(
      "INSERT INTO hypha_entries(id, ns_id, version, created_at, updated_at, key, value) "
      "SELECT 5008, id, 2000, 9, 9, 'broken', '\"new\"' FROM hypha_namespaces WHERE name = 'bad'");
  ASSERT_TRUE(MigrateTo(1).ok());
  EXPECT_EQ(Query("SELECT value FROM storage_entries WHERE key = 'broken'"), "\"new\"");
  EXPECT_EQ(Query("SELECT id, key, value FROM quarantine WHERE source = 'storage_entries'"), "5003|broken|{\"a\":");
  // The one whose number alone was taken is back under another.
  EXPECT_EQ(Query("SELECT id = 5008, quote(CAST(value AS BLOB)) FROM storage_entries WHERE key = 'invalid value'"),
            "0|X'22FF22'");
  EXPECT_EQ(Query("SELECT count(*) FROM storage_entries"), std::to_string(test::kGoodRows + test::kBadRows));
  ASSERT_TRUE(MigrateTo(2).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM quarantine WHERE source = 'storage_entries'"), std::to_string(test::kBadRows));
}

TEST_F(MigrationsTest, ThreadsThatRaceRunTheStepOnce) {
  MakeKernelFile(path_);
  std::atomic<int> steps{0};
  Hooks hooks;
  hooks.reached = [&](const char* point) { steps += std::string(point) == "migration-step" ? 1 : 0; };
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      auto db = Connection::Open(FileOptions(path_));
      if (db.ok() && Migrate(*db.value(), {2, true, path_}, hooks).ok()) ++good;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 6);
  EXPECT_EQ(steps, 1);
  EXPECT_TRUE(Verify().ok());
  EXPECT_TRUE(dir_.Has("storage.db.v1"));
  EXPECT_FALSE(dir_.Has("storage.db.v1.2"));
}

TEST_F(MigrationsTest, ThreadsThatMeetAtANewFileAllGetIn) {
  for (int round = 0; round < 10; ++round) {
    const std::string path = dir_.File("new" + std::to_string(round) + ".db");
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        auto db = Connection::Open(FileOptions(path));
        EXPECT_TRUE(db.ok()) << db.status().message();
        if (!db.ok()) return;
        const Status status = Migrate(*db.value(), {}, Hooks());
        EXPECT_TRUE(status.ok()) << status.message();
        if (status.ok()) ++good;
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(good, 4);
  }
}

TEST_F(MigrationsTest, NewerVersionsAreRefused) {
  ASSERT_TRUE(MigrateTo(2).ok());
  Exec("INSERT INTO schema_version(version, applied_at, checksum) VALUES(3, 1, 'x')");
  EXPECT_EQ(SchemaVersion(*test::Open(FileOptions(path_))).status().code(), Code::kSchemaTooNew);
  EXPECT_EQ(MigrateTo(1).code(), Code::kSchemaTooNew);
  EXPECT_EQ(MigrateTo(2).code(), Code::kSchemaTooNew);
}

TEST_F(MigrationsTest, AnotherApplicationsFileIsRefused) {
  Exec("CREATE TABLE t(a); PRAGMA application_id = 77");
  EXPECT_EQ(MigrateTo(2).code(), Code::kNotADatabase);
  EXPECT_EQ(Query("SELECT count(*) FROM sqlite_schema"), "1");
}

TEST_F(MigrationsTest, AForeignVersionTableIsRefused) {
  Exec("CREATE TABLE schema_version(name TEXT)");
  EXPECT_EQ(MigrateTo(2).code(), Code::kNotADatabase);
}

TEST_F(MigrationsTest, ChangedTablesAreRefused) {
  ASSERT_TRUE(MigrateTo(2).ok());
  const char* changes[] = {"ALTER TABLE hypha_entries ADD COLUMN extra TEXT",
                           "DROP INDEX hypha_entries_key",
                           "CREATE INDEX hypha_entries_extra ON hypha_entries(version)",
                           "CREATE TRIGGER hypha_ix_g AFTER DELETE ON hypha_entries BEGIN SELECT 1; END",
                           "CREATE INDEX hyphaXixY ON hypha_entries(version)",
                           "DROP TABLE hypha_indexes",
                           "UPDATE schema_version SET checksum = '0' WHERE version = 2"};
  for (const char* change : changes) {
    SCOPED_TRACE(change);
    const std::string copy = dir_.File("changed.db");
    { TestDb(path_, kFileVfs).Exec("PRAGMA wal_checkpoint(TRUNCATE)"); }
    std::ofstream(copy, std::ios::binary) << std::ifstream(path_, std::ios::binary).rdbuf();
    ASSERT_EQ(TestDb(copy, kFileVfs).Exec(change), SQLITE_OK);
    auto db = test::Open(FileOptions(copy));
    EXPECT_EQ(VerifySchema(*db).code(), Code::kSchemaChanged);
    EXPECT_EQ(Migrate(*db, {1, false, copy}, Hooks()).code(), Code::kSchemaChanged);
  }
}

TEST_F(MigrationsTest, IndexesOfUsersAreNoChange) {
  ASSERT_TRUE(MigrateTo(2).ok());
  Exec("CREATE INDEX hypha_ix_1 ON hypha_entries(ns_id, version)");
  EXPECT_TRUE(Verify().ok());
}

// Kills a child at the step, after its statements ran but before the commit.
TEST_F(MigrationsTest, DeathInTheMiddleLeavesVersionOne) {
  const KernelContent before = MakeKernelFile(path_);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Hooks hooks;
    hooks.now_ms = []() -> std::int64_t { return ::raise(SIGKILL); };  // asked for when the step is recorded
    auto db = Connection::Open(FileOptions(path_));
    if (db.ok()) static_cast<void>(Migrate(*db.value(), {2, false, path_}, hooks));
    ::_exit(1);
  }
  int state = 0;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  ASSERT_TRUE(WIFSIGNALED(state));
  EXPECT_EQ(Version(), 1);
  EXPECT_TRUE(ReadKernelFile(path_) == before);
  EXPECT_TRUE(MigrateTo(2).ok());
}

}  // namespace
}  // namespace hypha
