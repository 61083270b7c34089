// Snapshots that last for many reads.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "exec/store_fixture.h"
#include "support/slow_reads.h"

namespace hypha {
namespace {

using test::Answer;
using test::SetOp;
using test::Share;
using test::Slow;

class SnapshotsTest : public test::StoreFixture {
 protected:
  static Result<TransactionId> Begin(Share& share, std::int64_t timeout_ms = 0, const void* owner = nullptr) {
    Answer<Result<TransactionId>> answer;
    share.engine().BeginSnapshot(owner, timeout_ms, answer);
    return answer.Get();
  }
  static Answer<Result<ReadReply>> ReadIn(Share& share, TransactionId id, ReadRequest request) {
    Answer<Result<ReadReply>> answer;
    share.engine().ReadIn(id, std::move(request), answer);
    return answer;
  }
  static std::string GetIn(Share& share, TransactionId id, std::string key) {
    auto reply = ReadIn(share, id, GetEntrySpec{"default", std::move(key)}).Get();
    if (!reply.ok()) return std::string(Describe(reply.status().code()).name);
    const auto& entry = std::get<std::optional<Entry>>(reply.value());
    return entry ? entry->value : "absent";
  }
  static Code End(Share& share, TransactionId id) {
    Answer<Status> answer;
    share.engine().End(id, true, answer);
    return answer.Get().code();
  }
  static OpenOptions WithLimits(std::int64_t age_ms, std::int64_t max_snapshots) {
    OpenOptions options = Memory();
    options.limits.snapshot_age_ms = age_ms;
    options.limits.max_snapshots = max_snapshots;
    return options;
  }
};

TEST_F(SnapshotsTest, SeesOneStateWhateverIsWritten) {
  for (const OpenOptions& options : {Memory(), Options(dir_.File())}) {
    Share share = Open(options);
    ASSERT_TRUE(share.Set("a", "1").ok());
    const auto id = Begin(share).value();
    ASSERT_TRUE(share.Set("a", "2").ok());
    ASSERT_TRUE(share.Set("b", "2").ok());
    EXPECT_EQ(GetIn(share, id, "a"), "1");
    EXPECT_EQ(GetIn(share, id, "b"), "absent");
    EXPECT_EQ(std::get<std::int64_t>(ReadIn(share, id, CountSpec{"default", {}}).Get().value()), 1);
    EXPECT_EQ(share.Get("a"), "2");
    EXPECT_EQ(End(share, id), Code::kOk);
    EXPECT_EQ(GetIn(share, id, "a"), "HYPHA_TRANSACTION_INVALID");
    EXPECT_EQ(End(share, id), Code::kTransactionInvalid);
  }
}

TEST_F(SnapshotsTest, NeitherWaitsForAnOpenTransactionNorHoldsItUp) {
  Share share = Open(Memory());
  ASSERT_TRUE(share.Set("a", "1").ok());
  Answer<Result<TransactionId>> begun;
  share.engine().Begin(nullptr, 30'000, begun);
  const auto transaction = begun.Get().value();
  const auto id = Begin(share).value();
  Answer<WriteReply> written;
  share.engine().WriteIn(transaction, {{SetOp("a", "2")}, false, Durability::kNormal}, written);
  EXPECT_TRUE(written.Get().status.ok());
  EXPECT_EQ(GetIn(share, id, "a"), "1");
  Answer<Status> committed;
  share.engine().End(transaction, true, committed);
  EXPECT_TRUE(committed.Get().ok());
  EXPECT_EQ(GetIn(share, id, "a"), "1");
}

TEST_F(SnapshotsTest, WritesInItAreRefused) {
  Share share = Open(Memory());
  const auto id = Begin(share).value();
  Answer<WriteReply> answer;
  share.engine().WriteIn(id, {{SetOp("a")}, false, Durability::kNormal}, answer);
  EXPECT_EQ(answer.Get().status.code(), Code::kReadOnly);
  EXPECT_EQ(share.Get("a"), "absent");
}

TEST_F(SnapshotsTest, TheLimitOfSnapshotsHoldsAndEndingMakesRoom) {
  Share share = Open(WithLimits(60'000, 3));
  std::vector<TransactionId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(Begin(share).value());
  EXPECT_EQ(Begin(share).status().code(), Code::kBusy);
  EXPECT_EQ(End(share, ids[1]), Code::kOk);
  const auto id = Begin(share);
  ASSERT_TRUE(id.ok()) << id.status().message();
  EXPECT_EQ(Begin(share).status().code(), Code::kBusy);
  EXPECT_EQ(GetIn(share, ids[0], "a"), "absent");
}

// Nobody uses it, and nothing is written: it ends all the same, and lets the log be emptied.
TEST_F(SnapshotsTest, EndsAtItsAgeWhileNobodyLooks) {
  OpenOptions options = Options(dir_.File());
  options.limits.snapshot_age_ms = 150;
  Share share = Open(options);
  ASSERT_TRUE(share.Set("a", "1").ok());
  const auto id = Begin(share).value();
  ASSERT_TRUE(share.Set("a", "2").ok());
  const auto give_up = std::chrono::steady_clock::now() + test::kPatience;
  bool emptied = false;
  while (!emptied && std::chrono::steady_clock::now() < give_up) emptied = share.Checkpoint();
  EXPECT_TRUE(emptied);
  EXPECT_EQ(GetIn(share, id, "a"), "HYPHA_SNAPSHOT_EXPIRED");
  EXPECT_EQ(End(share, id), Code::kSnapshotExpired);
}

TEST_F(SnapshotsTest, ItsOwnTimeoutMayBeLessThanTheAgeAndNeverMore) {
  Share share = Open(WithLimits(60'000, 3));
  const auto started = std::chrono::steady_clock::now();
  const auto id = Begin(share, 30).value();
  while (GetIn(share, id, "a") == "absent" && std::chrono::steady_clock::now() < started + test::kPatience) {
  }
  EXPECT_EQ(GetIn(share, id, "a"), "HYPHA_TRANSACTION_TIMEOUT");
  EXPECT_EQ(End(share, id), Code::kTransactionTimeout);
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(30));
  Share strict = Open(WithLimits(30, 3));
  for (const auto& [timeout_ms, code] :
       {std::pair(29, "HYPHA_TRANSACTION_TIMEOUT"), std::pair(30, "HYPHA_SNAPSHOT_EXPIRED"),
        std::pair(31, "HYPHA_SNAPSHOT_EXPIRED")}) {
    const auto other = Begin(strict, timeout_ms).value();
    std::this_thread::sleep_for(std::chrono::milliseconds(40));
    EXPECT_EQ(GetIn(strict, other, "a"), code) << timeout_ms;
  }
}

// Reads of one snapshot run one at a time over one connection, from whatever threads they are asked.
TEST_F(SnapshotsTest, ReadsOfManySnapshotsAtOnceAllAnswer) {
  OpenOptions options = WithLimits(60'000, 16);
  options.readers = 4;
  Share share = Open(options);
  std::vector<TransactionId> ids;
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(share.Set("k", std::to_string(i)).ok());
    ids.push_back(Begin(share).value());
  }
  std::vector<std::vector<Answer<Result<ReadReply>>>> answers(ids.size());
  for (int round = 0; round < 50; ++round) {
    for (std::size_t i = 0; i < ids.size(); ++i) {
      answers[i].push_back(ReadIn(share, ids[i], GetEntrySpec{"default", "k"}));
    }
  }
  for (std::size_t i = 0; i < ids.size(); ++i) {
    for (const auto& answer : answers[i]) {
      const auto reply = answer.Get();
      ASSERT_TRUE(reply.ok()) << reply.status().message();
      EXPECT_EQ(std::get<std::optional<Entry>>(reply.value())->value, std::to_string(i));
      EXPECT_EQ(answer.count(), 1);
    }
  }
}

class BusySnapshotTest : public SnapshotsTest {
 protected:
  static void Fill(Share& share) { ASSERT_TRUE(share.Write(test::LongTexts()).status.ok()); }
};

TEST_F(BusySnapshotTest, AReadThatRunsWhenTheAgeIsReachedEnds) {
  Share share = Open(WithLimits(30, 3));
  Fill(share);
  const auto id = Begin(share).value();
  std::vector<Answer<Result<ReadReply>>> answers;
  for (int i = 0; i < 200; ++i) answers.push_back(ReadIn(share, id, CountSpec{"default", Slow()}));
  for (const auto& answer : answers) {
    const auto reply = answer.Get();
    if (!reply.ok()) {
      EXPECT_EQ(reply.status().code(), Code::kSnapshotExpired) << reply.status().message();
    }
  }
  EXPECT_EQ(answers.back().Get().status().code(), Code::kSnapshotExpired);
}

TEST_F(BusySnapshotTest, AbandonEndsThoseOfTheOwnerOnly) {
  Share share = Open(WithLimits(60'000, 2));
  Fill(share);
  const int mine = 0;
  const int other = 0;
  const auto id = Begin(share, 0, &mine).value();
  const auto theirs = Begin(share, 0, &other).value();
  std::vector<Answer<Result<ReadReply>>> answers;
  for (int i = 0; i < 20; ++i) answers.push_back(ReadIn(share, id, CountSpec{"default", Slow()}));
  share.engine().Abandon(&mine);
  for (const auto& answer : answers) {
    const auto reply = answer.Get();
    EXPECT_TRUE(reply.ok() || reply.status().code() == Code::kClosed) << reply.status().message();
  }
  EXPECT_EQ(GetIn(share, id, "a"), "HYPHA_TRANSACTION_INVALID");
  EXPECT_EQ(GetIn(share, theirs, "a"), "absent");
}

TEST_F(BusySnapshotTest, ClosingAnswersEverything) {
  Share share = Open(WithLimits(60'000, 4));
  Fill(share);
  std::vector<Answer<Result<ReadReply>>> answers;
  for (int s = 0; s < 3; ++s) {
    const auto id = Begin(share).value();
    for (int i = 0; i < 10; ++i) answers.push_back(ReadIn(share, id, CountSpec{"default", Slow()}));
  }
  Answer<Result<TransactionId>> beginning;
  share.engine().BeginSnapshot(nullptr, 0, beginning);
  EXPECT_TRUE(share.Close().ok());
  EXPECT_EQ(beginning.count(), 1);
  for (const auto& answer : answers) {
    ASSERT_EQ(answer.count(), 1);
    const auto reply = answer.Get();
    EXPECT_TRUE(reply.ok() || reply.status().code() == Code::kClosed) << reply.status().message();
  }
}

TEST_F(SnapshotsTest, AReadOnlyStoreHasThemToo) {
  { EXPECT_TRUE(Open().Set("a", "1").ok()); }
  OpenOptions options = Options(dir_.File());
  options.read_only = true;
  options.create = false;
  Share share = Open(options);
  const auto id = Begin(share).value();
  EXPECT_EQ(GetIn(share, id, "a"), "1");
  EXPECT_EQ(End(share, id), Code::kOk);
}

}  // namespace
}  // namespace hypha
