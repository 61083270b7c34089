#include "ops/checkpointer.h"

#include <gtest/gtest.h>

#include <thread>

#include "support/databases.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

using Need = Checkpointer::Need;

class CheckpointerTest : public ::testing::Test {
 protected:
  // Commits about `bytes` of new pages.
  void Commit(std::int64_t bytes) {
    ASSERT_TRUE(db_->Exec(("INSERT INTO t VALUES(zeroblob(" + std::to_string(bytes) + "))").c_str()).ok());
  }
  WalState Wal() { return ReadWalState(db_->handle()).value(); }

  std::string name_ = NewMemoryName();
  std::unique_ptr<Connection> db_ = test::OpenFresh(test::MemoryOptions(name_));
  Hooks hooks_;
  LogWatch watch_{*db_, hooks_};
  Checkpointer checkpointer_{*db_, watch_, hooks_, {}, nullptr};
  const Status made_ = db_->Exec("CREATE TABLE t(a)");
};

TEST_F(CheckpointerTest, NeedGrowsWithTheLog) {
  EXPECT_EQ(checkpointer_.need(), Need::kNone);
  Commit(3 << 20);
  EXPECT_EQ(checkpointer_.need(), Need::kNone);
  Commit(2 << 20);
  EXPECT_EQ(checkpointer_.need(), Need::kWhenIdle);
  Commit(10 << 20);
  EXPECT_EQ(checkpointer_.need(), Need::kWhenIdle);
  Commit(2 << 20);
  EXPECT_EQ(checkpointer_.need(), Need::kNow);
}

TEST_F(CheckpointerTest, RunCopiesEverythingAndTheLogStartsOver) {
  Commit(17 << 20);
  ASSERT_TRUE(checkpointer_.Run().ok());
  EXPECT_EQ(checkpointer_.need(), Need::kNone);
  EXPECT_EQ(Wal().backfilled, Wal().max_frame);
  const std::uint32_t before = Wal().max_frame;
  Commit(1000);
  EXPECT_LT(Wal().max_frame, before);
  EXPECT_EQ(checkpointer_.need(), Need::kNone);
  Commit(5 << 20);
  EXPECT_EQ(checkpointer_.need(), Need::kWhenIdle);
}

// A log that is one byte short of a threshold, as long as it, and one byte longer.
class ThresholdTest : public CheckpointerTest {
 protected:
  static constexpr std::int64_t kOneByte[] = {1, 0, -1};
  std::int64_t Bytes() { return Wal().max_frame * db_->QueryInteger("PRAGMA page_size").value(); }
  Checkpointer With(std::int64_t WalOptions::*threshold, std::int64_t bytes) {
    WalOptions options;
    options.*threshold = bytes;
    return {*db_, watch_, hooks_, options, nullptr};
  }
};

TEST_F(ThresholdTest, IdleBytes) {
  Commit(100'000);
  for (const auto past : kOneByte) {
    const Need need = With(&WalOptions::idle_bytes, Bytes() + past).need();
    EXPECT_EQ(need, past > 0 ? Need::kNone : Need::kWhenIdle) << past;
  }
}

TEST_F(ThresholdTest, BusyBytes) {
  Commit(100'000);
  for (const auto past : kOneByte) {
    const Need need = With(&WalOptions::busy_bytes, Bytes() + past).need();
    EXPECT_EQ(need, past > 0 ? Need::kNone : Need::kNow) << past;
  }
}

TEST_F(ThresholdTest, RestartBytes) {
  for (const auto past : kOneByte) {
    Commit(100'000);
    Checkpointer checkpointer = With(&WalOptions::restart_bytes, Bytes() + past);
    ASSERT_TRUE(checkpointer.Run().ok());
    EXPECT_EQ(Wal().backfilled, Wal().max_frame) << "copied in any case";
    EXPECT_EQ(Wal().max_frame > 0, past > 0) << "emptied from the threshold on";
  }
}

// What a reader holds back is not tried again and again.
TEST_F(CheckpointerTest, AReaderInTheWayPutsTheNextTryOff) {
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
  Commit(17 << 20);
  ASSERT_TRUE(checkpointer_.Run().ok());
  EXPECT_LT(Wal().backfilled, Wal().max_frame);
  EXPECT_EQ(checkpointer_.need(), Need::kNone);
  Commit(5 << 20);
  EXPECT_EQ(checkpointer_.need(), Need::kWhenIdle);
  ASSERT_TRUE(reader->Exec("COMMIT").ok());
  ASSERT_TRUE(checkpointer_.Run().ok());
  EXPECT_EQ(Wal().backfilled, Wal().max_frame);
}

TEST_F(CheckpointerTest, AVeryLongLogIsEmptiedWhenNobodyReads) {
  for (int i = 0; i < 5; ++i) Commit(14 << 20);
  ASSERT_TRUE(checkpointer_.Run().ok());
  EXPECT_EQ(Wal().max_frame, 0U);
  EXPECT_EQ(checkpointer_.need(), Need::kNone);
}

TEST_F(CheckpointerTest, AVeryLongLogWithAReaderIsNoFailureAndDelaysLittle) {
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
  for (int i = 0; i < 5; ++i) Commit(14 << 20);
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(checkpointer_.Run().ok());
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(2));
  EXPECT_EQ(checkpointer_.need(), Need::kNone);
}

TEST_F(CheckpointerTest, TruncateIsBusyWithAReader) {
  Commit(1000);
  auto reader = test::Open(test::MemoryOptions(name_, Role::kReader));
  ASSERT_TRUE(reader->Exec("BEGIN; SELECT count(*) FROM t").ok());
  Commit(1000);
  // However long the last statement might have waited.
  db_->SetLockDeadline(std::chrono::steady_clock::now() + std::chrono::hours(1));
  EXPECT_EQ(checkpointer_.Truncate().code(), Code::kBusy);
  ASSERT_TRUE(reader->Exec("COMMIT").ok());
  EXPECT_TRUE(checkpointer_.Truncate().ok());
  EXPECT_EQ(Wal().max_frame, 0U);
}

// Real files and readers: what is emptied in the gap, and how long is waited for it.
class ReaderGapTest : public ::testing::Test {
 protected:
  // A log that is not empty and longer than restart_bytes, and a reader that needs a part of it.
  void SetUp() override {
    ASSERT_TRUE(db_->Exec("CREATE TABLE t(a); INSERT INTO t VALUES(1)").ok());
    ASSERT_TRUE(reader_->Exec("BEGIN; SELECT count(*) FROM t").ok());
    ASSERT_TRUE(db_->Exec("INSERT INTO t VALUES(2)").ok());
  }
  Checkpointer With(std::int64_t gap_ms) {
    WalOptions options;
    options.restart_bytes = 1;
    options.reader_gap_ms = gap_ms;
    return {*db_, watch_, hooks_, options, &gate_};
  }
  std::uint32_t LogFrames() { return ReadWalState(db_->handle())->max_frame; }

  test::TempDir dir_;
  std::unique_ptr<Connection> db_ = test::OpenFresh(test::FileOptions(dir_.File()));
  std::unique_ptr<Connection> reader_ = test::Open(test::FileOptions(dir_.File(), Role::kReader));
  Hooks hooks_;
  LogWatch watch_{*db_, hooks_};
  ReaderGate gate_{hooks_};
};

TEST_F(ReaderGapTest, AReaderThatStaysIsWaitedForAsLongAsTheGapIs) {
  for (const std::int64_t gap_ms : {0, 1, 199, 200, 201}) {
    Checkpointer checkpointer = With(gap_ms);
    EXPECT_TRUE(checkpointer.Run().ok()) << "being held up is no failure";
    EXPECT_TRUE(checkpointer.counters().last.busy);
    EXPECT_GE(checkpointer.counters().last.micros, gap_ms * 1000) << gap_ms;
    EXPECT_LT(checkpointer.counters().last.micros, gap_ms * 1000 + 10'000'000) << gap_ms;
    EXPECT_GT(LogFrames(), 0U) << gap_ms;
    EXPECT_FALSE(gate_.paused());
  }
}

// The reader goes only once the gap has begun.
TEST_F(ReaderGapTest, AReaderThatGoesInTheGapLetsTheLogBeEmptied) {
  Checkpointer checkpointer = With(600'000);
  std::thread reading([&] {
    while (!gate_.paused()) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_TRUE(reader_->Exec("COMMIT").ok());
  });
  EXPECT_TRUE(checkpointer.Run().ok());
  reading.join();
  EXPECT_EQ(LogFrames(), 0U);
  EXPECT_FALSE(checkpointer.counters().last.busy);
  EXPECT_LT(checkpointer.counters().last.micros, 60'000'000) << "no longer than the reader stayed";
}

}  // namespace
}  // namespace hypha
