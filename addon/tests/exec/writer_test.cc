#include "exec/writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "exec/writer_fixture.h"

namespace hypha {
namespace {

using test::Answer;
using test::SetOp;
using test::TheFaults;
using WriterTest = test::WriterFixture;

TEST_F(WriterTest, AnswersAfterTheCommit) {
  const WriteReply reply = Write({SetOp("a")}).Get();
  EXPECT_TRUE(reply.status.ok());
  EXPECT_GT(reply.outcomes.at(0).version, 0);
  EXPECT_EQ(Stored("a"), "1");
}

TEST_F(WriterTest, RequestsOfOneThreadCommitInOrderAndEachIsAnsweredOnce) {
  constexpr int kThreads = 4;
  constexpr int kEach = 400;
  std::vector<std::vector<Answer<WriteReply>>> answers(kThreads);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        Answer<WriteReply> answer;
        for (;;) {
          Answer<WriteReply> attempt;
          writer_->Write(Request({SetOp("k" + std::to_string(t), std::to_string(i))}), attempt);
          answer = attempt;
          if (!attempt.Came() || attempt.Get().status.code() != Code::kQueueFull) break;
          std::this_thread::yield();
        }
        answers[static_cast<std::size_t>(t)].push_back(answer);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int t = 0; t < kThreads; ++t) {
    std::int64_t newest = 0;
    for (const auto& answer : answers[static_cast<std::size_t>(t)]) {
      const WriteReply reply = answer.Get();
      ASSERT_TRUE(reply.status.ok()) << reply.status.message();
      EXPECT_GT(reply.outcomes.at(0).version, newest);
      newest = reply.outcomes.at(0).version;
    }
    EXPECT_EQ(Stored("k" + std::to_string(t)), std::to_string(kEach - 1));
  }
  EXPECT_TRUE(Close().ok());
  for (const auto& list : answers) {
    for (const auto& answer : list) EXPECT_EQ(answer.count(), 1);
  }
}

TEST_F(WriterTest, WhatIsQueuedTogetherIsOneCommit) {
  std::atomic<int> commits{0};
  WhenReached([&](const char* point) { commits += std::string_view(point) == "after-commit" ? 1 : 0; });
  const auto id = Begin().Get().value();  // holds the writer while the queue fills
  std::vector<Answer<WriteReply>> answers;
  for (int i = 0; i < 500; ++i) answers.push_back(Write({SetOp("k" + std::to_string(i))}));
  EXPECT_EQ(writer_->queue_state().operations, 500);
  EXPECT_TRUE(End(id, true).Get().ok());
  for (const auto& answer : answers) EXPECT_TRUE(answer.Get().status.ok());
  EXPECT_EQ(commits, 2);
  EXPECT_EQ(writer_->queue_state().operations, 0);
  EXPECT_EQ(writer_->queue_state().bytes, 0);
}

TEST_F(WriterTest, TheQueueTakesItsLimitOfOperationsAndNoMore) {
  Start({10, 1 << 20, 5000});
  const auto id = Begin().Get().value();
  const auto nine = Write({9, SetOp("a")});
  EXPECT_EQ(Write({SetOp("b"), SetOp("b")}).Get().status.code(), Code::kQueueFull);
  const auto ten = Write({SetOp("c")});
  EXPECT_EQ(Write({SetOp("d")}).Get().status.code(), Code::kQueueFull);
  EXPECT_EQ(Begin().Get().status().code(), Code::kQueueFull);
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_TRUE(nine.Get().status.ok());
  EXPECT_TRUE(ten.Get().status.ok());
  EXPECT_TRUE(Write({10, SetOp("e")}).Get().status.ok());
  EXPECT_TRUE(Write({11, SetOp("e")}).Get().status.ok()) << "nothing was waiting";
}

TEST_F(WriterTest, TheQueueTakesItsLimitOfBytesAndNoMore) {
  const auto bytes = [](std::size_t length) {
    return static_cast<std::int64_t>(SetOp("a", std::string(length, '1')).Bytes());
  };
  Start({1000, bytes(100) + bytes(1000), 5000});
  for (const std::size_t length : {999U, 1000U, 1001U}) {
    const auto id = Begin().Get().value();
    const auto waiting = Write({SetOp("a", std::string(100, '1'))});
    const auto next = Write({SetOp("a", std::string(length, '1'))});
    EXPECT_TRUE(End(id, true).Get().ok());
    EXPECT_TRUE(waiting.Get().status.ok());
    EXPECT_EQ(next.Get().status.code(), length > 1000 ? Code::kQueueFull : Code::kOk) << length;
  }
  EXPECT_TRUE(Write({SetOp("a", std::string(2000, '1'))}).Get().status.ok()) << "nothing was waiting";
}

TEST_F(WriterTest, CallbacksMayCallBackIn) {
  Answer<WriteReply> second;
  Answer<Result<TransactionId>> third;
  writer_->Write(Request({SetOp("a")}), [&](WriteReply) {
    writer_->Write(Request({SetOp("b")}), second);
    writer_->Begin(nullptr, Durability::kNormal, 1000, nullptr, third);
    EXPECT_EQ(writer_->queue_state().operations, 2);
  });
  EXPECT_TRUE(second.Get().status.ok());
  EXPECT_TRUE(End(third.Get().value(), false).Get().ok());
}

TEST_F(WriterTest, InlineRunsOnlyShortRequestsWithoutSync) {
  ASSERT_TRUE(Write({SetOp("first")}).Get().status.ok());
  const auto runs = [&](WriteRequest request) {
    WriteReply reply;
    // The thread may still be on its way to sleep.
    for (int i = 0; i < 1000; ++i) {
      if (writer_->TryRunInline(request, &reply)) return reply.status.ok();
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return false;
  };
  const auto never = [&](WriteRequest request) {
    WriteReply reply;
    for (int i = 0; i < 50; ++i) {
      if (writer_->TryRunInline(request, &reply)) return false;
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return !request.ops.empty();
  };
  EXPECT_TRUE(runs(Request({SetOp("a")})));
  EXPECT_TRUE(runs(Request({8, SetOp("a")}, Durability::kOff)));
  EXPECT_TRUE(never(Request({SetOp("a")}, Durability::kFull)));
  EXPECT_TRUE(never(Request({9, SetOp("a")})));
  EXPECT_TRUE(never(Request({SetOp("a", std::string(64U << 10, '1'))})));
  for (const auto kind :
       {WriteKind::kClear, WriteKind::kDeleteNamespace, WriteKind::kCreateIndex, WriteKind::kDropIndex}) {
    WriteOp op;
    op.kind = kind;
    op.ns = "default";
    EXPECT_TRUE(never(Request({op}))) << static_cast<int>(kind);
    EXPECT_TRUE(never(Request({SetOp("a"), op}))) << static_cast<int>(kind);
  }
  const auto id = Begin().Get().value();
  EXPECT_TRUE(never(Request({SetOp("a")})));
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_TRUE(runs(Request({SetOp("a")})));
  ASSERT_TRUE(keeper_->Exec("BEGIN IMMEDIATE").ok());
  EXPECT_TRUE(never(Request({SetOp("a")})));
  ASSERT_TRUE(keeper_->Exec("ROLLBACK").ok());
}

TEST_F(WriterTest, BorrowersAndTheThreadTakeTurns) {
  ASSERT_TRUE(Write({SetOp("first")}).Get().status.ok());
  std::atomic<int> written{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 300; ++i) {
        WriteRequest request = Request({SetOp("t" + std::to_string(t) + "-" + std::to_string(i))});
        WriteReply reply;
        if (!writer_->TryRunInline(request, &reply)) {
          Answer<WriteReply> answer;
          writer_->Write(std::move(request), answer);
          reply = answer.Get();
        }
        if (reply.status.ok() && reply.outcomes.at(0).status.ok()) ++written;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(written, 900);
  EXPECT_EQ(keeper_->QueryInteger("SELECT count(*) || '' FROM hypha_entries").value(), 901);
  EXPECT_EQ(keeper_->QueryInteger("SELECT count(DISTINCT version) FROM hypha_entries").value(), 901);
}

TEST_F(WriterTest, CloseRunsWhatIsQueuedAndRefusesWhatComesLater) {
  const auto id = Begin().Get().value();
  std::vector<Answer<WriteReply>> queued;
  for (int i = 0; i < 1000; ++i) queued.push_back(Write({SetOp("k" + std::to_string(i))}));
  const auto refused = Begin();
  EXPECT_EQ(refused.Get().status().code(), Code::kQueueFull);
  const auto step = WriteIn(id, SetOp("lost"));
  Answer<Status> closed;
  std::atomic<bool> readers_closed{false};
  writer_->Close([&] { readers_closed = true; }, closed);
  const auto late = Write({SetOp("late")});
  EXPECT_TRUE(closed.Get().ok());
  writer_->Join();
  EXPECT_TRUE(readers_closed);
  for (const auto& answer : queued) EXPECT_TRUE(answer.Get().status.ok());
  EXPECT_EQ(late.Get().status.code(), Code::kClosed);
  EXPECT_EQ(End(id, true).Get().code(), Code::kClosed);
  EXPECT_EQ(Begin().Get().status().code(), Code::kClosed);
  EXPECT_EQ(step.count(), 1);
  EXPECT_EQ(Stored("lost"), "absent");
  EXPECT_EQ(Stored("k999"), "1");
  writer_.reset();
}

// While an expired BEGIN is being answered the mutex is free: what happens then must not be slept over.
TEST_F(WriterTest, CloseFromTheCallbackOfAnExpiredBeginIsSeen) {
  Start({1000, 1 << 20, 30});
  const auto id = Begin(60'000).Get().value();
  Answer<Status> closed;
  writer_->Begin(nullptr, Durability::kNormal, 1000, nullptr, [&](Result<TransactionId> result) {
    EXPECT_EQ(result.status().code(), Code::kBusy);
    writer_->Close([] {}, closed);
  });
  const auto started = std::chrono::steady_clock::now();
  EXPECT_TRUE(closed.Get().ok());
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(10));
  writer_->Join();
  EXPECT_EQ(End(id, true).Get().code(), Code::kClosed);
  writer_.reset();
}

TEST_F(WriterTest, AnUnknownOutcomeStopsTheWriter) {
  ASSERT_TRUE(Write({SetOp("first")}).Get().status.ok());
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  EXPECT_EQ(Write({SetOp("a")}, Durability::kFull).Get().status.code(), Code::kIndeterminate);
  TheFaults().Clear();
  EXPECT_EQ(Write({SetOp("b")}).Get().status.code(), Code::kStopped);
  EXPECT_EQ(Begin().Get().status().code(), Code::kStopped);
  EXPECT_TRUE(writer_->stopped());
  EXPECT_TRUE(Close().ok());
}

// A group falls apart: its first request commits enough to make a checkpoint urgent, its second one stops the writer.
TEST_F(WriterTest, AStoppedWriterWithAnUrgentCheckpointStillAnswersAndCloses) {
  Start({1000, 64 << 20, 5000});
  const auto id = Begin().Get().value();
  const auto first = Write({SetOp("first", "\"" + std::string(10'000'000, 'x') + "\"")});
  const auto second = Write({SetOp("second", "\"" + std::string(7'500'000, 'x') + "\"")});
  const auto third = Write({SetOp("third")}, Durability::kFull);
  std::atomic<int> commits{0};
  WhenReached([&](const char* point) {
    if (std::string_view(point) == "before-begin") TheFaults().Clear();
    if (std::string_view(point) != "before-commit") return;
    ++commits;  // of the transaction, of `first`, of the group, of `second` alone, of `third` alone
    TheFaults().write_error = commits == 3 ? SQLITE_FULL : SQLITE_OK;
    TheFaults().sync_error = commits == 5 ? SQLITE_IOERR_FSYNC : SQLITE_OK;
  });
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_TRUE(first.Get().status.ok());
  EXPECT_TRUE(second.Get().status.ok());
  EXPECT_EQ(third.Get().status.code(), Code::kIndeterminate);
  EXPECT_EQ(commits, 5);
  EXPECT_EQ(Write({SetOp("late")}).Get().status.code(), Code::kStopped);
  EXPECT_TRUE(Close().ok());
}

}  // namespace
}  // namespace hypha
