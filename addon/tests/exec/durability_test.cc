// What each durability promises, through the writer and its thread.
#include <gtest/gtest.h>

#include <thread>

#include "exec/store_fixture.h"
#include "exec/writer_fixture.h"
#include "support/eventually.h"
#include "support/fake_clock.h"

namespace hypha {
namespace {

using std::chrono::milliseconds;
using test::Answer;
using test::Eventually;
using test::SetOp;
using test::TheFaults;

class DurabilityTest : public test::WriterFixture {
 protected:
  void SetUp() override {
    clock_.Install(&hooks_);
    WriterFixture::SetUp();
    Start(Options());
    ASSERT_TRUE(Write({SetOp("first")}, Durability::kFull).Get().status.ok());  // starts the log
    TheFaults().Clear();
  }
  static WriterOptions Options() {
    WriterOptions options{1000, 64 << 20, 5000};
    options.wal.sync_interval_ms = 60'000;
    return options;
  }

  test::FakeClock clock_;
};

TEST_F(DurabilityTest, TheReplySaysWhatWasReached) {
  for (const Durability durability :
       {Durability::kOff, Durability::kNormal, Durability::kPeriodic, Durability::kFull}) {
    EXPECT_EQ(Write({SetOp("k")}, durability).Get().durability, durability);
  }
}

TEST_F(DurabilityTest, AGroupReachesTheHighestOfItsMembers) {
  const auto id = Begin().Get().value();  // holds the queue up, so that the three share a commit
  const auto weak = Write({SetOp("a")}, Durability::kOff);
  const auto strong = Write({SetOp("b")}, Durability::kFull);
  const auto normal = Write({SetOp("c")}, Durability::kNormal);
  TheFaults().syncs = 0;
  ASSERT_TRUE(End(id, false).Get().ok());
  for (const auto& answer : {weak, strong, normal}) EXPECT_EQ(answer.Get().durability, Durability::kFull);
  EXPECT_EQ(TheFaults().syncs, 1);
}

TEST_F(DurabilityTest, FlushSyncsTheLogAfterWhatWasQueuedBefore) {
  TheFaults().syncs = 0;
  const auto write = Write({SetOp("a")}, Durability::kNormal);
  EXPECT_TRUE(Flush().ok());
  EXPECT_TRUE(write.Came());
  EXPECT_EQ(TheFaults().syncs, 1);
}

TEST_F(DurabilityTest, FlushDoesNotWaitForATransaction) {
  ASSERT_TRUE(Write({SetOp("a")}, Durability::kNormal).Get().status.ok());
  const auto id = Begin().Get().value();
  TheFaults().syncs = 0;
  EXPECT_TRUE(Flush().ok());
  EXPECT_EQ(TheFaults().syncs, 1);
  EXPECT_TRUE(End(id, true).Get().ok());
}

TEST_F(DurabilityTest, FlushDoesNotWaitForWhatWaitsForATransactionEither) {
  const auto id = Begin().Get().value();
  const auto waiting = Write({SetOp("k")});
  EXPECT_TRUE(Flush().ok());
  EXPECT_EQ(waiting.count(), 0);
  ASSERT_TRUE(End(id, true).Get().ok());
  EXPECT_TRUE(waiting.Get().status.ok());
}

TEST_F(DurabilityTest, AFlushThatFailsIsIndeterminateAndStopsTheWriter) {
  ASSERT_TRUE(Write({SetOp("a")}, Durability::kNormal).Get().status.ok());
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  EXPECT_EQ(Flush().code(), Code::kIndeterminate);
  TheFaults().Clear();
  EXPECT_EQ(Write({SetOp("b")}).Get().status.code(), Code::kStopped);
  EXPECT_EQ(Flush().code(), Code::kStopped);
  EXPECT_EQ(Begin().Get().status().code(), Code::kStopped);
  EXPECT_TRUE(writer_->stopped());
  EXPECT_TRUE(Close().ok());
}

TEST_F(DurabilityTest, ThePeriodicSyncIsDoneByTheThreadWithoutBeingAsked) {
  ASSERT_TRUE(Write({SetOp("a")}, Durability::kPeriodic).Get().status.ok());
  EXPECT_EQ(TheFaults().syncs, 0);
  clock_.Advance(milliseconds(60'000));
  // The injected clock jumped: whatever wakes the thread makes it look at it.
  EXPECT_TRUE(Write({SetOp("b")}, Durability::kNormal).Get().status.ok());
  EXPECT_TRUE(Eventually([] { return TheFaults().syncs == 1; }));
}

TEST_F(DurabilityTest, ThePeriodicSyncComesInRealTime) {
  WriterOptions options = Options();
  options.wal.sync_interval_ms = 20;
  Start(options);
  ASSERT_TRUE(Write({SetOp("first")}, Durability::kFull).Get().status.ok());
  TheFaults().syncs = 0;
  ASSERT_TRUE(Write({SetOp("a")}, Durability::kPeriodic).Get().status.ok());
  EXPECT_TRUE(Eventually([] { return TheFaults().syncs == 1; }));
  // Inline too, where the thread has to be told.
  WriteRequest request = Request({SetOp("b")}, Durability::kPeriodic);
  WriteReply reply;
  while (!writer_->TryRunInline(request, &reply)) std::this_thread::yield();
  EXPECT_EQ(reply.durability, Durability::kPeriodic);
  EXPECT_TRUE(Eventually([] { return TheFaults().syncs == 2; }));
}

TEST_F(DurabilityTest, APeriodicSyncThatFailsStopsTheWriter) {
  WriterOptions options = Options();
  options.wal.sync_interval_ms = 1;
  Start(options);
  ASSERT_TRUE(Write({SetOp("first")}, Durability::kFull).Get().status.ok());
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  ASSERT_TRUE(Write({SetOp("a")}, Durability::kPeriodic).Get().status.ok());
  EXPECT_TRUE(Eventually([&] { return writer_->stopped(); }));
  TheFaults().Clear();
  EXPECT_EQ(Write({SetOp("b")}).Get().status.code(), Code::kStopped);
}

// A transaction of durability full that changes nothing writes no frame, and SQLite syncs nothing.
TEST_F(DurabilityTest, AFullWriteThatChangesNothingMakesWhatItSawDurable) {
  ASSERT_TRUE(Write({SetOp("a")}, Durability::kNormal).Get().status.ok());
  TheFaults().syncs = 0;
  const auto reply = Write({test::Op(WriteKind::kDelete, "default", "nobody")}, Durability::kFull).Get();
  EXPECT_TRUE(reply.status.ok());
  EXPECT_EQ(TheFaults().syncs, 1);
}

TEST_F(DurabilityTest, AnUnknownOutcomeIsToldToAllOfTheGroupAndStopsTheWriter) {
  const auto id = Begin().Get().value();
  const auto one = Write({SetOp("a")}, Durability::kNormal);
  const auto two = Write({SetOp("b")}, Durability::kFull);
  WhenReached([](const char* point) {
    if (std::string_view(point) == "before-commit") TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  });
  ASSERT_TRUE(End(id, false).Get().ok());
  for (const auto& answer : {one, two}) EXPECT_EQ(answer.Get().status.code(), Code::kIndeterminate);
  EXPECT_TRUE(Eventually([&] { return writer_->stopped(); }));
}

TEST_F(DurabilityTest, AWriteThatFailsMidwayIsIndeterminateToo) {
  WhenReached([](const char* point) {
    if (std::string_view(point) == "before-commit") TheFaults().write_error = SQLITE_IOERR_WRITE;
  });
  EXPECT_EQ(Write({SetOp("a")}, Durability::kNormal).Get().status.code(), Code::kIndeterminate);
  TheFaults().Clear();
  WhenReached({});
  EXPECT_EQ(Write({SetOp("b")}).Get().status.code(), Code::kStopped);
}

TEST_F(DurabilityTest, ALockInTheWayIsTriedAgainUntilItGoes) {
  auto other = test::Open(test::MemoryOptions(name_));
  ASSERT_TRUE(other->Exec("BEGIN IMMEDIATE").ok());
  std::atomic<int> attempts{0};
  WhenReached([&](const char* point) {
    // The whole transaction again each time: 100 ms, then 200, then 400.
    if (std::string_view(point) != "before-begin" || ++attempts != 3) return;
    EXPECT_TRUE(other->Exec("COMMIT").ok());
  });
  EXPECT_TRUE(Write({SetOp("a")}).Get().status.ok());
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(Stored("a"), "1");
}

TEST_F(DurabilityTest, ALockThatStaysIsBusyAfterTheBusyTimeoutWithTheAttempts) {
  WriterOptions options = Options();
  options.busy_timeout_ms = 400;
  Start(options);
  auto other = test::Open(test::MemoryOptions(name_));
  ASSERT_TRUE(other->Exec("BEGIN IMMEDIATE").ok());
  const auto started = std::chrono::steady_clock::now();
  const Status status = Write({SetOp("a")}).Get().status;
  const auto waited = std::chrono::steady_clock::now() - started;
  EXPECT_EQ(status.code(), Code::kBusy);
  EXPECT_EQ(status.attempts(), 3);
  EXPECT_GE(waited, milliseconds(395));
  ASSERT_TRUE(other->Exec("COMMIT").ok());
  EXPECT_TRUE(Write({SetOp("a")}).Get().status.ok());
}

// A commit without any sync may cost more than itself: only a store that was opened so has that.
class WeakWriteTest : public test::StoreFixture {
 protected:
  Durability Reached(Durability of_store, Durability asked) {
    OpenOptions options = Options(dir_.File());
    options.durability = of_store;
    test::Share share = Open(options);
    const Durability queued = share.Write({SetOp("k")}, asked).durability;
    if (asked == Durability::kFull) return queued;
    // The log has something in it now: once the thread has let go of the writer, this one runs on the calling thread.
    WriteRequest request{{SetOp("k")}, false, asked};
    WriteReply reply;
    const auto give_up = std::chrono::steady_clock::now() + test::kPatience;
    while (!share.engine().TryWriteInline(request, &reply) && std::chrono::steady_clock::now() < give_up) {
      std::this_thread::yield();
    }
    EXPECT_EQ(reply.durability, queued);
    EXPECT_EQ(reply.outcomes.size(), 1U);
    return queued;
  }
  // The same of a transaction, in line where `in_line`.
  Durability ReachedInTransaction(Durability of_store, Durability asked, bool in_line) {
    OpenOptions options = Options(dir_.File());
    options.durability = of_store;
    test::Share share = Open(options);
    const TransactionControl how{30'000, asked};
    TransactionId id = 0;
    if (in_line) {
      EXPECT_TRUE(Eventually([&] { return share.engine().TryBeginInline(nullptr, how, &id); }));
    } else {
      Answer<Result<TransactionId>> begun;
      share.engine().Begin(nullptr, how, begun);
      id = begun.Get().value();
    }
    Answer<WriteReply> written;
    share.engine().WriteIn(id, {{SetOp("k")}}, written);
    Answer<Status> ended;
    share.engine().End(id, true, ended);
    EXPECT_TRUE(ended.Get().ok());
    return written.Get().durability;
  }
};

TEST_F(WeakWriteTest, OffIsNormalInAStrongerStore) {
  for (const Durability store : {Durability::kNormal, Durability::kPeriodic, Durability::kFull}) {
    EXPECT_EQ(Reached(store, Durability::kOff), Durability::kNormal);
    for (const Durability asked : {Durability::kNormal, Durability::kPeriodic, Durability::kFull}) {
      EXPECT_EQ(Reached(store, asked), asked);
    }
  }
}

TEST_F(WeakWriteTest, ATransactionReachesWhatItAskedForOrNormal) {
  for (const bool in_line : {false, true}) {
    for (const Durability asked : {Durability::kNormal, Durability::kPeriodic, Durability::kFull}) {
      EXPECT_EQ(ReachedInTransaction(Durability::kNormal, asked, in_line), asked);
    }
    EXPECT_EQ(ReachedInTransaction(Durability::kFull, Durability::kOff, in_line), Durability::kNormal);
    EXPECT_EQ(ReachedInTransaction(Durability::kOff, Durability::kOff, in_line), Durability::kOff);
  }
}

TEST_F(WeakWriteTest, AStoreThatWasOpenedOffStaysSo) {
  for (const Durability asked : {Durability::kOff, Durability::kNormal, Durability::kPeriodic, Durability::kFull}) {
    EXPECT_EQ(Reached(Durability::kOff, asked), asked);
  }
}

}  // namespace
}  // namespace hypha
