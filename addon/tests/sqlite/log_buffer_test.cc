// Log frames gathered for one write: when they reach the file, and what a write that fails may not hide.
#include "sqlite/log_buffer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sqlite/vfs_shim.h"
#include "string_file.h"
#include "vfs_test_util.h"

namespace hypha {
namespace {

constexpr int kLogHeader = 32;
constexpr int kHeader = 24;
constexpr int kPage = 512;
constexpr int kFrame = kHeader + kPage;
constexpr int kCapacity = 127 << 10;

using Writes = std::vector<std::pair<sqlite3_int64, int>>;

class LogBufferTest : public testing::Test {
 protected:
  LogBufferTest() { buffer_.BeginTransaction(); }

  static std::string Header(bool commit) {
    std::string header(kHeader, 'h');
    header.replace(4, 4, std::string(4, '\0'));
    if (commit) header[7] = 9;
    return header;
  }
  int Write(const std::string& data, sqlite3_int64 offset) {
    return buffer_.Write(data.data(), static_cast<int>(data.size()), offset);
  }
  static constexpr sqlite3_int64 At(int index) { return kLogHeader + sqlite3_int64{index} * kFrame; }
  int WriteFrame(int index, char fill, bool commit = false) {
    const sqlite3_int64 offset = At(index);
    const int rc = Write(Header(commit), offset);
    return rc == SQLITE_OK ? Write(std::string(kPage, fill), offset + kHeader) : rc;
  }
  std::pair<int, std::string> ReadPage(int index) {
    std::string page(kPage, '?');
    const int rc = buffer_.Read(page.data(), kPage, At(index) + kHeader);
    return {rc, page};
  }

  StringFile file_;
  LogBuffer buffer_{&file_.handle};
};

TEST_F(LogBufferTest, ATransactionIsOneWriteThatEndsWithItsCommitFrame) {
  ASSERT_EQ(WriteFrame(0, 'a'), SQLITE_OK);
  ASSERT_EQ(WriteFrame(1, 'b'), SQLITE_OK);
  EXPECT_EQ(file_.writes, Writes{});
  ASSERT_EQ(Write(Header(true), At(2)), SQLITE_OK);
  EXPECT_EQ(file_.writes, Writes{});
  ASSERT_EQ(Write(std::string(kPage, 'c'), At(2) + kHeader), SQLITE_OK);
  EXPECT_EQ(file_.writes, (Writes{{At(0), 3 * kFrame}}));
  const std::string expected = Header(false) + std::string(kPage, 'a') + Header(false) + std::string(kPage, 'b') +
                               Header(true) + std::string(kPage, 'c');
  EXPECT_EQ(file_.bytes.substr(kLogHeader), expected);
}

TEST_F(LogBufferTest, EveryByteOfTheCommitMarkCounts) {
  for (int at = 4; at < 8; ++at) {
    std::string header = Header(false);
    header[static_cast<std::size_t>(at)] = 1;
    const sqlite3_int64 offset = At(at);
    ASSERT_EQ(Write(header, offset), SQLITE_OK);
    ASSERT_EQ(Write(std::string(kPage, 'x'), offset + kHeader), SQLITE_OK);
    EXPECT_EQ(file_.writes.back(), (std::pair<sqlite3_int64, int>{offset, kFrame})) << at;
  }
}

TEST_F(LogBufferTest, OutsideATransactionNothingIsGathered) {
  buffer_.EndTransaction();
  ASSERT_EQ(WriteFrame(0, 'a'), SQLITE_OK);
  EXPECT_EQ(file_.writes, (Writes{{At(0), kHeader}, {At(0) + kHeader, kPage}}));
}

TEST_F(LogBufferTest, ReadsSeeWhatIsGatheredAndLeaveTheRest) {
  ASSERT_EQ(WriteFrame(0, 'a', true), SQLITE_OK);
  ASSERT_EQ(WriteFrame(1, 'b'), SQLITE_OK);
  EXPECT_EQ(ReadPage(0), std::pair(SQLITE_OK, std::string(kPage, 'a')));
  EXPECT_EQ(file_.writes.size(), 1U) << "nothing that was read is in the buffer";
  EXPECT_EQ(ReadPage(1), std::pair(SQLITE_OK, std::string(kPage, 'b')));
  EXPECT_EQ(file_.writes, (Writes{{At(0), kFrame}, {At(1), kFrame}}));
}

// A run of frames as long as the buffer, one byte of page less, one more.
TEST_F(LogBufferTest, ABufferThatIsFullIsWritten) {
  constexpr int kWhole = kCapacity / kFrame;
  constexpr int kRest = kCapacity - kWhole * kFrame;
  static_assert(kRest > kHeader + 1);
  for (const int more : {-1, 0, 1}) {
    StringFile file;
    LogBuffer buffer(&file.handle);
    buffer.BeginTransaction();
    std::string expected;
    const auto write = [&](const std::string& data) {
      ASSERT_EQ(buffer.Write(data.data(), static_cast<int>(data.size()),
                             kLogHeader + static_cast<sqlite3_int64>(expected.size())),
                SQLITE_OK);
      expected += data;
    };
    for (int i = 0; i < kWhole; ++i) {
      write(Header(false));
      write(std::string(kPage, static_cast<char>('a' + i % 20)));
    }
    write(Header(false));
    write(std::string(static_cast<std::size_t>(kRest - kHeader + more), 'z'));
    EXPECT_EQ(file.writes.size(), more <= 0 ? 0U : 1U) << more;
    ASSERT_EQ(buffer.Flush(), SQLITE_OK);
    EXPECT_EQ(file.bytes.substr(kLogHeader), expected) << more;
  }
}

TEST_F(LogBufferTest, APageLargerThanTheBufferIsWrittenThrough) {
  ASSERT_EQ(Write(Header(true), At(0)), SQLITE_OK);
  ASSERT_EQ(Write(std::string(kCapacity + 1, 'x'), At(0) + kHeader), SQLITE_OK);
  EXPECT_EQ(file_.writes, (Writes{{At(0), kHeader}, {At(0) + kHeader, kCapacity + 1}}));
}

// What a commit does to a transaction that wrote pages early: the headers once more, alone, after the commit frame.
TEST_F(LogBufferTest, WhatIsWrittenAgainIsWrittenThrough) {
  ASSERT_EQ(WriteFrame(0, 'a'), SQLITE_OK);
  ASSERT_EQ(Write(std::string(kPage, 'b'), At(0) + kHeader), SQLITE_OK);
  EXPECT_EQ(file_.writes, (Writes{{At(0), kFrame}, {At(0) + kHeader, kPage}}));
  ASSERT_EQ(WriteFrame(1, 'c', true), SQLITE_OK);
  file_.writes.clear();
  ASSERT_EQ(Write(Header(false), At(0)), SQLITE_OK);
  ASSERT_EQ(Write(Header(true), At(1)), SQLITE_OK);
  EXPECT_EQ(file_.writes, (Writes{{At(0), kHeader}, {At(1), kHeader}}));
}

// After ROLLBACK TO, frames are written again over what is gathered.
TEST_F(LogBufferTest, FramesFromEarlierOnFollowThoseTheyReplace) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(WriteFrame(i, 'a'), SQLITE_OK);
  ASSERT_EQ(WriteFrame(1, 'b', true), SQLITE_OK);
  EXPECT_EQ(ReadPage(0).second, std::string(kPage, 'a'));
  EXPECT_EQ(ReadPage(1).second, std::string(kPage, 'b'));
  EXPECT_EQ(file_.writes.front(), (std::pair<sqlite3_int64, int>{At(0), 3 * kFrame}));
}

TEST_F(LogBufferTest, AfterAGapTheRunBeforeItIsWrittenFirst) {
  ASSERT_EQ(WriteFrame(0, 'a'), SQLITE_OK);
  ASSERT_EQ(WriteFrame(2, 'c', true), SQLITE_OK);
  EXPECT_EQ(file_.writes, (Writes{{At(0), kFrame}, {At(2), kFrame}}));
}

// Its place is the next writer's, in whatever process.
TEST_F(LogBufferTest, ATransactionThatEndsWithoutACommitLeavesNothingToWrite) {
  ASSERT_EQ(WriteFrame(0, 'a'), SQLITE_OK);
  buffer_.EndTransaction();
  ASSERT_EQ(buffer_.Flush(), SQLITE_OK);
  EXPECT_EQ(file_.writes, Writes{});
  buffer_.BeginTransaction();
  ASSERT_EQ(WriteFrame(0, 'b', true), SQLITE_OK);
  EXPECT_EQ(file_.writes, (Writes{{At(0), kFrame}}));
  EXPECT_EQ(ReadPage(0).second, std::string(kPage, 'b'));
}

TEST_F(LogBufferTest, AWriteThatFailsFailsTheCommitFrame) {
  ASSERT_EQ(WriteFrame(0, 'a'), SQLITE_OK);
  file_.fail_with = SQLITE_FULL;
  EXPECT_EQ(WriteFrame(1, 'b', true), SQLITE_FULL);
}

// SQLite was told that frame 1 is written. Its loss shows at a read, and at everything after it in the transaction.
TEST_F(LogBufferTest, WhatWasLostFailsTheRestOfTheTransaction) {
  ASSERT_EQ(WriteFrame(0, 'a', true), SQLITE_OK);
  ASSERT_EQ(WriteFrame(1, 'b'), SQLITE_OK);
  file_.fail_with = SQLITE_IOERR_WRITE;
  EXPECT_EQ(ReadPage(1).first, SQLITE_IOERR_WRITE);
  file_.fail_with = SQLITE_OK;
  EXPECT_EQ(ReadPage(1).first, SQLITE_IOERR_WRITE);
  EXPECT_EQ(ReadPage(0), std::pair(SQLITE_OK, std::string(kPage, 'a'))) << "a rollback reads what was there before";
  EXPECT_EQ(buffer_.Flush(), SQLITE_IOERR_WRITE);
  EXPECT_EQ(WriteFrame(2, 'c', true), SQLITE_IOERR_WRITE);
  EXPECT_EQ(file_.bytes.size(), std::size_t{At(1)});

  buffer_.EndTransaction();
  buffer_.BeginTransaction();
  EXPECT_EQ(WriteFrame(1, 'd', true), SQLITE_OK);
  EXPECT_EQ(ReadPage(1), std::pair(SQLITE_OK, std::string(kPage, 'd')));
}

// ---- Under SQLite, with a log whose writes can be counted and made to fail

struct LogFaults {
  int writes = 0;
  int fail_at = 0;  // the how-manieth write from now on fails; 0: none
  int code = SQLITE_IOERR_WRITE;
};
LogFaults faults;
const sqlite3_io_methods* real_log_methods = nullptr;
sqlite3_io_methods faulty_log_methods;

int FaultyWrite(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
  ++faults.writes;
  if (faults.fail_at != 0 && --faults.fail_at == 0) return faults.code;
  return real_log_methods->xWrite(file, data, count, offset);
}

int FaultyOpen(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int rc = PlatformVfs()->xOpen(vfs, name, file, flags, out_flags);
  if (rc == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0) {
    real_log_methods = file->pMethods;
    faulty_log_methods = *real_log_methods;
    faulty_log_methods.xWrite = FaultyWrite;
    file->pMethods = &faulty_log_methods;
  }
  return rc;
}

constexpr char kFaultyLogVfs[] = "test-faulty-log";

int RegisterFaultyLog() {
  static const int result = [] {
    static sqlite3_vfs base = *PlatformVfs();
    base.zName = "test-faulty-log-base";
    base.pNext = nullptr;
    base.xOpen = FaultyOpen;
    const int rc = sqlite3_vfs_register(&base, 0);
    return rc != SQLITE_OK ? rc : RegisterShim(kFaultyLogVfs, &base, WaitPolicy::kMayWait);
  }();
  return result;
}

class LogBufferInSqliteTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
    ASSERT_EQ(RegisterFaultyLog(), SQLITE_OK);
    faults = {};
    path_ = directory_.File("a.db");
  }
  static void Fill(TestDb& db, const std::string& pragmas = "PRAGMA synchronous=NORMAL") {
    ASSERT_EQ(db.Query("PRAGMA journal_mode=WAL"), "wal");
    ASSERT_EQ(db.Exec(pragmas + "; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a INTEGER PRIMARY KEY, b)"), SQLITE_OK);
    ASSERT_EQ(db.Exec(Rows(1, 400)), SQLITE_OK);
  }
  static std::string Rows(int from, int to) {
    return "WITH RECURSIVE n(i) AS (SELECT " + std::to_string(from) + " UNION ALL SELECT i + 1 FROM n WHERE i < " +
           std::to_string(to) + ") INSERT INTO t SELECT i, printf('%0500d', i) FROM n";
  }
  static int Primary(int rc) { return rc & 0xff; }

  TestDirectory directory_;
  std::string path_;
};

constexpr char kSmallCache[] = "PRAGMA cache_size=20; PRAGMA synchronous=NORMAL";

TEST_F(LogBufferInSqliteTest, ATransactionOfManyPagesIsOneWrite) {
  TestDb db(path_, kFaultyLogVfs);
  Fill(db);
  faults = {};
  ASSERT_EQ(db.Exec("UPDATE t SET b = printf('%0500d', a + 1) WHERE a <= 200"), SQLITE_OK);
  EXPECT_EQ(faults.writes, 1);
  EXPECT_GT(ReadWalState(db.get())->max_frame, 60U);
}

TEST_F(LogBufferInSqliteTest, ACommitWhoseWriteFailsIsNotSeenAndNotInTheWay) {
  for (const int code : {SQLITE_FULL, SQLITE_IOERR_WRITE}) {
    const std::string path = directory_.File("code" + std::to_string(code));
    TestDb db(path, kFaultyLogVfs);
    Fill(db);
    TestDb other(path, kFileVfs);
    faults = {0, 1, code};
    EXPECT_EQ(db.Exec("UPDATE t SET b = 'new'"), code);
    EXPECT_EQ(other.Query("SELECT count(*) FROM t WHERE b = 'new'"), "0");
    EXPECT_EQ(other.Exec("UPDATE t SET b = 'other' WHERE a = 1"), SQLITE_OK);
    EXPECT_EQ(db.Query("SELECT count(*) FROM t WHERE b = 'new'"), "0");
    EXPECT_EQ(db.Exec("UPDATE t SET b = 'newer' WHERE a <= 100"), SQLITE_OK);
    EXPECT_EQ(other.Query("SELECT count(*) FROM t WHERE b = 'newer'"), "100");
    EXPECT_EQ(other.Query("PRAGMA integrity_check"), "ok");
  }
}

// Every write of a transaction that does not fit the cache fails once. Whatever SQLite was doing then, none of it is
// seen.
TEST_F(LogBufferInSqliteTest, AWriteThatFailsAnywhereInALargeTransactionUndoesAllOfIt) {
  TestDb db(path_, kFaultyLogVfs);
  Fill(db, kSmallCache);
  TestDb other(path_, kFileVfs);
  const std::string transaction =
      "BEGIN; UPDATE t SET b = printf('%0500d', a + 1); UPDATE t SET b = printf('%0500d', a + 2); "
      "SELECT count(DISTINCT b) FROM t; UPDATE t SET b = printf('%0500d', a + 3) WHERE a % 3 = 0; COMMIT";
  int failed = 0;
  for (int at = 1;; ++at) {
    faults = {0, at, at % 2 == 0 ? SQLITE_FULL : SQLITE_IOERR_WRITE};
    const int rc = db.Exec(transaction);
    if (faults.fail_at > 0) {
      EXPECT_EQ(rc, SQLITE_OK);
      break;
    }
    ++failed;
    ASSERT_NE(rc, SQLITE_OK) << at;
    if (sqlite3_get_autocommit(db.get()) == 0) {
      // A full disk leaves the transaction open: it must not be possible to commit it.
      ASSERT_NE(db.Exec("UPDATE t SET b = 'last' WHERE a = 1; COMMIT"), SQLITE_OK) << at;
      if (sqlite3_get_autocommit(db.get()) == 0) {
        ASSERT_EQ(db.Exec("ROLLBACK"), SQLITE_OK) << at;
      }
    }
    ASSERT_EQ(other.Query("SELECT count(*) FROM t WHERE b = printf('%0500d', a)"), "400") << at;
    ASSERT_EQ(db.Query("SELECT count(*) FROM t WHERE b = printf('%0500d', a)"), "400") << at;
    ASSERT_EQ(other.Query("PRAGMA integrity_check"), "ok") << at;
  }
  EXPECT_GT(failed, 3);
  EXPECT_EQ(other.Query("SELECT count(*) FROM t WHERE b <> printf('%0500d', a)"), "400");
  EXPECT_EQ(other.Query("PRAGMA integrity_check"), "ok");
}

TEST_F(LogBufferInSqliteTest, WhatARollbackLeavesIsNeverWrittenOverAnother) {
  TestDb db(path_, kFileVfs);
  Fill(db, kSmallCache);
  TestDb other(path_, kFileVfs);
  for (int round = 1; round <= 20; ++round) {
    ASSERT_EQ(db.Exec("BEGIN; UPDATE t SET b = printf('%0500d', -a) WHERE a <= " + std::to_string(round * 20)),
              SQLITE_OK);
    ASSERT_EQ(db.Exec("ROLLBACK"), SQLITE_OK);
    ASSERT_EQ(other.Exec("UPDATE t SET b = " + std::to_string(round) + " WHERE a % 7 = 0"), SQLITE_OK);
    ASSERT_EQ(db.Query("SELECT count(*) FROM t WHERE b = " + std::to_string(round)), "57");
    ASSERT_EQ(db.Query("SELECT count(*) FROM t WHERE b < 0"), "0");
  }
  db.KeepLogOnClose();
  other.KeepLogOnClose();
  db.Close();
  other.Close();
  TestDb again(path_, kFileVfs);
  EXPECT_EQ(again.Query("SELECT count(*) FROM t WHERE b = 20"), "57");
  EXPECT_EQ(again.Query("PRAGMA integrity_check"), "ok");
}

TEST_F(LogBufferInSqliteTest, PagesWrittenEarlyAreReadBackAndRolledBackToASavepoint) {
  TestDb db(path_, kFileVfs);
  Fill(db, kSmallCache);
  ASSERT_EQ(db.Exec("BEGIN; UPDATE t SET b = printf('%0500d', a + 1); SAVEPOINT s; "
                    "UPDATE t SET b = printf('%0500d', a + 2); " +
                    Rows(401, 900)),
            SQLITE_OK);
  EXPECT_EQ(db.Query("SELECT count(*), sum(b = printf('%0500d', a + 2)) FROM t"), "900|400");
  ASSERT_EQ(db.Exec("ROLLBACK TO s; RELEASE s"), SQLITE_OK);
  EXPECT_EQ(db.Query("SELECT count(*), sum(b = printf('%0500d', a + 1)) FROM t"), "400|400");
  ASSERT_EQ(db.Exec("UPDATE t SET b = printf('%0500d', a + 3) WHERE a > 200; COMMIT"), SQLITE_OK);
  TestDb other(path_, kFileVfs);
  EXPECT_EQ(other.Query("SELECT count(*), sum(b = printf('%0500d', a + iif(a > 200, 3, 1))) FROM t"), "400|400");
  EXPECT_EQ(other.Query("PRAGMA integrity_check"), "ok");
}

}  // namespace
}  // namespace hypha
