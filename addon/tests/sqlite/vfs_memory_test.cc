#include "sqlite/vfs_memory.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "sqlite/vfs_memory_file.h"
#include "sqlite/vfs_memory_shm.h"
#include "sqlite/vfs_shim.h"
#include "vfs_test_util.h"

namespace hypha {
namespace {

class VfsMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
    ASSERT_EQ(RegisterMemoryVfs(), SQLITE_OK);
    ASSERT_EQ(CountMemoryFiles(), 0);
  }
  void TearDown() override { EXPECT_EQ(CountMemoryFiles(), 0); }

  static void CreateTable(TestDb* db) {
    ASSERT_EQ(db->Query("PRAGMA journal_mode=WAL"), "wal");
    ASSERT_EQ(db->Exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v)"), SQLITE_OK);
  }

  const std::string name_ = NewMemoryName();
};

TEST_F(VfsMemoryTest, NamesAreUnique) { EXPECT_NE(NewMemoryName(), NewMemoryName()); }

TEST_F(VfsMemoryTest, NeedsCreateFlagTheFirstTime) {
  TestDb missing(name_, kMemoryVfs, SQLITE_OPEN_READWRITE);
  EXPECT_EQ(missing.open_result(), SQLITE_CANTOPEN);
  TestDb first(name_, kMemoryVfs);
  CreateTable(&first);
  TestDb second(name_, kMemoryVfs, SQLITE_OPEN_READWRITE);
  EXPECT_EQ(second.Query("SELECT count(*) FROM t"), "0");
}

TEST_F(VfsMemoryTest, DataIsGoneWhenAllConnectionsClosed) {
  {
    TestDb writer(name_, kMemoryVfs);
    CreateTable(&writer);
    TestDb reader(name_, kMemoryVfs);
    EXPECT_EQ(reader.Query("SELECT count(*) FROM t"), "0");
    writer.KeepLogOnClose();
    reader.KeepLogOnClose();
    EXPECT_EQ(CountMemoryFiles(), 2);
  }
  EXPECT_EQ(CountMemoryFiles(), 0);
  TestDb again(name_, kMemoryVfs);
  EXPECT_EQ(again.Query("SELECT count(*) FROM sqlite_schema"), "0");
}

TEST_F(VfsMemoryTest, LogOutlivesItsConnectionWhileTheDatabaseIsOpen) {
  TestDb idle(name_, kMemoryVfs);
  {
    TestDb writer(name_, kMemoryVfs);
    CreateTable(&writer);
    ASSERT_EQ(writer.Exec("INSERT INTO t VALUES(1, 'a')"), SQLITE_OK);
    writer.KeepLogOnClose();
  }
  EXPECT_EQ(idle.Query("SELECT v FROM t"), "a");
}

TEST_F(VfsMemoryTest, ReaderKeepsItsSnapshotAndIsNotBlocked) {
  TestDb writer(name_, kMemoryVfs);
  CreateTable(&writer);
  ASSERT_EQ(writer.Exec("INSERT INTO t VALUES(1, 'old')"), SQLITE_OK);
  TestDb reader(name_, kMemoryVfs);
  ASSERT_EQ(reader.Query("BEGIN; SELECT v FROM t"), "old");
  ASSERT_EQ(writer.Exec("BEGIN IMMEDIATE; UPDATE t SET v='new'"), SQLITE_OK);
  EXPECT_EQ(reader.Query("SELECT v FROM t"), "old");
  ASSERT_EQ(writer.Exec("COMMIT"), SQLITE_OK);
  EXPECT_EQ(reader.Query("SELECT v FROM t"), "old");
  EXPECT_EQ(reader.Query("COMMIT; SELECT v FROM t"), "new");
}

TEST_F(VfsMemoryTest, SecondWriterIsBusy) {
  TestDb first(name_, kMemoryVfs);
  CreateTable(&first);
  TestDb second(name_, kMemoryVfs);
  ASSERT_EQ(first.Exec("BEGIN IMMEDIATE"), SQLITE_OK);
  EXPECT_EQ(second.Exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
  ASSERT_EQ(first.Exec("COMMIT"), SQLITE_OK);
  EXPECT_EQ(second.Exec("BEGIN IMMEDIATE; COMMIT"), SQLITE_OK);
}

TEST_F(VfsMemoryTest, SnapshotTooOldToWriteIsRefused) {
  TestDb first(name_, kMemoryVfs);
  CreateTable(&first);
  TestDb second(name_, kMemoryVfs);
  ASSERT_EQ(second.Query("BEGIN; SELECT count(*) FROM t"), "0");
  ASSERT_EQ(first.Exec("INSERT INTO t VALUES(1, 1)"), SQLITE_OK);
  EXPECT_EQ(second.Exec("INSERT INTO t VALUES(2, 2)"), SQLITE_BUSY_SNAPSHOT);
}

TEST_F(VfsMemoryTest, CheckpointTruncates) {
  TestDb writer(name_, kMemoryVfs);
  CreateTable(&writer);
  ASSERT_EQ(writer.Exec("INSERT INTO t VALUES(1, randomblob(100000))"), SQLITE_OK);
  TestDb reader(name_, kMemoryVfs);
  ASSERT_EQ(reader.Query("BEGIN; SELECT count(*) FROM t"), "1");
  EXPECT_EQ(writer.Query("INSERT INTO t VALUES(2, 2); PRAGMA wal_checkpoint(TRUNCATE)").substr(0, 1), "1");
  ASSERT_EQ(reader.Exec("COMMIT"), SQLITE_OK);
  EXPECT_EQ(writer.Query("PRAGMA wal_checkpoint(TRUNCATE)"), "0|0|0");
  EXPECT_EQ(reader.Query("SELECT count(*) FROM t"), "2");
  EXPECT_EQ(writer.Query("PRAGMA integrity_check"), "ok");
}

TEST_F(VfsMemoryTest, RollbackModeLocksLikeAFile) {
  TestDb first(name_, kMemoryVfs);
  ASSERT_EQ(first.Exec("CREATE TABLE t(a); INSERT INTO t VALUES(1)"), SQLITE_OK);
  TestDb second(name_, kMemoryVfs);
  ASSERT_EQ(second.Query("BEGIN; SELECT a FROM t"), "1");
  ASSERT_EQ(first.Exec("BEGIN IMMEDIATE; UPDATE t SET a=2"), SQLITE_OK);
  EXPECT_EQ(first.Exec("COMMIT"), SQLITE_BUSY);  // waits as PENDING for the reader
  TestDb third(name_, kMemoryVfs);
  EXPECT_EQ(third.Exec("SELECT a FROM t"), SQLITE_BUSY);
  ASSERT_EQ(second.Exec("COMMIT"), SQLITE_OK);
  EXPECT_EQ(first.Exec("COMMIT"), SQLITE_OK);
  EXPECT_EQ(third.Query("SELECT a FROM t"), "2");
  EXPECT_EQ(first.Exec("BEGIN; UPDATE t SET a=3; ROLLBACK"), SQLITE_OK);
  EXPECT_EQ(third.Query("SELECT a FROM t"), "2");
}

TEST_F(VfsMemoryTest, TemporaryFilesAndVacuumWork) {
  TestDb db(name_, kMemoryVfs);
  CreateTable(&db);
  ASSERT_EQ(db.Exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 2000)"
                    "INSERT INTO t SELECT i, randomblob(500) FROM n; DELETE FROM t WHERE k > 10; VACUUM"),
            SQLITE_OK);
  EXPECT_EQ(db.Query("SELECT count(*) FROM t; PRAGMA integrity_check"), "10|ok");
  const std::string copy = NewMemoryName();
  TestDb keeper(copy, kMemoryVfs);
  ASSERT_EQ(db.Exec("VACUUM INTO '" + copy + "'"), SQLITE_OK);
  EXPECT_EQ(keeper.Query("SELECT count(*) FROM t"), "10");
}

// Each commit adds one to every row, so every snapshot must show one value only, and never an older one.
void ReadUntil(const std::string& name, const std::string& vfs, const std::atomic<bool>* stop, std::atomic<int>* bad) {
  TestDb reader(name, vfs);
  int last = 0;
  for (int reads = 0; reads == 0 || !stop->load(); ++reads) {
    const std::string row = reader.Query("SELECT min(v), max(v) FROM t");
    // A connection that does not wait may be told to come back.
    const int error = row.rfind("error ", 0) == 0 ? std::stoi(row.substr(6)) & 0xff : SQLITE_OK;
    if (vfs == kInlineMemoryVfs && (error == SQLITE_BUSY || error == SQLITE_PROTOCOL)) continue;
    const std::size_t bar = row.find('|');
    const bool consistent = bar != std::string::npos && row.substr(0, bar) == row.substr(bar + 1);
    const int value = consistent ? std::stoi(row) : -1;
    if (value < last) bad->fetch_add(1);
    last = value;
  }
}

TEST_F(VfsMemoryTest, OneWriterAndManyReadersOnThreads) {
  TestDb writer(name_, kMemoryVfs);
  CreateTable(&writer);
  ASSERT_EQ(writer.Exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 200)"
                        "INSERT INTO t SELECT i, 0 FROM n"),
            SQLITE_OK);
  std::atomic<bool> stop{false};
  std::atomic<int> bad{0};
  std::vector<std::thread> readers;
  for (const char* vfs : {kMemoryVfs, kMemoryVfs, kMemoryVfs, kInlineMemoryVfs}) {
    readers.emplace_back(ReadUntil, name_, vfs, &stop, &bad);
  }
  for (int i = 1; i <= 400; ++i) {
    // A reader that meets a half-written header takes the write lock for a moment, on any VFS.
    sqlite3_busy_timeout(writer.get(), 60'000);
    EXPECT_EQ(writer.Exec("UPDATE t SET v=v+1"), SQLITE_OK);
    // The readers never pause: a checkpoint that waited for them could wait forever.
    sqlite3_busy_timeout(writer.get(), 0);
    if (i % 20 == 0) {
      writer.Query(i % 40 == 0 ? "PRAGMA wal_checkpoint(TRUNCATE)" : "PRAGMA wal_checkpoint(PASSIVE)");
    }
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(bad.load(), 0);
  EXPECT_EQ(writer.Query("SELECT min(v), max(v) FROM t; PRAGMA integrity_check"), "400|400|ok");
}

TEST_F(VfsMemoryTest, WritersOnThreadsLoseNothing) {
  TestDb first(name_, kMemoryVfs);
  CreateTable(&first);
  const auto write = [this] {
    TestDb db(name_, kMemoryVfs);
    sqlite3_busy_timeout(db.get(), 60'000);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(db.Exec("INSERT INTO t(v) VALUES(1)"), SQLITE_OK);
  };
  std::thread one(write);
  std::thread two(write);
  one.join();
  two.join();
  EXPECT_EQ(first.Query("SELECT count(*) FROM t; PRAGMA integrity_check"), "200|ok");
}

TEST_F(VfsMemoryTest, OpeningAndClosingOnThreadsLeavesNothing) {
  const auto churn = [this] {
    for (int i = 0; i < 50; ++i) {
      TestDb db(name_, kMemoryVfs);
      sqlite3_busy_timeout(db.get(), 60'000);
      db.Exec("PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS t(a); INSERT INTO t VALUES(1)");
    }
  };
  std::thread one(churn);
  std::thread two(churn);
  one.join();
  two.join();
}

// A writer with savepoints and a reader with snapshots, over one VFS.
class Store {
 public:
  Store(const std::string& path, const std::string& vfs) : path_(path), vfs_(vfs), keeper_(path, vfs) { Reopen(); }

  // Runs one step; what it shows: the code, and the rows if it reads.
  std::string Step(unsigned kind, unsigned key, unsigned size) {
    const std::string k = std::to_string(key);
    switch (kind) {
      case 0: return Write("BEGIN IMMEDIATE");
      case 1: return Write("COMMIT");
      case 2: return key % 4 == 0 ? Write("ROLLBACK") : Write("SAVEPOINT s");
      case 3: return key % 2 == 0 ? Write("ROLLBACK TO s") : Write("RELEASE s");
      case 4: return reader_->Query(key % 2 == 0 ? "BEGIN" : "COMMIT");
      case 5: return reader_->Query("SELECT count(*), total(length(v)) FROM t");
      case 6: return writer_->Query("SELECT hex(substr(v, 1, 8)) FROM t WHERE k=" + k);
      case 7: return Rare(key, size);
      case 8: return Write("DELETE FROM t WHERE k BETWEEN " + k + " AND " + std::to_string(key + size % 20));
      default:
        return Write("INSERT OR REPLACE INTO t VALUES(" + k + ", zeroblob(" + std::to_string(size) + ") || " + k + ")");
    }
  }

  std::string Contents() { return writer_->Query("SELECT k, hex(v) FROM t; PRAGMA integrity_check"); }

 private:
  std::string Write(const std::string& sql) { return std::to_string(writer_->Exec(sql)); }

  std::string Rare(unsigned key, unsigned size) {
    switch (key % 40) {
      case 0: return writer_->Query("PRAGMA wal_checkpoint(TRUNCATE)");
      case 1: return writer_->Query("PRAGMA wal_checkpoint(RESTART)");
      case 2: return writer_->Query("PRAGMA wal_checkpoint(PASSIVE)");
      case 3: return size % 4 == 0 ? Write("VACUUM") : "";
      case 4: Reopen(); return "";
      default: return "";
    }
  }

  void Reopen() {
    writer_ = std::make_unique<TestDb>(path_, vfs_);
    reader_ = std::make_unique<TestDb>(path_, vfs_);
    writer_->Exec(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=5;"
        "CREATE TABLE IF NOT EXISTS t(k INTEGER PRIMARY KEY, v)");
  }

  std::string path_;
  std::string vfs_;
  TestDb keeper_;  // the database lives as long as one connection
  std::unique_ptr<TestDb> writer_;
  std::unique_ptr<TestDb> reader_;
};

TEST_F(VfsMemoryTest, TenThousandRandomOperationsAsOnAFile) {
  TestDirectory directory;
  Store memory(name_, kMemoryVfs);
  Store file(directory.File("a.db"), kFileVfs);
  std::mt19937 random(20260801);
  for (int i = 0; i < 10'000; ++i) {
    const unsigned kind = random() % 16;
    const unsigned key = static_cast<unsigned>(random()) % 500;
    const unsigned size = static_cast<unsigned>(random()) % (random() % 20 == 0 ? 20'000 : 600);
    ASSERT_EQ(memory.Step(kind, key, size), file.Step(kind, key, size)) << "step " << i << " kind " << kind;
  }
  const std::string contents = memory.Contents();
  EXPECT_EQ(contents, file.Contents());
  EXPECT_GT(contents.size(), 10'000U);
  EXPECT_EQ(contents.substr(contents.size() - 3), "|ok");
}

TEST(MemoryBytesTest, ReadsZerosBeyondTheEndAndInGaps) {
  MemoryBytes bytes;
  bytes.Write("ab", 2, 200'000);
  EXPECT_EQ(bytes.Size(), 200'002U);
  char out[4] = {1, 1, 1, 1};
  EXPECT_EQ(bytes.Read(out, 4, 199'999), 3U);
  EXPECT_EQ(std::string(out, 4), std::string("\0ab\0", 4));
  EXPECT_EQ(bytes.Read(out, 4, 300'000), 0U);
  EXPECT_EQ(std::string(out, 4), std::string(4, '\0'));
}

TEST(MemoryBytesTest, TruncatedBytesDoNotComeBack) {
  MemoryBytes bytes;
  const std::string data(150'000, 'x');
  bytes.Write(data.data(), data.size(), 0);
  bytes.Truncate(70'000);
  bytes.Truncate(100'000);
  EXPECT_EQ(bytes.Size(), 70'000U);
  bytes.Write("y", 1, 140'000);
  std::string out(140'001, '?');
  EXPECT_EQ(bytes.Read(out.data(), out.size(), 0), out.size());
  EXPECT_EQ(out, std::string(70'000, 'x') + std::string(70'000, '\0') + "y");
}

TEST(MemoryFileLockTest, OneWriterManyReaders) {
  MemoryFileLock lock;
  int a = SQLITE_LOCK_NONE;
  int b = SQLITE_LOCK_NONE;
  int c = SQLITE_LOCK_NONE;
  EXPECT_EQ(lock.Lock(&a, SQLITE_LOCK_SHARED), SQLITE_OK);
  EXPECT_EQ(lock.Lock(&b, SQLITE_LOCK_SHARED), SQLITE_OK);
  EXPECT_FALSE(lock.IsReserved());
  EXPECT_EQ(lock.Lock(&a, SQLITE_LOCK_RESERVED), SQLITE_OK);
  EXPECT_TRUE(lock.IsReserved());
  EXPECT_EQ(lock.Lock(&b, SQLITE_LOCK_RESERVED), SQLITE_BUSY);
  EXPECT_EQ(lock.Lock(&c, SQLITE_LOCK_SHARED), SQLITE_OK);
  lock.Unlock(&c, SQLITE_LOCK_NONE);
  EXPECT_EQ(lock.Lock(&a, SQLITE_LOCK_EXCLUSIVE), SQLITE_BUSY);
  EXPECT_EQ(a, SQLITE_LOCK_PENDING);
  EXPECT_EQ(lock.Lock(&c, SQLITE_LOCK_SHARED), SQLITE_BUSY);
  lock.Unlock(&b, SQLITE_LOCK_NONE);
  EXPECT_EQ(lock.Lock(&a, SQLITE_LOCK_EXCLUSIVE), SQLITE_OK);
  lock.Unlock(&a, SQLITE_LOCK_SHARED);
  EXPECT_EQ(lock.Lock(&c, SQLITE_LOCK_SHARED), SQLITE_OK);
  EXPECT_FALSE(lock.IsReserved());
}

constexpr int kTakeShared = SQLITE_SHM_LOCK | SQLITE_SHM_SHARED;
constexpr int kTakeExclusive = SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE;
constexpr int kDropShared = SQLITE_SHM_UNLOCK | SQLITE_SHM_SHARED;
constexpr int kDropExclusive = SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE;

TEST(MemoryShmTest, SharedAndExclusiveSlots) {
  MemoryShm shm;
  MemoryShm::Client a;
  MemoryShm::Client b;
  EXPECT_EQ(shm.Lock(&a, 3, 1, kTakeShared), SQLITE_OK);
  EXPECT_EQ(shm.Lock(&b, 3, 1, kTakeShared), SQLITE_OK);
  EXPECT_EQ(shm.Lock(&b, 1, 7, kTakeExclusive), SQLITE_BUSY);
  EXPECT_EQ(shm.Lock(&a, 4, 1, kTakeExclusive), SQLITE_OK);  // the refused one took nothing
  EXPECT_EQ(shm.Lock(&b, 4, 1, kTakeShared), SQLITE_BUSY);
  EXPECT_EQ(shm.Lock(&a, 4, 1, kDropExclusive), SQLITE_OK);
  EXPECT_EQ(shm.Lock(&a, 3, 1, kDropShared), SQLITE_OK);
  EXPECT_EQ(shm.Lock(&b, 3, 1, kDropShared), SQLITE_OK);
  EXPECT_EQ(shm.Lock(&b, 1, 7, kTakeExclusive), SQLITE_OK);
  EXPECT_EQ(shm.Lock(&a, 7, 1, kTakeShared), SQLITE_BUSY);
}

TEST(MemoryShmTest, MemoryLivesUntilTheLastClientDetaches) {
  MemoryShm shm;
  MemoryShm::Client a;
  MemoryShm::Client b;
  EXPECT_EQ(shm.Map(&a, 0, 32 * 1024, false), nullptr);
  auto* words = static_cast<volatile int*>(shm.Map(&a, 1, 32 * 1024, true));
  ASSERT_NE(words, nullptr);
  words[0] = 7;
  EXPECT_EQ(shm.Map(&b, 1, 32 * 1024, false), words);
  EXPECT_EQ(shm.Lock(&a, 0, 1, kTakeExclusive), SQLITE_OK);
  shm.Detach(&a);
  EXPECT_EQ(shm.Lock(&b, 0, 1, kTakeExclusive), SQLITE_OK);
  EXPECT_EQ(words[0], 7);
  shm.Detach(&b);
  EXPECT_EQ(shm.Map(&a, 1, 32 * 1024, false), nullptr);
}

}  // namespace
}  // namespace hypha
