#include "sqlite/vfs_shim.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sqlite/vfs_memory.h"
#include "vfs_test_util.h"

namespace hypha {
namespace {

constexpr std::chrono::milliseconds kAtOnce{50};

int Primary(int rc) { return rc & 0xff; }

// Everything the two pairs of VFSes promise alike, on real files and in memory.
struct VfsPair {
  const char* label;
  const char* waiting;
  const char* inline_vfs;
};

class VfsShimTest : public ::testing::TestWithParam<VfsPair> {
 protected:
  void SetUp() override {
    ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
    ASSERT_EQ(RegisterMemoryVfs(), SQLITE_OK);
    path_ = IsMemory() ? NewMemoryName() : directory_.File("a.db");
  }

  static bool IsMemory() { return std::string(GetParam().waiting) == kMemoryVfs; }
  static std::string Waiting() { return GetParam().waiting; }
  static std::string Inline() { return GetParam().inline_vfs; }

  static void FillWal(TestDb* db) {
    ASSERT_EQ(db->Query("PRAGMA journal_mode=WAL"), "wal");
    ASSERT_EQ(db->Exec("CREATE TABLE t(a); INSERT INTO t VALUES(1)"), SQLITE_OK);
  }

  static volatile std::uint32_t* WalIndex(TestDb* db) {
    sqlite3_file* file = nullptr;
    sqlite3_file_control(db->get(), "main", SQLITE_FCNTL_FILE_POINTER, &file);
    volatile void* region = nullptr;
    file->pMethods->xShmMap(file, 0, 32 * 1024, 0, &region);
    return static_cast<volatile std::uint32_t*>(region);
  }

  TestDirectory directory_;
  std::string path_;
};

INSTANTIATE_TEST_SUITE_P(Vfs, VfsShimTest,
                         ::testing::Values(VfsPair{"File", kFileVfs, kInlineVfs},
                                           VfsPair{"Memory", kMemoryVfs, kInlineMemoryVfs}),
                         [](const auto& test) { return std::string(test.param.label); });

TEST_P(VfsShimTest, InlineConnectionReadsEveryCommit) {
  TestDb writer(path_, Waiting());
  FillWal(&writer);
  TestDb reader(path_, Inline());
  for (int i = 2; i < 20; ++i) {
    EXPECT_EQ(writer.Exec("INSERT INTO t VALUES(" + std::to_string(i) + ")"), SQLITE_OK);
    EXPECT_EQ(reader.Query("SELECT max(a) FROM t"), std::to_string(i));
  }
}

TEST_P(VfsShimTest, InlineConnectionReadsDuringWriteTransaction) {
  TestDb writer(path_, Waiting());
  FillWal(&writer);
  TestDb reader(path_, Inline());
  ASSERT_EQ(writer.Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES(2)"), SQLITE_OK);
  EXPECT_EQ(reader.Query("SELECT count(*) FROM t"), "1");
  ASSERT_EQ(writer.Exec("COMMIT"), SQLITE_OK);
  EXPECT_EQ(reader.Query("SELECT count(*) FROM t"), "2");
}

TEST_P(VfsShimTest, InlineConnectionNeverWritesOrCheckpoints) {
  TestDb writer(path_, Waiting());
  FillWal(&writer);
  TestDb reader(path_, Inline());
  ASSERT_EQ(reader.Query("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(reader.Exec("INSERT INTO t VALUES(2)"), SQLITE_BUSY);
  EXPECT_EQ(reader.Exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
  EXPECT_EQ(Primary(sqlite3_wal_checkpoint_v2(reader.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr)),
            SQLITE_BUSY);
  EXPECT_EQ(Primary(sqlite3_wal_checkpoint_v2(reader.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr)),
            SQLITE_BUSY);
  EXPECT_EQ(ReadWalState(writer.get())->backfilled, 0U);
  EXPECT_EQ(reader.Query("SELECT count(*) FROM t"), "1");
}

TEST_P(VfsShimTest, InlineConnectionRefusesToRecoverAnEmptyWalIndex) {
  TestDb keeper(path_, Waiting());  // keeps the memory database, and never looks at the log
  {
    TestDb writer(path_, Waiting());
    FillWal(&writer);
    writer.KeepLogOnClose();
  }
  if (!IsMemory()) {
    ASSERT_TRUE(std::filesystem::remove(path_ + "-shm"));
  }
  TestDb reader(path_, Inline());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Primary(reader.Exec("SELECT count(*) FROM t")), SQLITE_BUSY);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kAtOnce);
  EXPECT_FALSE(ReadWalState(reader.get()).has_value());

  TestDb recoverer(path_, Waiting());
  EXPECT_EQ(recoverer.Query("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(reader.Query("SELECT count(*) FROM t"), "1");
}

TEST_P(VfsShimTest, InlineConnectionRefusesToRecoverADamagedWalIndex) {
  TestDb writer(path_, Waiting());
  FillWal(&writer);
  TestDb reader(path_, Inline());
  ASSERT_EQ(reader.Query("SELECT count(*) FROM t"), "1");
  volatile std::uint32_t* header = WalIndex(&writer);
  header[4] = header[4] + 1;  // one copy differs
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Primary(reader.Exec("SELECT count(*) FROM t")), SQLITE_BUSY);
  header[16] = header[16] + 1;  // both copies agree and the checksum is wrong
  EXPECT_EQ(Primary(reader.Exec("SELECT count(*) FROM t")), SQLITE_BUSY);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kAtOnce);
  EXPECT_FALSE(ReadWalState(reader.get()).has_value());

  EXPECT_EQ(writer.Query("SELECT count(*) FROM t"), "1");  // recovers
  EXPECT_EQ(reader.Query("SELECT count(*) FROM t"), "1");
}

TEST_P(VfsShimTest, InlineConnectionClosedLastLeavesTheLogAlone) {
  TestDb writer(path_, Waiting());
  FillWal(&writer);
  writer.KeepLogOnClose();
  TestDb reader(path_, Inline());
  ASSERT_EQ(reader.Query("SELECT count(*) FROM t"), "1");
  TestDb keeper(path_, Waiting());
  const auto before = ReadWalState(reader.get());
  ASSERT_EQ(writer.Close(), SQLITE_OK);
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(reader.Close(), SQLITE_OK);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kAtOnce);
  if (!IsMemory()) {
    EXPECT_GT(std::filesystem::file_size(path_ + "-wal"), 0U);
    EXPECT_TRUE(std::filesystem::exists(path_ + "-shm"));
  }
  EXPECT_EQ(keeper.Query("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(ReadWalState(keeper.get())->max_frame, before->max_frame);
  EXPECT_EQ(ReadWalState(keeper.get())->backfilled, 0U);
}

TEST_P(VfsShimTest, InlineConnectionRefusesRollbackModeWrites) {
  TestDb db(path_, Inline());
  EXPECT_EQ(Primary(db.Exec("CREATE TABLE t(a)")), SQLITE_BUSY);
  EXPECT_NE(db.Query("PRAGMA journal_mode=WAL"), "wal");
}

TEST_P(VfsShimTest, InlineVfsDoesNotSleep) {
  sqlite3_vfs* vfs = sqlite3_vfs_find(Inline().c_str());
  const auto start = std::chrono::steady_clock::now();
  vfs->xSleep(vfs, 1'000'000);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kAtOnce);
  vfs = sqlite3_vfs_find(Waiting().c_str());
  vfs->xSleep(vfs, 20'000);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
}

TEST_P(VfsShimTest, WalStateFollowsCommitsAndCheckpoints) {
  TestDb writer(path_, Waiting());
  ASSERT_EQ(writer.Exec("PRAGMA page_size=65536"), SQLITE_OK);
  EXPECT_FALSE(ReadWalState(writer.get()).has_value());
  FillWal(&writer);
  const auto first = ReadWalState(writer.get());
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->page_size, 65536U);
  EXPECT_GT(first->max_frame, 0U);
  EXPECT_EQ(first->backfilled, 0U);

  ASSERT_EQ(writer.Exec("INSERT INTO t VALUES(2)"), SQLITE_OK);
  const auto second = ReadWalState(writer.get());
  EXPECT_GT(second->max_frame, first->max_frame);
  EXPECT_NE(second->change_counter, first->change_counter);
  EXPECT_EQ(second->salt[0], first->salt[0]);

  ASSERT_EQ(writer.Exec("PRAGMA wal_checkpoint(PASSIVE)"), SQLITE_OK);
  EXPECT_EQ(ReadWalState(writer.get())->backfilled, second->max_frame);

  ASSERT_EQ(writer.Exec("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t VALUES(3)"), SQLITE_OK);
  const auto third = ReadWalState(writer.get());
  EXPECT_NE(third->salt[0], first->salt[0]);
  EXPECT_EQ(third->backfilled, 0U);
}

TEST_P(VfsShimTest, WalStateIsTheSameOnEveryConnection) {
  TestDb writer(path_, Waiting());
  FillWal(&writer);
  TestDb reader(path_, Inline());
  EXPECT_FALSE(ReadWalState(reader.get()).has_value());
  ASSERT_EQ(reader.Query("SELECT a FROM t"), "1");
  ASSERT_EQ(writer.Exec("INSERT INTO t VALUES(2)"), SQLITE_OK);
  EXPECT_EQ(ReadWalState(reader.get())->change_counter, ReadWalState(writer.get())->change_counter);
}

TEST_P(VfsShimTest, WalStateIsUnknownAfterUnmapAndKnownAfterMap) {
  TestDb writer(path_, Waiting());
  FillWal(&writer);
  ASSERT_EQ(writer.Query("PRAGMA journal_mode=DELETE"), "delete");
  EXPECT_FALSE(ReadWalState(writer.get()).has_value());
  ASSERT_EQ(writer.Query("PRAGMA journal_mode=WAL"), "wal");
  ASSERT_EQ(writer.Exec("INSERT INTO t VALUES(2)"), SQLITE_OK);
  EXPECT_TRUE(ReadWalState(writer.get()).has_value());
}

TEST_P(VfsShimTest, OtherFileControlsPass) {
  TestDb db(path_, Waiting());
  int size = 0;
  EXPECT_EQ(sqlite3_file_control(db.get(), "main", 0x48590000, &size), SQLITE_NOTFOUND);
  char* name = nullptr;
  EXPECT_EQ(sqlite3_file_control(db.get(), "main", SQLITE_FCNTL_VFSNAME, &name), SQLITE_OK);
  EXPECT_STREQ(name, IsMemory() ? kMemoryVfs : PlatformVfs()->zName);
  sqlite3_free(name);
}

TEST_P(VfsShimTest, KeyedDatabaseKeepsItsLogEncrypted) {
  const std::string vfs = kCipherPrefix + Waiting();
  const std::string inline_vfs = kCipherPrefix + Inline();
  TestDb writer(path_, vfs);
  ASSERT_EQ(writer.Query("PRAGMA key='secret'"), "ok");
  FillWal(&writer);
  ASSERT_EQ(writer.Exec("INSERT INTO t VALUES('plain text, plain text')"), SQLITE_OK);
  ASSERT_TRUE(ReadWalState(writer.get()).has_value());
  EXPECT_GT(ReadWalState(writer.get())->max_frame, 0U);

  TestDb reader(path_, inline_vfs);
  ASSERT_EQ(reader.Query("PRAGMA key='secret'"), "ok");
  EXPECT_EQ(reader.Query("SELECT count(*) FROM t"), "2");
  EXPECT_EQ(reader.Exec("INSERT INTO t VALUES(3)"), SQLITE_BUSY);
  EXPECT_FALSE(TakeSyncFailure(writer.get()));
  if (IsMemory()) return;
  TestDb stranger(path_, vfs);
  EXPECT_EQ(stranger.Exec("SELECT count(*) FROM t"), SQLITE_NOTADB);
}

TEST(VfsShimFileTest, CipherLogHoldsNoPlainText) {
  ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
  TestDirectory directory;
  const std::string path = directory.File("a.db");
  {
    TestDb writer(path, std::string(kCipherPrefix) + kFileVfs);
    writer.KeepLogOnClose();
    ASSERT_EQ(writer.Query("PRAGMA key='secret'; PRAGMA journal_mode=WAL"), "ok|wal");
    ASSERT_EQ(writer.Exec("CREATE TABLE t(a); INSERT INTO t VALUES('plain text, plain text')"), SQLITE_OK);
  }
  std::ifstream log(path + "-wal", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(log)), {});
  EXPECT_GT(bytes.size(), 4096U);
  EXPECT_EQ(bytes.find("plain text"), std::string::npos);
}

TEST(VfsShimFileTest, InlineConnectionRefusesToRollBackAHotJournal) {
  ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
  TestDirectory directory;
  const std::string path = directory.File("a.db");
  const std::string crashed = directory.File("crashed.db");
  TestDb writer(path, kFileVfs);
  ASSERT_EQ(writer.Exec("PRAGMA cache_size=1; CREATE TABLE t(a); INSERT INTO t VALUES(1); BEGIN;"
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 1000)"
                        "INSERT INTO t SELECT randomblob(1000) FROM n"),
            SQLITE_OK);
  std::filesystem::copy_file(path + "-journal", crashed + "-journal");
  std::filesystem::copy_file(path, crashed);
  TestDb reader(crashed, kInlineVfs);
  EXPECT_EQ(Primary(reader.Exec("SELECT count(*) FROM t")), SQLITE_BUSY);
  EXPECT_TRUE(std::filesystem::exists(crashed + "-journal"));
  TestDb recoverer(crashed, kFileVfs);
  EXPECT_EQ(recoverer.Query("SELECT count(*) FROM t"), "1");
}

// A base VFS whose log can be told to fail.
class FaultyBase {
 public:
  static inline bool fail_sync = false;
  static inline bool fail_write = false;

  static sqlite3_vfs* Get() {
    static sqlite3_vfs vfs = [] {
      sqlite3_vfs copy = *PlatformVfs();
      copy.xOpen = Open;
      return copy;
    }();
    return &vfs;
  }

 private:
  static int Open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    const int rc = PlatformVfs()->xOpen(PlatformVfs(), name, file, flags, out_flags);
    if (rc != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return rc;
    real = file->pMethods;
    methods = *real;
    methods.xSync = [](sqlite3_file* f, int how) { return fail_sync ? SQLITE_IOERR_FSYNC : real->xSync(f, how); };
    methods.xWrite = [](sqlite3_file* f, const void* data, int count, sqlite3_int64 offset) {
      return fail_write ? SQLITE_IOERR_WRITE : real->xWrite(f, data, count, offset);
    };
    file->pMethods = &methods;
    return rc;
  }

  static inline const sqlite3_io_methods* real = nullptr;
  static inline sqlite3_io_methods methods{};
};

class SyncFailureTest : public ::testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Vfs, SyncFailureTest, ::testing::Values("", kCipherPrefix),
                         [](const auto& test) { return std::string(test.param.empty() ? "Plain" : "Cipher"); });

TEST_P(SyncFailureTest, TellsAFailedSyncFromAFailedWrite) {
  static const int registered = RegisterShim("hypha-faulty", FaultyBase::Get(), WaitPolicy::kMayWait);
  ASSERT_EQ(registered, SQLITE_OK);
  TestDirectory directory;
  TestDb db(directory.File("a.db"), GetParam() + "hypha-faulty");
  ASSERT_EQ(db.open_result(), SQLITE_OK);
  ASSERT_EQ(db.Query("PRAGMA journal_mode=WAL"), "wal");
  ASSERT_EQ(db.Exec("PRAGMA synchronous=FULL; CREATE TABLE t(a)"), SQLITE_OK);
  EXPECT_FALSE(TakeSyncFailure(db.get()));

  FaultyBase::fail_write = true;
  EXPECT_EQ(db.Exec("INSERT INTO t VALUES(1)"), SQLITE_IOERR_WRITE);
  FaultyBase::fail_write = false;
  EXPECT_FALSE(TakeSyncFailure(db.get()));

  FaultyBase::fail_sync = true;
  EXPECT_EQ(db.Exec("INSERT INTO t VALUES(2)"), SQLITE_IOERR_FSYNC);
  FaultyBase::fail_sync = false;
  EXPECT_TRUE(TakeSyncFailure(db.get()));
  EXPECT_FALSE(TakeSyncFailure(db.get()));
}

TEST(VfsShimFileTest, HelpersAnswerNothingOutsideTheShim) {
  TestDb db(":memory:", PlatformVfs()->zName);
  EXPECT_FALSE(ReadWalState(db.get()).has_value());
  EXPECT_FALSE(TakeSyncFailure(db.get()));
}

}  // namespace
}  // namespace hypha
