// Transactions whose steps run on the calling thread, and the passing of the connection between the two.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <utility>

#include "exec/writer_fixture.h"
#include "support/eventually.h"
#include "support/fake_clock.h"

namespace hypha {
namespace {

using test::Answer;
using test::SetOp;
using test::TheFaults;

class WriterInlineTest : public test::WriterFixture {
 protected:
  void SetUp() override {
    clock_.Install(&hooks_);
    WriterFixture::SetUp();
  }
  // The writer answers before it goes idle, and looks about when it is woken: for a moment it is not to be had.
  static void OnceIdle(const std::function<bool()>& attempt) {
    EXPECT_TRUE(test::Eventually(attempt)) << "it never became idle";
  }
  TransactionId BeginInline(std::int64_t timeout_ms = 30'000, const void* owner = nullptr,
                            Durability durability = Durability::kNormal) {
    TransactionId id = 0;
    OnceIdle([&] { return writer_->TryBeginInline(owner, durability, timeout_ms, &id); });
    return id;
  }
  std::optional<WriteReply> TrySetInline(TransactionId id, WriteOp op) {
    WriteRequest request = Request({std::move(op)});
    WriteReply reply;
    if (!writer_->TryWriteInInline(id, request, &reply)) return std::nullopt;
    return reply;
  }
  WriteReply SetInline(TransactionId id, const WriteOp& op) {
    std::optional<WriteReply> reply;
    OnceIdle([&] { return (reply = TrySetInline(id, op)).has_value(); });
    return reply.value_or(WriteReply{Status(Code::kBusy), {}, Durability::kOff});
  }
  Status EndInline(TransactionId id, bool commit) {
    Status status(Code::kBusy);
    OnceIdle([&] { return writer_->TryEndInline(id, commit, &status); });
    return status;
  }
  std::string GetInline(TransactionId id, const std::string& key) {
    std::string value = "not inline";
    writer_->TryReadInInline(id, [&](ReadContext& context) {
      const auto entry = context.entries().GetEntry("default", key).value();
      value = entry ? entry->value : "absent";
    });
    return value;
  }
  // An empty log is started over by the next commit, which syncs.
  void FillLog() { ASSERT_TRUE(Write({SetOp("first")}).Get().status.ok()); }

  test::FakeClock clock_;
};

TEST_F(WriterInlineTest, AWholeTransactionRunsOnTheCallingThread) {
  FillLog();
  const auto id = BeginInline();
  EXPECT_TRUE(SetInline(id, SetOp("a")).status.ok());
  EXPECT_EQ(GetInline(id, "a"), "1");
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(EndInline(id, true).ok());
  EXPECT_EQ(Stored("a"), "1");
  EXPECT_EQ(End(id, true).Get().code(), Code::kTransactionInvalid);
  EXPECT_FALSE(TrySetInline(id, SetOp("b")).has_value());
}

TEST_F(WriterInlineTest, ARollbackTakesBackWhatTheCachesLearnt) {
  FillLog();
  const auto id = BeginInline();
  EXPECT_TRUE(SetInline(id, SetOp("a", "1", "new namespace")).status.ok());
  EXPECT_TRUE(EndInline(id, false).ok());
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(Write({SetOp("b", "1", "new namespace")}).Get().outcomes.at(0).status.ok());
  EXPECT_EQ(Stored("b"), "1");
}

TEST_F(WriterInlineTest, StepsMayAlternateBetweenTheThreads) {
  FillLog();
  const auto id = BeginInline();
  for (int i = 0; i < 50; ++i) {
    const std::string key = "k" + std::to_string(i);
    if (i % 2 == 0) {
      EXPECT_TRUE(WriteIn(id, SetOp(key)).Get().status.ok());
    } else {
      EXPECT_TRUE(SetInline(id, SetOp(key)).status.ok());
    }
  }
  EXPECT_TRUE(End(id, true).Get().ok());
  EXPECT_EQ(Stored("k48") + Stored("k49"), "11");
}

TEST_F(WriterInlineTest, NeverACommitThatSyncs) {
  FillLog();
  Status status;
  const auto full = BeginInline(30'000, nullptr, Durability::kFull);
  EXPECT_TRUE(SetInline(full, SetOp("a")).status.ok());
  EXPECT_FALSE(writer_->TryEndInline(full, true, &status));
  EXPECT_TRUE(End(full, true).Get().ok());
  EXPECT_EQ(Stored("a"), "1");
  Answer<Status> emptied;
  writer_->RunAlone([emptied](WalService& wal) { emptied(wal.Checkpoint(SQLITE_CHECKPOINT_TRUNCATE)); }, {}, emptied);
  ASSERT_TRUE(emptied.Get().ok());
  const auto fresh = BeginInline();
  EXPECT_TRUE(SetInline(fresh, SetOp("b")).status.ok());
  EXPECT_FALSE(writer_->TryEndInline(fresh, true, &status)) << "the first commit to an empty log syncs its header";
  EXPECT_TRUE(End(fresh, true).Get().ok());
  EXPECT_EQ(Stored("b"), "1");
}

TEST_F(WriterInlineTest, LongWorkIsTheWriterThreads) {
  FillLog();
  const auto id = BeginInline();
  std::vector<WriteOp> ops;
  for (int i = 0; i < 9; ++i) ops.push_back(SetOp("k" + std::to_string(i)));
  WriteReply reply;
  WriteRequest nine = Request(ops);
  EXPECT_FALSE(writer_->TryWriteInInline(id, nine, &reply));
  EXPECT_EQ(nine.ops.size(), 9U) << "a request that was refused keeps its operations";
  ops.pop_back();
  WriteRequest eight = Request(ops);
  OnceIdle([&] { return writer_->TryWriteInInline(id, eight, &reply); });
  EXPECT_FALSE(TrySetInline(id, SetOp("large", "\"" + std::string(70'000, 'x') + "\"")).has_value());
  WriteOp clear;
  clear.kind = WriteKind::kClear;
  clear.all = true;
  EXPECT_FALSE(TrySetInline(id, clear).has_value());
  for (int i = 0; i < 40; ++i) {
    ASSERT_TRUE(WriteIn(id, SetOp("m" + std::to_string(i), "\"" + std::string(30'000, 'x') + "\"")).Get().status.ok());
  }
  Status status;
  EXPECT_FALSE(writer_->TryEndInline(id, true, &status)) << "more than a mebibyte was written";
  EXPECT_TRUE(End(id, true).Get().ok());
}

TEST_F(WriterInlineTest, OnlyTheOpenOneAndNotPastItsDeadline) {
  FillLog();
  const auto id = BeginInline(60'000);
  EXPECT_FALSE(TrySetInline(id + 1000, SetOp("a")).has_value());
  TransactionId second = 0;
  EXPECT_FALSE(writer_->TryBeginInline(nullptr, Durability::kNormal, 1000, &second));
  EXPECT_TRUE(SetInline(id, SetOp("a")).status.ok());
  clock_.Advance(std::chrono::milliseconds(60'001));
  // The thread ends it, though nobody told it anything since.
  EXPECT_TRUE(Write({SetOp("b")}).Get().status.ok());
  EXPECT_FALSE(TrySetInline(id, SetOp("a")).has_value());
  EXPECT_EQ(WriteIn(id, SetOp("a")).Get().status.code(), Code::kTransactionTimeout);
  EXPECT_EQ(Stored("a"), "absent");
}

// Nothing but the deadline wakes the writer thread, and its sleep was longer.
TEST_F(WriterInlineTest, TheDeadlineHoldsWhileEverybodySleeps) {
  FillLog();
  const int owner = 0;
  const auto before = BeginInline(60'000, &owner);
  EXPECT_TRUE(EndInline(before, false).ok());
  const auto id = BeginInline(1000, &owner);
  EXPECT_TRUE(SetInline(id, SetOp("a")).status.ok());
  const auto give_up = std::chrono::steady_clock::now() + test::kPatience;
  // The lock is free for others once the transaction is rolled back.
  Status lock(Code::kBusy);
  while (!lock.ok() && std::chrono::steady_clock::now() < give_up) lock = keeper_->Exec("BEGIN IMMEDIATE");
  EXPECT_TRUE(lock.ok());
  EXPECT_TRUE(keeper_->Exec("ROLLBACK").ok());
}

TEST_F(WriterInlineTest, AnotherProcessesLockSendsItToTheQueue) {
  ASSERT_TRUE(keeper_->Exec("BEGIN IMMEDIATE").ok());
  TransactionId id = 0;
  const auto started = std::chrono::steady_clock::now();
  EXPECT_FALSE(writer_->TryBeginInline(nullptr, Durability::kNormal, 1000, &id));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
  ASSERT_TRUE(keeper_->Exec("ROLLBACK").ok());
  EXPECT_TRUE(End(BeginInline(), true).Get().ok());
}

TEST_F(WriterInlineTest, StrangersComeAfterIt) {
  FillLog();
  const auto id = BeginInline();
  const auto stranger = Write({SetOp("s")});
  EXPECT_TRUE(SetInline(id, SetOp("a")).status.ok());
  EXPECT_FALSE(stranger.Came());
  EXPECT_TRUE(EndInline(id, true).ok());
  EXPECT_TRUE(stranger.Get().status.ok());
  EXPECT_EQ(Stored("a") + Stored("s"), "11");
}

TEST_F(WriterInlineTest, AbandonAndCloseRollItBack) {
  FillLog();
  const int owner = 0;
  const auto id = BeginInline(30'000, &owner);
  EXPECT_TRUE(SetInline(id, SetOp("a")).status.ok());
  writer_->Abandon(&owner);
  EXPECT_FALSE(TrySetInline(id, SetOp("a")).has_value());
  const auto next = BeginInline();
  EXPECT_TRUE(SetInline(next, SetOp("b")).status.ok());
  EXPECT_TRUE(Close().ok());
  EXPECT_EQ(Stored("a") + Stored("b"), "absentabsent");
}

TEST_F(WriterInlineTest, AnErrorThatDropsTheTransactionEndsIt) {
  FillLog();
  const auto id = BeginInline();
  EXPECT_TRUE(SetInline(id, SetOp("a")).status.ok());
  TheFaults().write_error = SQLITE_IOERR_WRITE;
  // Larger than the page cache: it spills into the log, which fails.
  Code code = Code::kOk;
  for (int i = 0; i < 500 && code == Code::kOk; ++i) {
    const auto reply = SetInline(id, SetOp("k" + std::to_string(i), "\"" + std::string(60'000, 'x') + "\""));
    code = reply.status.ok() ? reply.outcomes.at(0).status.code() : reply.status.code();
  }
  EXPECT_EQ(code, Code::kIo);
  TheFaults().Clear();
  EXPECT_EQ(End(id, true).Get().code(), Code::kTransactionInvalid);
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(Write({SetOp("b")}).Get().status.ok());
}

}  // namespace
}  // namespace hypha
