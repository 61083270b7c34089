// Interactive transactions of the Writer.
#include <gtest/gtest.h>

#include <thread>

#include "exec/writer_fixture.h"

namespace hypha {
namespace {

using test::Answer;
using test::SetOp;
using test::TheFaults;

class TransactionTest : public test::WriterFixture {
 protected:
  Answer<Status> RunIn(TransactionId id, std::string key, Answer<std::string> value) {
    Answer<Status> failed;
    writer_->RunIn(
        id,
        [key, value](ReadContext& context) {
          const auto entry = context.entries().GetEntry("default", key).value();
          value(entry ? entry->value : "absent");
        },
        nullptr, failed);
    return failed;
  }
};

TEST_F(TransactionTest, WhoHearsOfItsCommitFindsItCounted) {
  Metrics metrics;
  WriterOptions options{1000, 1 << 20, 5000};
  options.metrics = &metrics;
  Start(options);
  const auto id = Begin().Get().value();
  ASSERT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  const std::int64_t before = metrics.commits;
  const Answer<std::int64_t> counted;
  writer_->End(id, true, [&](const Status&) { counted(metrics.commits); });
  EXPECT_EQ(counted.Get(), before + 1);
  EXPECT_TRUE(Close().ok());
}

TEST_F(TransactionTest, CommitsWhatItWrote) {
  const auto id = Begin().Get().value();
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  Answer<std::string> seen;
  RunIn(id, "a", seen);
  EXPECT_EQ(seen.Get(), "1");
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_EQ(Stored("a"), "1");
}

TEST_F(TransactionTest, RollsBackWhatItWrote) {
  const auto id = Begin().Get().value();
  WriteIn(id, SetOp("a", "1", "new namespace")).Get();
  EXPECT_TRUE(End(id, false).Get().ok());
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(Write({SetOp("b", "1", "new namespace")}).Get().outcomes.at(0).status.ok());
}

TEST_F(TransactionTest, StrangersWaitOutsideAndAreNeverSwallowed) {
  const auto id = Begin().Get().value();
  const auto stranger = Write({SetOp("s")});
  const auto second = Begin();
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  EXPECT_FALSE(stranger.Came());
  EXPECT_FALSE(second.Came());
  EXPECT_TRUE(End(id, false).Get().ok());
  EXPECT_TRUE(stranger.Get().status.ok());
  EXPECT_EQ(Stored("s"), "1");
  const auto next = second.Get().value();
  EXPECT_NE(next, id);
  EXPECT_TRUE(End(next, true).Get().ok());
}

TEST_F(TransactionTest, UnknownAndEndedOnesAreInvalid) {
  const auto id = Begin().Get().value();
  EXPECT_EQ(WriteIn(id + 1000, SetOp("a")).Get().status.code(), Code::kTransactionInvalid);
  EXPECT_EQ(WriteIn(0, SetOp("a")).Get().status.code(), Code::kTransactionInvalid);
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_EQ(End(id, true).Get().code(), Code::kTransactionInvalid);
  EXPECT_EQ(End(id, false).Get().code(), Code::kTransactionInvalid);
  EXPECT_EQ(RunIn(id, "a", {}).Get().code(), Code::kTransactionInvalid);
}

TEST_F(TransactionTest, StepsAfterTheEndAreInvalid) {
  const auto id = Begin().Get().value();
  const auto first = WriteIn(id, SetOp("a"));
  const auto end = End(id, true);
  const auto late = WriteIn(id, SetOp("b"));
  EXPECT_TRUE(first.Get().status.ok());
  EXPECT_TRUE(end.Get().ok());
  EXPECT_EQ(late.Get().status.code(), Code::kTransactionInvalid);
  EXPECT_EQ(Stored("b"), "absent");
}

TEST_F(TransactionTest, TheDeadlineRollsBackAndEveryLaterUseSaysSo) {
  const auto id = Begin(40).Get().value();
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  EXPECT_TRUE(Write({SetOp("b")}).Get().status.ok());  // comes through when the transaction is out of the way
  EXPECT_EQ(End(id, true).Get().code(), Code::kTransactionTimeout);
  EXPECT_EQ(End(id, true).Get().code(), Code::kTransactionTimeout);
  EXPECT_EQ(WriteIn(id, SetOp("a")).Get().status.code(), Code::kTransactionTimeout);
  EXPECT_EQ(RunIn(id, "a", {}).Get().code(), Code::kTransactionTimeout);
  EXPECT_EQ(Stored("a"), "absent");
}

TEST_F(TransactionTest, BeginWaitsAtMostTheBusyTimeout) {
  Start({1000, 1 << 20, 60});
  const auto id = Begin().Get().value();
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(Begin().Get().status().code(), Code::kBusy);
  const auto waited = std::chrono::steady_clock::now() - started;
  EXPECT_GE(waited, std::chrono::milliseconds(60));
  EXPECT_LT(waited, std::chrono::seconds(10));
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  EXPECT_TRUE(End(id, true).Get().ok());
}

TEST_F(TransactionTest, BeginIsBusyWhenAnotherProcessHoldsTheLock) {
  Start({1000, 1 << 20, 60});
  ASSERT_TRUE(keeper_->Exec("BEGIN IMMEDIATE").ok());
  EXPECT_EQ(Begin().Get().status().code(), Code::kBusy);
  ASSERT_TRUE(keeper_->Exec("ROLLBACK").ok());
  EXPECT_TRUE(End(Begin().Get().value(), true).Get().ok());
}

TEST_F(TransactionTest, AbandonRollsBackTheOwnersTransactionsOnly) {
  const int mine = 0;
  const int other = 0;
  const auto id = Begin(30'000, &mine).Get().value();
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  const auto waiting = Begin(30'000, &mine);
  const auto stranger = Begin(30'000, &other);
  writer_->Abandon(&mine);
  EXPECT_EQ(waiting.Get().status().code(), Code::kClosed);
  const auto theirs = stranger.Get().value();
  EXPECT_EQ(End(id, true).Get().code(), Code::kTransactionInvalid);
  writer_->Abandon(&mine);
  EXPECT_TRUE(WriteIn(theirs, SetOp("b")).Get().status.ok());
  EXPECT_TRUE(End(theirs, true).Get().ok());
  EXPECT_EQ(Stored("a") + Stored("b"), "absent1");
}

// The owner goes away while the BEGIN waits for another process.
TEST_F(TransactionTest, AbandonReachesATransactionThatIsJustBeginning) {
  const int mine = 0;
  Answer<int> begun;
  WhenReached([begun](const char* point) {
    if (std::string_view(point) == "before-begin" && !begun.Came()) begun(1);
  });
  ASSERT_TRUE(keeper_->Exec("BEGIN IMMEDIATE").ok());
  const auto begin = Begin(60'000, &mine);
  begun.Get();
  writer_->Abandon(&mine);
  ASSERT_TRUE(keeper_->Exec("ROLLBACK").ok());
  static_cast<void>(begin.Get());
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(Write({SetOp("a")}).Get().status.ok());
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
}

TEST_F(TransactionTest, CloseRollsBackWhatIsOpen) {
  const auto id = Begin().Get().value();
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  const auto waiting = Begin();
  EXPECT_TRUE(Close().ok());
  EXPECT_EQ(waiting.Get().status().code(), Code::kClosed);
  EXPECT_EQ(Stored("a"), "absent");
  static_cast<void>(id);
}

// An error that makes SQLite drop the transaction ends it: nothing of it may be committed afterwards.
TEST_F(TransactionTest, AnErrorThatDropsTheTransactionEndsIt) {
  Start({1000, 64 << 20, 5000});
  ASSERT_TRUE(Write({SetOp("first")}).Get().status.ok());
  const auto id = Begin().Get().value();
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  TheFaults().write_error = SQLITE_IOERR_WRITE;
  // Larger than the page cache: it spills into the log, which fails.
  WriteOutcome outcome;
  for (int i = 0; i < 4 && outcome.status.ok(); ++i) {
    const WriteReply reply =
        WriteIn(id, SetOp("large" + std::to_string(i), "\"" + std::string(6'000'000, 'x') + "\"")).Get();
    if (!reply.status.ok()) break;
    outcome = reply.outcomes.at(0);
  }
  EXPECT_EQ(outcome.status.code(), Code::kIo);
  TheFaults().Clear();
  EXPECT_EQ(End(id, true).Get().code(), Code::kTransactionInvalid);
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(Write({SetOp("b")}).Get().status.ok());
}

TEST_F(TransactionTest, AFailedCommitIsReportedAndOver) {
  ASSERT_TRUE(Write({SetOp("first")}).Get().status.ok());
  const auto id = Begin().Get().value();
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  TheFaults().write_error = SQLITE_FULL;
  EXPECT_EQ(End(id, true).Get().code(), Code::kFull);
  TheFaults().Clear();
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(Write({SetOp("b")}).Get().status.ok());
}

}  // namespace
}  // namespace hypha
