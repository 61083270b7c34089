#include "exec/reader_pool.h"

#include <gtest/gtest.h>

#include <atomic>

#include "exec/store_fixture.h"
#include "support/slow_reads.h"

namespace hypha {
namespace {

using test::Answer;
using test::kEndless;
using test::SetOp;
using test::Share;
using test::Slow;

class ReaderPoolTest : public ::testing::Test {
 protected:
  std::unique_ptr<ReaderPool> Pool(int threads) {
    std::vector<std::unique_ptr<ReadSession>> sessions;
    for (int i = 0; i < threads; ++i) {
      sessions.push_back(std::make_unique<ReadSession>(test::Open(test::MemoryOptions(name_, Role::kReader))));
    }
    return std::make_unique<ReaderPool>(std::move(sessions), 1000);
  }
  std::string name_ = NewMemoryName();
  std::unique_ptr<Connection> db_ = test::OpenFresh(test::MemoryOptions(name_));
};

TEST_F(ReaderPoolTest, EachJobRunsOnceInItsOwnSnapshot) {
  auto pool = Pool(3);
  std::vector<Answer<std::int64_t>> answers(200);
  for (auto& answer : answers) {
    pool->Run([answer](ReadContext& context) { answer(context.entries().CountAll().value()); },
              [](Status status) { ADD_FAILURE() << status.message(); });
  }
  for (const auto& answer : answers) EXPECT_EQ(answer.Get(), 0);
  pool->Close();
  for (const auto& answer : answers) EXPECT_EQ(answer.count(), 1);
}

TEST_F(ReaderPoolTest, CloseInterruptsWhatRunsAndFailsWhatWaits) {
  auto pool = Pool(1);
  Answer<int> running;
  Answer<Status> interrupted;
  Answer<Status> waiting;
  pool->Run(
      [=](ReadContext& context) {
        running(1);
        interrupted(context.db().QueryInteger(kEndless).status());
      },
      [](Status status) { ADD_FAILURE() << status.message(); });
  running.Get();
  pool->Run([](ReadContext&) { ADD_FAILURE() << "ran after close"; }, waiting);
  pool->Close();
  EXPECT_EQ(interrupted.Get().code(), Code::kTimeout);
  EXPECT_EQ(waiting.Get().code(), Code::kClosed);
  Answer<Status> late;
  pool->Run([](ReadContext&) { ADD_FAILURE() << "ran after close"; }, late);
  EXPECT_EQ(late.Get().code(), Code::kClosed);
  pool->Close();
}

// The job has been taken but its first statement is yet to come when the pool is closed.
TEST_F(ReaderPoolTest, CloseInterruptsAStatementThatBeginsLater) {
  auto pool = Pool(1);
  Answer<int> running;
  Answer<int> closing;
  Answer<Status> interrupted;
  pool->Run(
      [=](ReadContext& context) {
        running(1);
        closing.Get();
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        interrupted(context.db().QueryInteger(kEndless).status());
      },
      [](Status status) { ADD_FAILURE() << status.message(); });
  running.Get();
  closing(1);
  pool->Close();
  EXPECT_EQ(interrupted.Get().code(), Code::kTimeout);
}

TEST_F(ReaderPoolTest, AReadSeesWhatWasCommittedBeforeItWasAskedFor) {
  auto pool = Pool(2);
  for (int i = 1; i <= 50; ++i) {
    ASSERT_TRUE(db_->Exec("INSERT INTO hypha_namespaces(name, explicit, created_at) SELECT 'n' || count(*), 1, 1 FROM "
                          "hypha_namespaces")
                    .ok());
    Answer<std::int64_t> count;
    pool->Run([count](ReadContext& context) { count(context.entries().CountNamespaces().value()); },
              [](Status status) { ADD_FAILURE() << status.message(); });
    ASSERT_EQ(count.Get(), i);
  }
}

class EngineReadTest : public test::StoreFixture {};

TEST_F(EngineReadTest, AnswersEachKindOfRequest) {
  Share share = Open(Memory());
  ASSERT_TRUE(share.Set("a", "1").ok());
  ASSERT_TRUE(share.Set("b", "{\"x\":2}", "other").ok());
  EXPECT_EQ(share.Get("a"), "1");
  EXPECT_EQ(share.Get("nothing"), "absent");
  EXPECT_EQ(std::get<std::int64_t>(share.Read(CountSpec{"other", {}}).value()), 1);
  EXPECT_EQ(std::get<std::int64_t>(share.Read(CountSpec{"nowhere", {}}).value()), 0);
  ListSpec list;
  list.ns = "other";
  EXPECT_EQ(std::get<JsonChunks>(share.Read(list).value()), (JsonChunks{"[\"b\"]"}));
  QuerySpec query;
  query.ns = "other";
  query.shape = QueryShape::kKernel;
  EXPECT_EQ(std::get<QueryReply>(share.Read(query).value()).chunks,
            (JsonChunks{"[{\"key\":\"b\",\"value\":{\"x\":2},\"metadata\":{}}]"}));
  EXPECT_EQ(std::get<JsonChunks>(share.Read(NamespacesSpec{}).value()), (JsonChunks{"[\"default\",\"other\"]"}));
  const auto many = std::get<ManyReply>(share.Read(GetManySpec{"default", {"x", "a"}}).value());
  EXPECT_EQ(many.values, JsonChunks{"[1]"});
  EXPECT_FALSE(std::get<std::optional<NamespaceInfo>>(share.Read(NamespaceSpec{"nowhere"}).value()));
  const auto status = std::get<std::string>(share.Read(StatusSpec{}).value());
  EXPECT_NE(status.find("\"size\":2,\"namespaces\":2"), std::string::npos) << status;
}

TEST_F(EngineReadTest, DefaultIsAlwaysThere) {
  Share share = Open(Memory());
  EXPECT_EQ(std::get<JsonChunks>(share.Read(NamespacesSpec{}).value()), (JsonChunks{"[\"default\"]"}));
  EXPECT_TRUE(std::get<std::optional<NamespaceInfo>>(share.Read(NamespaceSpec{"default"}).value())->is_explicit);
  ASSERT_TRUE(share.Set("k", "1", "alpha").ok());
  ASSERT_TRUE(share.Set("k", "1", "zeta").ok());
  EXPECT_EQ(std::get<JsonChunks>(share.Read(NamespacesSpec{}).value()),
            (JsonChunks{"[\"alpha\",\"default\",\"zeta\"]"}));
}

TEST_F(EngineReadTest, SlowReadsEndAtTheTimeoutAndLargeOnesAtTheLimit) {
  OpenOptions options = Memory();
  options.limits.query_timeout_ms = 0;
  options.limits.result_bytes = 5000;
  Share share = Open(options);
  std::vector<WriteOp> ops;
  for (int i = 0; i < 5000; ++i) ops.push_back(SetOp("k" + std::to_string(i), "\"needle in a haystack\""));
  ASSERT_TRUE(share.Write(ops).status.ok());
  EXPECT_EQ(share.Read(CountSpec{"default", Slow()}).status().code(), Code::kTimeout);
  options.limits.query_timeout_ms = 60'000;
  Share patient = Open(options);
  ASSERT_TRUE(patient.Write(ops).status.ok());
  QuerySpec query;
  query.ns = "default";
  EXPECT_EQ(patient.Read(query).status().code(), Code::kTooLarge);
  GetManySpec many{"default", {}};
  for (int i = 0; i < 500; ++i) many.keys.push_back("k1");
  EXPECT_EQ(patient.Read(many).status().code(), Code::kTooLarge);
  EXPECT_EQ(patient.Get("k1"), "\"needle in a haystack\"");  // the connections are none the worse
}

TEST_F(EngineReadTest, EveryReadIsAnsweredWhenTheStoreCloses) {
  Share share = Open(Memory());
  ASSERT_TRUE(share.Write(test::LongTexts()).status.ok());
  std::vector<Answer<Result<ReadReply>>> answers(50);
  for (auto& answer : answers) share.engine().Read(CountSpec{"default", Slow()}, answer);
  EXPECT_TRUE(share.Close().ok());
  for (const auto& answer : answers) {
    ASSERT_EQ(answer.count(), 1);
    const auto reply = answer.Get();
    EXPECT_TRUE(reply.ok() || reply.status().code() == Code::kClosed)
        << reply.status().message() << " code " << static_cast<int>(reply.status().code()) << " of SQLite "
        << reply.status().sqlite_code();
  }
}

TEST_F(EngineReadTest, CheckpointEmptiesTheLog) {
  Share share = Open();
  ASSERT_TRUE(share.Set("k").ok());
  EXPECT_GT(std::filesystem::file_size(dir_.File("a.db-wal")), 0U);
  EXPECT_TRUE(share.Checkpoint());
  EXPECT_EQ(std::filesystem::file_size(dir_.File("a.db-wal")), 0U);
  EXPECT_EQ(share.Get("k"), "1");
}

TEST_F(EngineReadTest, CheckpointIsBusyWhileASnapshotIsOpen) {
  Share share = Open();
  ASSERT_TRUE(share.Set("k").ok());
  EXPECT_EQ(share.Inline("k"), "1");
  ASSERT_TRUE(share.Set("k", "2").ok());
  EXPECT_FALSE(share.Checkpoint());
  share.reader()->EndTurn();
  EXPECT_TRUE(share.Checkpoint());
}

}  // namespace
}  // namespace hypha
