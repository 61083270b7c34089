#include "ops/wal_service.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "ops/maintenance.h"
#include "sqlite/vfs_shim.h"
#include "support/databases.h"
#include "support/fake_clock.h"
#include "support/fault_vfs.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::TheFaults;

// Over the fault VFS in memory, with a clock of its own.
class WalServiceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(RegisterMemoryVfs(), SQLITE_OK);
    ASSERT_EQ(test::RegisterFaultVfs(), SQLITE_OK);
    clock_.Install(&hooks_);
    TheFaults().Clear();
    ConnectionOptions options = test::MemoryOptions(name_);
    options.vfs = {test::kFaultVfs, test::kFaultVfs};
    db_ = test::OpenFresh(std::move(options));
    watch_ = std::make_unique<LogWatch>(*db_, hooks_);
    ASSERT_TRUE(db_->Exec("CREATE TABLE t(a)").ok());
    Start();
  }
  void TearDown() override { TheFaults().Clear(); }

  void Start() { wal_ = std::make_unique<WalService>(*db_, *watch_, hooks_, options_, "", &gate_); }
  // Commits about `bytes` of new pages.
  void Commit(Durability durability, std::int64_t bytes = 100) {
    ASSERT_TRUE(db_->SetDurability(durability).ok());
    ASSERT_TRUE(db_->Exec(("INSERT INTO t VALUES(zeroblob(" + std::to_string(bytes) + "))").c_str()).ok());
  }
  WalState Log() { return ReadWalState(db_->handle()).value(); }

  std::string name_ = NewMemoryName();
  test::FakeClock clock_;
  Hooks hooks_;
  WalOptions options_;
  ReaderGate gate_{hooks_};
  std::unique_ptr<Connection> db_;
  std::unique_ptr<LogWatch> watch_;
  std::unique_ptr<WalService> wal_;
};

// Where a sync failed before, the disk may hold only a first part of it, to be found after a loss of power.
TEST_F(WalServiceTest, ALogThatWasThereBeforeIsEmptiedDurably) {
  const auto syncs_to_empty = [&] {
    TheFaults().syncs = 0;
    EXPECT_TRUE(wal_->Checkpoint(SQLITE_CHECKPOINT_TRUNCATE).ok());
    return TheFaults().syncs.load();
  };
  Commit(Durability::kFull);
  Start();
  const int of_another = syncs_to_empty();
  Commit(Durability::kFull);
  EXPECT_EQ(of_another, syncs_to_empty() + 1);
}

TEST_F(WalServiceTest, PeriodicCommitsAreSyncedWithinTheInterval) {
  Commit(Durability::kPeriodic);
  const SteadyTime committed = hooks_.steady_now();
  EXPECT_LE(wal_->plan().wake_at, committed + milliseconds(options_.sync_interval_ms));
  TheFaults().syncs = 0;
  clock_.Advance(milliseconds(options_.sync_interval_ms - 500));
  wal_->Tick();
  EXPECT_EQ(TheFaults().syncs, 0);
  Commit(Durability::kPeriodic);  // does not put the sync of the first one off
  clock_.Advance(milliseconds(501));
  EXPECT_LE(wal_->plan().wake_at, hooks_.steady_now());
  wal_->Tick();
  EXPECT_EQ(TheFaults().syncs, 1);
  EXPECT_FALSE(watch_->unsynced());
  EXPECT_FALSE(watch_->periodic_since());
  clock_.Advance(seconds(10));
  wal_->Tick();
  EXPECT_EQ(TheFaults().syncs, 1) << "nothing new to sync";
}

TEST_F(WalServiceTest, OnlyPeriodicCommitsAskForASync) {
  for (const Durability durability : {Durability::kOff, Durability::kNormal}) {
    Commit(durability);
    EXPECT_TRUE(watch_->unsynced());
    EXPECT_FALSE(watch_->periodic_since());
  }
  Commit(Durability::kPeriodic);
  EXPECT_TRUE(watch_->periodic_since());
  Commit(Durability::kFull);
  EXPECT_FALSE(watch_->unsynced()) << "its sync was that of the whole log";
  EXPECT_FALSE(watch_->periodic_since());
}

TEST_F(WalServiceTest, PeriodicSyncsInsideATransactionToo) {
  Commit(Durability::kPeriodic);
  ASSERT_TRUE(db_->Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES(1)").ok());
  TheFaults().syncs = 0;
  clock_.Advance(seconds(2));
  wal_->Tick();
  EXPECT_EQ(TheFaults().syncs, 1);
  EXPECT_TRUE(db_->in_transaction());
  ASSERT_TRUE(db_->Exec("COMMIT").ok());
}

// Else the log would reach it before anything is done about its length.
TEST_F(WalServiceTest, ASmallLimitBringsTheThresholdsDown) {
  options_.limit_bytes = 8 << 20;
  Start();
  Commit(Durability::kNormal, 3 << 20);
  EXPECT_EQ(wal_->plan().need, Checkpointer::Need::kWhenIdle);
  Commit(Durability::kNormal, 1 << 20);
  EXPECT_EQ(wal_->plan().need, Checkpointer::Need::kNow);
}

TEST_F(WalServiceTest, AFailedSyncIsFatal) {
  Commit(Durability::kPeriodic);
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  EXPECT_EQ(wal_->fatal(), Code::kOk);
  clock_.Advance(seconds(2));
  wal_->Tick();
  EXPECT_EQ(wal_->fatal(), Code::kStopped);
}

TEST_F(WalServiceTest, AFailedFlushIsIndeterminate) {
  Commit(Durability::kNormal);
  EXPECT_TRUE(wal_->Flush().ok());
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  EXPECT_EQ(wal_->Flush().code(), Code::kIndeterminate);
  EXPECT_EQ(wal_->fatal(), Code::kStopped);
}

// What is copied rests on a log that may not be on the disk.
TEST_F(WalServiceTest, AFailedSyncOfACheckpointIsFatal) {
  Commit(Durability::kNormal);
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  EXPECT_FALSE(wal_->Checkpoint(SQLITE_CHECKPOINT_PASSIVE).ok());
  EXPECT_EQ(wal_->fatal(), Code::kStopped);
}

// Its own commit, and those before it, may not be on the disk.
TEST_F(WalServiceTest, AFailedSyncOfMaintenanceIsFatal) {
  for (const Maintenance what : {Maintenance::kAnalyze, Maintenance::kVacuum}) {
    Start();
    Commit(Durability::kFull);
    TheFaults().sync_error = SQLITE_IOERR_FSYNC;
    EXPECT_EQ(Maintain(*wal_, hooks_, what).status().code(), Code::kIo);
    EXPECT_EQ(wal_->fatal(), Code::kStopped);
    TheFaults().Clear();
  }
}

TEST_F(WalServiceTest, MaintenanceThatFailsOtherwiseIsNotFatal) {
  Commit(Durability::kFull);
  TheFaults().write_error = SQLITE_FULL;
  EXPECT_EQ(Maintain(*wal_, hooks_, Maintenance::kAnalyze).status().code(), Code::kFull);
  EXPECT_EQ(wal_->fatal(), Code::kOk);
}

TEST_F(WalServiceTest, ACheckpointAtDurabilityOffIsSyncedAllTheSame) {
  Commit(Durability::kOff);
  TheFaults().syncs = 0;
  EXPECT_TRUE(wal_->Checkpoint(SQLITE_CHECKPOINT_TRUNCATE).ok());
  EXPECT_GE(TheFaults().syncs, 2);  // the log before, the database after
}

TEST_F(WalServiceTest, ALittleIsCopiedAfterFiveMinutes) {
  Commit(Durability::kNormal);
  EXPECT_EQ(wal_->plan().need, Checkpointer::Need::kNone);
  clock_.Advance(minutes(4));
  wal_->Tick();
  EXPECT_EQ(Log().backfilled, 0U);
  clock_.Advance(minutes(1));
  EXPECT_LE(wal_->plan().wake_at, hooks_.steady_now());
  wal_->Tick();
  EXPECT_EQ(Log().backfilled, Log().max_frame);
  EXPECT_EQ(wal_->plan().wake_at, SteadyTime::max()) << "with nothing to copy nobody is woken";
}

TEST_F(WalServiceTest, NoTickSpinsOnATransaction) {
  Commit(Durability::kNormal);
  ASSERT_TRUE(db_->Exec("BEGIN IMMEDIATE").ok());
  clock_.Advance(minutes(6));
  wal_->Tick();
  EXPECT_GT(wal_->plan().wake_at, hooks_.steady_now());
  ASSERT_TRUE(db_->Exec("COMMIT").ok());
}

TEST_F(WalServiceTest, WritesAreRefusedFromTheLimitOnUntilTheReaderGoes) {
  options_.limit_bytes = 40 * 4096;
  options_.reader_gap_ms = 5;
  Start();
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
  while (wal_->checkpointer().log_bytes() + 4 * 4096 < options_.limit_bytes) Commit(Durability::kNormal);
  EXPECT_TRUE(wal_->MayWrite().ok()) << "a few pages below the limit";
  while (wal_->checkpointer().log_bytes() < options_.limit_bytes) Commit(Durability::kNormal);
  EXPECT_TRUE(wal_->plan().full);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(wal_->MayWrite().code(), Code::kWalLimit);
  EXPECT_EQ(wal_->refused(), 3);
  ASSERT_TRUE(reader->Exec("COMMIT").ok());
  EXPECT_TRUE(wal_->MayWrite().ok());
  EXPECT_EQ(Log().max_frame, 0U);
  EXPECT_FALSE(wal_->plan().full);
}

TEST_F(WalServiceTest, TheOldestReaderIsExpiredPastItsThreshold) {
  options_.restart_bytes = 1;
  options_.expire_bytes = wal_->checkpointer().log_bytes() + 10 * 4096;
  options_.reader_gap_ms = 5;
  Start();
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  ReaderSeat seat(gate_, reader.get());
  seat.Sit();
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
  clock_.Advance(milliseconds(60));
  while (wal_->checkpointer().log_bytes() + 4 * 4096 < options_.expire_bytes) Commit(Durability::kNormal);
  EXPECT_TRUE(wal_->Checkpoint().ok());
  EXPECT_FALSE(seat.expired()) << "a few pages below";
  while (wal_->checkpointer().log_bytes() < options_.expire_bytes) Commit(Durability::kNormal);
  EXPECT_TRUE(wal_->Checkpoint().ok());
  EXPECT_TRUE(seat.expired());
  EXPECT_FALSE(gate_.paused());
}

// One byte short of a threshold, as long as it, and one byte longer.
constexpr std::int64_t kOneByte[] = {1, 0, -1};

TEST_F(WalServiceTest, LimitBytesToTheByte) {
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
  for (int i = 0; i < 10; ++i) Commit(Durability::kNormal);
  options_.reader_gap_ms = 5;
  for (const auto past : kOneByte) {
    options_.limit_bytes = wal_->checkpointer().log_bytes() + past;
    Start();
    EXPECT_EQ(wal_->plan().full, past <= 0) << past;
    EXPECT_EQ(wal_->MayWrite().code(), past > 0 ? Code::kOk : Code::kWalLimit) << past;
  }
}

TEST_F(WalServiceTest, LimitOfATransactionToTheByte) {
  Commit(Durability::kNormal);
  EXPECT_EQ(LogEndOfTransaction(db_->handle()), 0);
  ASSERT_TRUE(db_->Exec("PRAGMA cache_size = 10; BEGIN IMMEDIATE; CREATE TABLE large(a); "
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) "
                        "INSERT INTO large SELECT zeroblob(4000) FROM n")
                  .ok());
  const std::int64_t end = LogEndOfTransaction(db_->handle());
  EXPECT_GT(end, 100 * 4096);
  EXPECT_TRUE(watch_->MayGrow(end + 1).ok());
  for (const auto past : {0, -1}) EXPECT_EQ(watch_->MayGrow(end + past).code(), Code::kTooLarge) << past;
  ASSERT_TRUE(db_->Exec("ROLLBACK").ok());
  EXPECT_EQ(LogEndOfTransaction(db_->handle()), 0);
}

TEST_F(WalServiceTest, ExpireBytesToTheByte) {
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  options_.restart_bytes = 1;
  options_.reader_gap_ms = 5;
  for (const auto past : kOneByte) {
    ReaderSeat seat(gate_, reader.get());
    seat.Sit();
    ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
    clock_.Advance(milliseconds(60));
    for (int i = 0; i < 10; ++i) Commit(Durability::kNormal);
    options_.expire_bytes = wal_->checkpointer().log_bytes() + past;
    Start();
    EXPECT_TRUE(wal_->Checkpoint().ok());
    EXPECT_EQ(seat.expired(), past <= 0) << past;
    ASSERT_TRUE(reader->Exec("ROLLBACK").ok());
    seat.Leave();
  }
}

TEST_F(WalServiceTest, IntervalsToTheMillisecond) {
  clock_.Stop();  // a millisecond passes by itself on a slow machine
  for (const auto short_of : {1, 0, -1}) {
    Commit(Durability::kPeriodic);
    TheFaults().syncs = 0;
    clock_.Advance(milliseconds(options_.sync_interval_ms - short_of));
    wal_->Tick();
    EXPECT_EQ(TheFaults().syncs, short_of > 0 ? 0 : 1) << short_of;
    ASSERT_TRUE(wal_->Flush().ok());
  }
  for (const auto short_of : {1, 0, -1}) {
    ASSERT_TRUE(wal_->Checkpoint(SQLITE_CHECKPOINT_PASSIVE).ok());  // the interval counts from here
    Commit(Durability::kNormal);
    clock_.Advance(milliseconds(options_.checkpoint_interval_ms - short_of));
    wal_->Tick();
    EXPECT_EQ(Log().backfilled == Log().max_frame, short_of <= 0) << short_of;
  }
}

TEST_F(WalServiceTest, WhatWasHeldUpIsTriedAgainEachSecond) {
  options_.restart_bytes = 10 * 4096;
  options_.reader_gap_ms = 5;
  Start();
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
  while (wal_->checkpointer().log_bytes() < options_.restart_bytes) Commit(Durability::kNormal);
  EXPECT_TRUE(wal_->Checkpoint().ok());
  EXPECT_TRUE(wal_->checkpointer().held_up());
  ASSERT_TRUE(reader->Exec("COMMIT").ok());
  EXPECT_NE(wal_->plan().wake_at, SteadyTime::max());
  clock_.Advance(seconds(1));
  wal_->Tick();
  EXPECT_EQ(Log().max_frame, 0U);
}

TEST_F(WalServiceTest, CloseTellsWhetherTheLogWasEmptied) {
  options_.reader_gap_ms = 5;
  Start();
  Commit(Durability::kNormal);
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
  Commit(Durability::kNormal);
  CloseReport report;
  EXPECT_TRUE(wal_->Close(&report).ok());
  EXPECT_TRUE(report.busy);
  EXPECT_GT(report.frames, 0);
  ASSERT_TRUE(reader->Exec("COMMIT").ok());
  EXPECT_TRUE(wal_->Close(&report).ok());
  EXPECT_FALSE(report.busy);
  EXPECT_EQ(report.frames, 0);
}

TEST(LogWatch, CopiesWithinTheCommitWhereThatWasAskedFor) {
  Hooks hooks;
  auto db = test::OpenFreshMemory();
  LogWatch watch(*db, hooks, 10);
  ASSERT_TRUE(db->Exec("CREATE TABLE t(a)").ok());
  ASSERT_TRUE(db->Exec("INSERT INTO t VALUES(zeroblob(60000))").ok());
  EXPECT_EQ(ReadWalState(db->handle())->backfilled, ReadWalState(db->handle())->max_frame);
}

// Real files: identity is that of inodes.
class FileIdentityTest : public ::testing::Test {
 protected:
  test::TempDir dir_;
};

TEST_F(FileIdentityTest, FilesThatStayAreTheSame) {
  auto db = test::OpenFresh(test::FileOptions(dir_.File()));
  FileIdentity identity(dir_.File());
  EXPECT_TRUE(identity.Check().ok());
  ASSERT_TRUE(db->Exec("CREATE TABLE t(a)").ok());
  EXPECT_TRUE(identity.Check().ok());
  EXPECT_TRUE(FileIdentity("").Check().ok());
}

TEST_F(FileIdentityTest, AReplacedOrMissingDatabaseIsNoticed) {
  auto db = test::OpenFresh(test::FileOptions(dir_.File()));
  FileIdentity identity(dir_.File());
  std::filesystem::rename(dir_.File(), dir_.File("moved.db"));
  EXPECT_EQ(identity.Check().code(), Code::kWalMoved);
  std::ofstream(dir_.File()) << "another file";
  EXPECT_EQ(identity.Check().code(), Code::kWalMoved);
}

TEST_F(FileIdentityTest, AReplacedOrMissingLogIsNoticed) {
  auto db = test::OpenFresh(test::FileOptions(dir_.File()));
  ASSERT_TRUE(dir_.Has("a.db-wal"));
  FileIdentity identity(dir_.File());
  std::filesystem::rename(dir_.File("a.db-wal"), dir_.File("moved-wal"));
  EXPECT_EQ(identity.Check().code(), Code::kWalMoved);
}

}  // namespace
}  // namespace hypha
