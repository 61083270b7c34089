#include "exec/write_session.h"

#include <gtest/gtest.h>

#include "ops/checkpointer.h"
#include "support/databases.h"
#include "support/fault_vfs.h"

namespace hypha {
namespace {

using test::Op;
using test::SetOp;
using test::TheFaults;

class WriteSessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(RegisterMemoryVfs(), SQLITE_OK);
    ASSERT_EQ(test::RegisterFaultVfs(), SQLITE_OK);
    TheFaults().Clear();
    ConnectionOptions options = test::MemoryOptions(name_);
    options.vfs = {test::kFaultVfs, test::kFaultVfs};
    session_ = std::make_unique<WriteSession>(test::OpenFresh(std::move(options)), hooks_);
  }
  void TearDown() override { TheFaults().Clear(); }

  static WriteJob Job(std::vector<WriteOp> ops, bool atomic = false, Durability durability = Durability::kFull) {
    return {{std::move(ops), atomic, durability}, {}, std::chrono::steady_clock::now()};
  }
  void Run(std::vector<WriteJob>& jobs) {
    std::vector<WriteJob*> group;
    for (auto& job : jobs) group.push_back(&job);
    session_->RunGroup(group);
    EXPECT_FALSE(session_->in_transaction());
  }
  WriteReply Run(WriteJob job) {
    std::vector<WriteJob> jobs;
    jobs.push_back(std::move(job));
    Run(jobs);
    return jobs[0].reply;
  }
  // What another connection sees.
  std::string Stored(std::string_view key) {
    auto db = test::Open(test::MemoryOptions(name_, Role::kReader));
    KvStatements statements(*db);
    NamespaceCache namespaces(statements);
    const auto entry = EntryReader(statements, namespaces).GetEntry("default", key);
    return entry.value() ? entry.value()->value : "absent";
  }
  std::int64_t Synchronous() { return session_->db().QueryInteger("PRAGMA synchronous").value(); }

  std::string name_ = NewMemoryName();
  Hooks hooks_;
  std::unique_ptr<WriteSession> session_;
};

TEST_F(WriteSessionTest, EachOutcomeStandsAlone) {
  WriteOp refused = SetOp("a", "2");
  refused.overwrite = false;
  const WriteReply reply = Run(Job({SetOp("a"), refused, SetOp("b")}));
  EXPECT_TRUE(reply.status.ok());
  ASSERT_EQ(reply.outcomes.size(), 3U);
  EXPECT_EQ(reply.outcomes[1].status.code(), Code::kExists);
  EXPECT_EQ(Stored("a") + Stored("b"), "11");
}

// As when there is no memory for it: what cannot be taken back alone goes with the rest.
TEST_F(WriteSessionTest, AFailedRequestThatCannotBeTakenBackIsNotCommitted) {
  const auto deny = [](void*, int action, const char* what, const char*, const char*, const char*) {
    const bool ends = action == SQLITE_TRANSACTION || action == SQLITE_SAVEPOINT;
    return ends && std::string_view(what) == "ROLLBACK" ? SQLITE_DENY : SQLITE_OK;
  };
  ASSERT_TRUE(Run(Job({SetOp("a")})).status.ok());
  WriteOp refused = SetOp("a", "2");
  refused.overwrite = false;
  session_->db().cache().Clear();
  sqlite3_set_authorizer(session_->db().handle(), deny, nullptr);
  const WriteReply reply = Run(Job({SetOp("b"), refused}, true));
  EXPECT_FALSE(reply.status.ok());
  EXPECT_EQ(Stored("b"), "absent");
  EXPECT_EQ(Run(Job({SetOp("c")})).status.code(), Code::kNoMem) << "the transaction is still open";
  sqlite3_set_authorizer(session_->db().handle(), nullptr, nullptr);
  EXPECT_TRUE(Run(Job({SetOp("c")})).status.ok());
  EXPECT_EQ(Stored("a") + Stored("b") + Stored("c"), "1absent1");
}

TEST_F(WriteSessionTest, AnAtomicRequestIsAllOrNothingInsideItsGroup) {
  WriteOp refused = SetOp("a", "2");
  refused.overwrite = false;
  std::vector<WriteJob> jobs;
  jobs.push_back(Job({SetOp("a")}));
  jobs.push_back(Job({SetOp("b"), SetOp("x", "1", "made by the failure"), refused, SetOp("c")}, true));
  jobs.push_back(Job({SetOp("d"), SetOp("x", "2", "made by the failure")}, true));
  Run(jobs);
  EXPECT_EQ(jobs[1].reply.status.code(), Code::kExists);
  EXPECT_EQ(jobs[1].reply.status.message(), "Key \"a\" already exists in namespace \"default\"");
  EXPECT_TRUE(jobs[1].reply.outcomes.empty());
  EXPECT_TRUE(jobs[0].reply.status.ok());
  EXPECT_TRUE(jobs[2].reply.status.ok());
  EXPECT_EQ(Stored("a") + Stored("b") + Stored("c") + Stored("d"), "1absentabsent1");
  EXPECT_EQ(session_->db().QueryInteger("SELECT count(*) FROM hypha_entries").value(), 3);
}

TEST_F(WriteSessionTest, APoisonedRequestDoesNotHurtTheOthers) {
  std::vector<WriteJob> jobs;
  jobs.push_back(Job({SetOp("a")}));
  jobs.push_back(Job({SetOp("big", std::string(94U << 20, ' ')), SetOp("b")}));
  jobs.push_back(Job({SetOp("c")}));
  Run(jobs);
  EXPECT_EQ(jobs[1].reply.outcomes[0].status.code(), Code::kTooLarge);
  EXPECT_TRUE(jobs[1].reply.outcomes[1].status.ok());
  EXPECT_EQ(Stored("a") + Stored("b") + Stored("c"), "111");
}

TEST_F(WriteSessionTest, AFullDiskIsDefiniteAndPasses) {
  std::vector<WriteJob> jobs;
  jobs.push_back(Job({SetOp("a")}));
  jobs.push_back(Job({SetOp("b")}));
  TheFaults().write_error = SQLITE_FULL;
  Run(jobs);
  for (const auto& job : jobs) EXPECT_EQ(job.reply.status.code(), Code::kFull);
  EXPECT_FALSE(session_->stopped());
  TheFaults().Clear();
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(Run(Job({SetOp("c")})).status.ok());
  EXPECT_EQ(Stored("c"), "1");
}

// The group's commit fails; then each request has its own transaction, and the small one finds room.
TEST_F(WriteSessionTest, AGroupThatFailsIsRunOneByOne) {
  ASSERT_TRUE(Run(Job({SetOp("first")})).status.ok());
  std::vector<WriteJob> jobs;
  jobs.push_back(Job({SetOp("large", "\"" + std::string(100'000, 'x') + "\"")}));
  jobs.push_back(Job({SetOp("small")}));
  int commits = 0;
  hooks_.reached = [&](const char* point) {
    if (std::string_view(point) != "before-commit") return;
    TheFaults().writes_before_error = ++commits < 3 ? 5 : 1'000'000;
    TheFaults().write_error = SQLITE_FULL;
  };
  Run(jobs);
  EXPECT_EQ(commits, 3);
  EXPECT_EQ(jobs[0].reply.status.code(), Code::kFull);
  EXPECT_TRUE(jobs[1].reply.status.ok());
  TheFaults().Clear();
  EXPECT_EQ(Stored("large"), "absent");
  EXPECT_EQ(Stored("small"), "1");
}

// Making an index: the one write that ends midway.
class MakeIndexTest : public WriteSessionTest {
 protected:
  static constexpr int kEntries = 20'000;

  void SetUp() override {
    WriteSessionTest::SetUp();
    std::vector<WriteOp> ops;
    for (int i = 0; i < kEntries; ++i)
      ops.push_back(SetOp("k" + std::to_string(i), "{\"f\":" + std::to_string(i) + "}"));
    ASSERT_TRUE(Run(Job(std::move(ops))).status.ok());
  }
  static WriteJob IndexJob(bool unique = false) {
    WriteOp op;
    op.kind = WriteKind::kCreateIndex;
    op.ns = "default";
    op.value = R"([{"field":"f"}])";
    op.unique = unique;
    return Job({op});
  }
  std::int64_t Indexes() { return session_->db().QueryInteger("SELECT count(*) FROM hypha_indexes").value(); }
  // Calls `then` once the index is begun: it is the second operation of the group.
  void OnceBegun(std::function<void()> then) {
    hooks_.reached = [then = std::move(then), operations = std::make_shared<int>(0)](const char* point) {
      if (std::string_view(point) == "before-operation" && ++*operations == 2) then();
    };
  }
  std::vector<WriteJob> Group(WriteJob index) {
    std::vector<WriteJob> jobs;
    jobs.push_back(Job({SetOp("a")}));
    jobs.push_back(std::move(index));
    jobs.push_back(Job({SetOp("b")}));
    return jobs;
  }
};

TEST_F(MakeIndexTest, EndsMidwayWhenItIsCalledOffAndTheRestOfItsGroupStays) {
  WriteJob index = IndexJob();
  index.wait.cancelled = std::make_shared<std::atomic<bool>>(false);
  OnceBegun([flag = index.wait.cancelled] { flag->store(true); });
  auto jobs = Group(std::move(index));
  Run(jobs);
  EXPECT_EQ(jobs[1].reply.status.code(), Code::kAborted);
  EXPECT_TRUE(jobs[0].reply.status.ok() && jobs[2].reply.status.ok());
  EXPECT_EQ(Stored("a") + Stored("b"), "11");
  EXPECT_EQ(Indexes(), 0);
}

TEST_F(MakeIndexTest, EndsMidwayWhenItsTimeIsUp) {
  WriteJob index = IndexJob();
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  index.wait.until = until;
  OnceBegun([until] { std::this_thread::sleep_until(until); });
  auto jobs = Group(std::move(index));
  Run(jobs);
  EXPECT_EQ(jobs[1].reply.status.code(), Code::kTimeout);
  EXPECT_EQ(Stored("a") + Stored("b"), "11");
  EXPECT_EQ(Indexes(), 0);
  EXPECT_TRUE(Run(IndexJob()).status.ok());
  EXPECT_EQ(Indexes(), 1);
}

TEST_F(MakeIndexTest, TellsHowManyValuesItHasRead) {
  for (const bool unique : {false, true}) {
    WriteJob index = IndexJob(unique);
    index.wait.cancelled = std::make_shared<std::atomic<bool>>(false);
    const auto progress = std::make_shared<Progress>();
    index.request.control.progress = progress;
    ASSERT_TRUE(Run(std::move(index)).status.ok());
    EXPECT_EQ(progress->total, kEntries * (unique ? 3 : 1));
    EXPECT_EQ(progress->done, progress->total);
    WriteOp drop;
    drop.kind = WriteKind::kDropIndex;
    drop.ns = "default";
    drop.value = R"([{"field":"f"}])";
    ASSERT_TRUE(Run(Job({drop})).status.ok());
  }
}

TEST_F(WriteSessionTest, AFailedSyncIsIndeterminateAndStopsEverything) {
  ASSERT_TRUE(Run(Job({SetOp("first")})).status.ok());
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  std::vector<WriteJob> jobs;
  jobs.push_back(Job({SetOp("a")}));
  jobs.push_back(Job({SetOp("b")}));
  Run(jobs);
  for (const auto& job : jobs) {
    EXPECT_EQ(job.reply.status.code(), Code::kIndeterminate);
    EXPECT_TRUE(job.reply.outcomes.empty());
  }
  EXPECT_TRUE(session_->stopped());
  TheFaults().Clear();
  EXPECT_EQ(Run(Job({SetOp("c")})).status.code(), Code::kStopped);
  WriteJob job = Job({SetOp("d")}, false, Durability::kNormal);
  EXPECT_FALSE(session_->RunInline(job));
}

// The commit is done, at the level that it was asked for; what would be written after it could not be relied on.
TEST_F(WriteSessionTest, AFailedSyncOfACheckpointOnTheCommitPathStopsEverything) {
  ConnectionOptions options = test::MemoryOptions(name_);
  options.vfs = {test::kFaultVfs, test::kFaultVfs};
  session_ = std::make_unique<WriteSession>(test::OpenFresh(std::move(options)), hooks_, 1);
  ASSERT_TRUE(Run(Job({SetOp("first")}, false, Durability::kNormal)).status.ok());
  EXPECT_FALSE(session_->stopped());
  ASSERT_TRUE(Run(Job({SetOp("second")}, false, Durability::kNormal)).status.ok());
  TheFaults().log_syncs = true;
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  const WriteReply reply = Run(Job({SetOp("last")}, false, Durability::kNormal));
  TheFaults().Clear();
  EXPECT_TRUE(reply.status.ok()) << reply.status.message();
  EXPECT_TRUE(session_->stopped());
  EXPECT_EQ(Run(Job({SetOp("more")})).status.code(), Code::kStopped);
}

TEST_F(WriteSessionTest, AStoppedSessionDoesNotCopyItsLogOnClose) {
  ASSERT_TRUE(Run(Job({SetOp("first")})).status.ok());
  TheFaults().sync_error = SQLITE_IOERR_FSYNC;
  ASSERT_EQ(Run(Job({SetOp("a")})).status.code(), Code::kIndeterminate);
  auto keeper = test::Open(test::MemoryOptions(name_, Role::kReader));
  TheFaults().Clear();
  session_.reset();
  EXPECT_EQ(TheFaults().syncs, 0);
  EXPECT_EQ(Stored("first"), "1");
}

TEST_F(WriteSessionTest, TheGroupHasTheStrongestDurabilityOfItsMembers) {
  for (const Durability strongest : {Durability::kOff, Durability::kNormal, Durability::kPeriodic, Durability::kFull}) {
    std::vector<WriteJob> jobs;
    jobs.push_back(Job({SetOp("a")}, false, Durability::kOff));
    jobs.push_back(Job({SetOp("b")}, false, strongest));
    jobs.push_back(Job({SetOp("c")}, false, Durability::kOff));
    Run(jobs);
    EXPECT_EQ(Synchronous(), strongest == Durability::kFull ? 2 : strongest == Durability::kOff ? 0 : 1);
    for (const auto& job : jobs) EXPECT_EQ(job.reply.durability, strongest);
  }
}

TEST_F(WriteSessionTest, OnlyFullSyncsEachCommit) {
  ASSERT_TRUE(Run(Job({SetOp("a")})).status.ok());  // starts the log
  const std::pair<Durability, int> cases[] = {
      {Durability::kOff, 0}, {Durability::kNormal, 0}, {Durability::kPeriodic, 0}, {Durability::kFull, 1}};
  for (const auto& [durability, syncs] : cases) {
    TheFaults().syncs = 0;
    ASSERT_TRUE(Run(Job({SetOp("a", "2")}, false, durability)).status.ok());
    EXPECT_EQ(TheFaults().syncs, syncs);
  }
}

TEST_F(WriteSessionTest, CheckpointsSyncWhateverTheLastCommitWasPromised) {
  Checkpointer checkpointer(session_->db(), session_->watch(), hooks_, {}, nullptr);
  ASSERT_TRUE(Run(Job({SetOp("precious")}, false, Durability::kFull)).status.ok());
  ASSERT_TRUE(Run(Job({SetOp("cheap")}, false, Durability::kOff)).status.ok());
  TheFaults().syncs = 0;
  EXPECT_TRUE(checkpointer.Truncate().ok());
  EXPECT_GE(TheFaults().syncs, 2);  // the log before, the database after
}

TEST_F(WriteSessionTest, InlineOnlyWhereNoSyncCanBeNeeded) {
  WriteJob full = Job({SetOp("a")}, false, Durability::kFull);
  EXPECT_FALSE(session_->RunInline(full));
  Checkpointer checkpointer(session_->db(), session_->watch(), hooks_, {}, nullptr);
  ASSERT_TRUE(checkpointer.Truncate().ok());
  WriteJob job = Job({SetOp("a")}, false, Durability::kNormal);
  EXPECT_FALSE(session_->RunInline(job));  // the log is empty: its new header would be synced
  EXPECT_FALSE(session_->in_transaction());
  EXPECT_EQ(job.request.ops.size(), 1U);
  ASSERT_TRUE(Run(Job({SetOp("first")})).status.ok());
  TheFaults().syncs = 0;
  EXPECT_TRUE(session_->RunInline(job));
  EXPECT_TRUE(job.reply.outcomes.at(0).status.ok());
  EXPECT_EQ(TheFaults().syncs, 0);
  EXPECT_EQ(Stored("a"), "1");
  ASSERT_TRUE(checkpointer.Run().ok());  // the log is wholly copied: the next commit starts it over
  WriteJob late = Job({SetOp("b")}, false, Durability::kNormal);
  EXPECT_FALSE(session_->RunInline(late));
}

TEST_F(WriteSessionTest, InlineNeverWaitsForALock) {
  ASSERT_TRUE(Run(Job({SetOp("first")})).status.ok());
  auto other = test::Open(test::MemoryOptions(name_));
  ASSERT_TRUE(other->Exec("BEGIN IMMEDIATE").ok());
  WriteJob job = Job({SetOp("a")}, false, Durability::kNormal);
  const auto started = std::chrono::steady_clock::now();
  EXPECT_FALSE(session_->RunInline(job));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(100));
}

TEST_F(WriteSessionTest, AGroupThatFindsTheLockTakenIsBusyAfterItsDeadline) {
  auto other = test::Open(test::MemoryOptions(name_));
  ASSERT_TRUE(other->Exec("BEGIN IMMEDIATE").ok());
  std::vector<WriteJob> jobs;
  jobs.push_back(Job({SetOp("a")}));
  jobs.push_back(Job({SetOp("b")}));
  jobs[1].lock_deadline += std::chrono::milliseconds(50);
  Run(jobs);
  for (const auto& job : jobs) EXPECT_EQ(job.reply.status.code(), Code::kBusy);
  ASSERT_TRUE(other->Exec("ROLLBACK").ok());
  EXPECT_TRUE(Run(Job({SetOp("a")})).status.ok());
}

TEST_F(WriteSessionTest, AnInteractiveTransactionIsOneCommit) {
  ASSERT_TRUE(session_->Begin(Durability::kFull, std::chrono::steady_clock::now()).ok());
  WriteJob job = Job({SetOp("a")});
  session_->Apply(job);
  EXPECT_TRUE(job.reply.outcomes.at(0).status.ok());
  EXPECT_EQ(Stored("a"), "absent");
  ASSERT_TRUE(session_->Commit().ok());
  EXPECT_EQ(Stored("a"), "1");
  ASSERT_TRUE(session_->Begin(Durability::kFull, std::chrono::steady_clock::now()).ok());
  session_->Apply(job);
  session_->RollBack();
  EXPECT_FALSE(session_->in_transaction());
}

}  // namespace
}  // namespace hypha
