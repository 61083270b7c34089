// Writes and transactions that are called off, or whose time is up, before their turn has come.
#include <gtest/gtest.h>

#include "exec/writer_fixture.h"

namespace hypha {
namespace {

using test::Answer;
using test::SetOp;

class WriteWaitTest : public test::WriterFixture {
 protected:
  using Flag = std::shared_ptr<std::atomic<bool>>;

  static Flag NewFlag() { return std::make_shared<std::atomic<bool>>(false); }
  void Cancel(const Flag& flag) {
    flag->store(true);
    writer_->Wake();
  }
  Answer<WriteReply> Write(WriteOp op, std::int64_t timeout_ms, Flag cancelled = nullptr) {
    WriteRequest request = Request({std::move(op)});
    request.control = {timeout_ms, std::move(cancelled)};
    Answer<WriteReply> answer;
    writer_->Write(std::move(request), answer);
    return answer;
  }
  using WriterFixture::Write;
};

TEST_F(WriteWaitTest, ATimeoutEndsTheWaitForATransaction) {
  const auto id = Begin().Get().value();
  const auto started = std::chrono::steady_clock::now();
  const auto late = Write(SetOp("late"), 40);
  const auto patient = Write(SetOp("patient"), 60'000);
  EXPECT_EQ(late.Get().status.code(), Code::kTimeout);
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(40));
  EXPECT_FALSE(patient.Came());
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_TRUE(patient.Get().status.ok());
  EXPECT_EQ(Stored("late") + Stored("patient"), "absent1");
  EXPECT_EQ(writer_->queue_state().operations, 0);
  EXPECT_EQ(writer_->queue_state().bytes, 0);
}

TEST_F(WriteWaitTest, ACancelledWriteLeavesTheQueueAtOnce) {
  const auto id = Begin().Get().value();
  const Flag flag = NewFlag();
  const auto first = Write({SetOp("first")});
  const auto cancelled = Write(SetOp("cancelled"), 0, flag);
  const auto last = Write({SetOp("last")});
  Cancel(flag);
  EXPECT_EQ(cancelled.Get().status.code(), Code::kAborted);
  EXPECT_FALSE(first.Came() || last.Came());
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_TRUE(first.Get().status.ok() && last.Get().status.ok());
  EXPECT_EQ(Stored("first") + Stored("cancelled") + Stored("last"), "1absent1");
}

TEST_F(WriteWaitTest, ACancelledBeginLeavesTheQueueAtOnce) {
  const auto id = Begin().Get().value();
  const Flag flag = NewFlag();
  Answer<Result<TransactionId>> cancelled;
  writer_->Begin(nullptr, Durability::kNormal, 1000, flag, cancelled);
  Cancel(flag);
  EXPECT_EQ(cancelled.Get().status().code(), Code::kAborted);
  EXPECT_TRUE(End(id, true).Get().ok());
}

// Work between two groups, which an open transaction holds up.
TEST_F(WriteWaitTest, WorkOnTheFileLeavesTheQueueWhenItsTimeIsUpOrItIsCalledOff) {
  const auto id = Begin().Get().value();
  const auto never = [](WalService&) { ADD_FAILURE() << "it ran"; };
  const Flag flag = NewFlag();
  Answer<Status> late;
  Answer<Status> cancelled;
  Answer<Status> patient;
  writer_->RunAlone(never, {40}, late);
  writer_->RunAlone(never, {0, flag}, cancelled);
  writer_->RunAlone([patient](WalService&) { patient(Status::Ok()); }, {60'000}, patient);
  EXPECT_EQ(late.Get().code(), Code::kTimeout);
  EXPECT_FALSE(cancelled.Came() || patient.Came());
  Cancel(flag);
  EXPECT_EQ(cancelled.Get().code(), Code::kAborted);
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_TRUE(patient.Get().ok());
  EXPECT_EQ(writer_->queue_state().operations, 0);
}

TEST_F(WriteWaitTest, WorkOnTheFileThatIsCalledOffBeforeItsTurnIsNotBegun) {
  const Flag flag = NewFlag();
  Answer<Status> off;
  // Called off by what runs right before it.
  writer_->RunAlone([flag](WalService&) { flag->store(true); }, {}, [](const Status&) {});
  writer_->RunAlone([](WalService&) { ADD_FAILURE() << "it ran"; }, {0, flag}, off);
  EXPECT_EQ(off.Get().code(), Code::kAborted);
  Answer<Status> flushed;
  writer_->Flush({0, flag}, flushed);
  EXPECT_EQ(flushed.Get().code(), Code::kAborted);
}

TEST_F(WriteWaitTest, AStepThatIsCalledOffIsNotTaken) {
  const auto id = Begin().Get().value();
  const Flag flag = NewFlag();
  flag->store(true);
  WriteRequest request = Request({SetOp("off")});
  request.control.cancelled = flag;
  Answer<WriteReply> off;
  writer_->WriteIn(id, std::move(request), off);
  Answer<Status> read;
  writer_->RunIn(
      id, [](ReadContext&) { ADD_FAILURE() << "it ran"; }, flag, read);
  EXPECT_EQ(off.Get().status.code(), Code::kAborted);
  EXPECT_EQ(read.Get().code(), Code::kAborted);
  EXPECT_TRUE(WriteIn(id, SetOp("on")).Get().status.ok());
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_EQ(Stored("off") + Stored("on"), "absent1");
}

// Another process holds the lock: each of the group waits as long as it may itself.
TEST_F(WriteWaitTest, TheWaitForAnotherProcessEndsForEachInItsTime) {
  Answer<int> waiting;
  WhenReached([waiting](const char* point) {
    if (std::string_view(point) == "before-begin" && !waiting.Came()) waiting(1);
  });
  ASSERT_TRUE(keeper_->Exec("BEGIN IMMEDIATE").ok());
  const Flag flag = NewFlag();
  const auto patient = Write({SetOp("patient")});
  waiting.Get();
  const auto late = Write(SetOp("late"), 40);
  const auto cancelled = Write(SetOp("cancelled"), 0, flag);
  Cancel(flag);
  ASSERT_TRUE(keeper_->Exec("ROLLBACK").ok());
  EXPECT_TRUE(patient.Get().status.ok());
  const Code late_code = late.Get().status.code();
  EXPECT_TRUE(late_code == Code::kTimeout || late_code == Code::kOk);
  EXPECT_EQ(Stored("late"), late_code == Code::kOk ? "1" : "absent");
  EXPECT_EQ(cancelled.Get().status.code(), Code::kAborted);
  EXPECT_EQ(Stored("cancelled"), "absent");
}

TEST_F(WriteWaitTest, AGroupThatWaitsForALockDropsWhoIsCalledOff) {
  Answer<int> waiting;
  WhenReached([waiting](const char* point) {
    if (std::string_view(point) == "before-begin" && !waiting.Came()) waiting(1);
  });
  ASSERT_TRUE(keeper_->Exec("BEGIN IMMEDIATE").ok());
  const Flag flag = NewFlag();
  const auto cancelled = Write(SetOp("cancelled"), 0, flag);
  waiting.Get();
  const auto started = std::chrono::steady_clock::now();
  Cancel(flag);
  EXPECT_EQ(cancelled.Get().status.code(), Code::kAborted);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(4000)) << "the busy timeout is 5 s";
  const auto late = Write(SetOp("late"), 40);
  EXPECT_EQ(late.Get().status.code(), Code::kTimeout);
  Answer<Result<TransactionId>> begin;
  const Flag other = NewFlag();
  writer_->Begin(nullptr, Durability::kNormal, 1000, other, begin);
  Cancel(other);
  EXPECT_EQ(begin.Get().status().code(), Code::kAborted);
  ASSERT_TRUE(keeper_->Exec("ROLLBACK").ok());
  EXPECT_TRUE(Write({SetOp("after")}).Get().status.ok());
  EXPECT_EQ(Stored("cancelled") + Stored("late"), "absentabsent");
}

// What has begun goes on: its outcome is told, whatever was asked meanwhile.
TEST_F(WriteWaitTest, AWriteThatHasBegunTellsWhatBecameOfIt) {
  const Flag flag = NewFlag();
  WhenReached([flag](const char* point) {
    if (std::string_view(point) == "before-commit") flag->store(true);
  });
  EXPECT_TRUE(Write(SetOp("a"), 60'000, flag).Get().status.ok());
  EXPECT_EQ(Stored("a"), "1");
}

TEST_F(WriteWaitTest, StepsOfATransactionCountTowardsTheQueue) {
  Start({3, 1 << 20, 5000});
  Answer<int> go;
  Answer<int> blocked;
  const auto id = Begin().Get().value();
  Answer<Status> failed;
  writer_->RunIn(
      id,
      [go, blocked](ReadContext&) {
        blocked(1);
        go.Get();
      },
      nullptr, failed);
  blocked.Get();
  const auto first = WriteIn(id, SetOp("a"));
  const auto second = WriteIn(id, SetOp("b"));
  const auto third = WriteIn(id, SetOp("c"));
  EXPECT_EQ(WriteIn(id, SetOp("d")).Get().status.code(), Code::kQueueFull);
  const auto end = End(id, true);
  go(1);
  EXPECT_TRUE(first.Get().status.ok() && second.Get().status.ok() && third.Get().status.ok());
  EXPECT_TRUE(end.Get().ok());
  EXPECT_EQ(Stored("c") + Stored("d"), "1absent");
  EXPECT_EQ(writer_->queue_state().operations, 0);
}

}  // namespace
}  // namespace hypha
