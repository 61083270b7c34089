// Two processes on one file, and the death of one of them.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "exec/store_fixture.h"
#include "sqlite/vfs_test_util.h"

namespace hypha {
namespace {

using test::ChildProcess;
using test::Share;
using ProcessesTest = test::StoreFixture;

TEST_F(ProcessesTest, AWriteWaitsForAnotherProcess) {
  Share share = Open();
  ChildProcess child("hold-lock", dir_.File(), "250");
  ASSERT_EQ(child.Line(), "locked");
  EXPECT_TRUE(share.Set("k").ok());
  EXPECT_EQ(child.Wait(), 0);
}

TEST_F(ProcessesTest, AWriteThatWaitsTooLongIsBusy) {
  OpenOptions options = Options(dir_.File());
  options.busy_timeout_ms = 100;
  Share share = Open(options);
  ChildProcess child("hold-lock", dir_.File(), "60000");
  ASSERT_EQ(child.Line(), "locked");
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(share.Set("k").code(), Code::kBusy);
  const auto waited = std::chrono::steady_clock::now() - started;
  EXPECT_GE(waited, std::chrono::milliseconds(100));
  EXPECT_LT(waited, std::chrono::seconds(10));
  EXPECT_EQ(share.Get("k"), "absent");
  child.Kill();
  child.Wait();
  EXPECT_TRUE(share.Set("k").ok());
}

// Writes without a pause: each answer asks for the next one, so that the queue is never empty. Each commit is synced,
// with the lock held all the while: who looks for it now and then has little chance to find it free.
class Flood {
 public:
  explicit Flood(Engine& engine) : engine_(engine) {
    for (int i = 0; i < 32; ++i) Next();
  }
  ~Flood() {
    stop_ = true;
    while (running_ > 0) std::this_thread::yield();
  }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  int failed() const { return failed_; }

 private:
  void Next() {
    ++running_;
    engine_.Write({{test::SetOp("flood")}, false, Durability::kFull}, [this](WriteReply reply) {
      if (!reply.status.ok()) ++failed_;
      if (!stop_) Next();
      --running_;
    });
  }

  Engine& engine_;
  std::atomic<bool> stop_{false};
  std::atomic<int> running_{0};
  std::atomic<int> failed_{0};
};

TEST_F(ProcessesTest, AProcessThatWritesWithoutAPauseLetsOthersWrite) {
  Share share = Open();
  const Flood flood(share.engine());
  for (int i = 0; i < 5; ++i) {
    ChildProcess child("write-once", dir_.File(), "k" + std::to_string(i));
    EXPECT_EQ(child.Wait(), 0);
  }
  ChildProcess neighbour("write-forever", dir_.File(), "1");
  // Versions are handed out to a process in blocks, a new one after each write of another process.
  const auto version_of = [&](const std::string& number) {
    return std::get<std::optional<Entry>>(share.Read(GetEntrySpec{"default", "k" + number + "-0"}).value())->version;
  };
  const auto commits = [&] { return nlohmann::json::parse(share.engine().Stats())["commits"].get<int>(); };
  constexpr int kTurns = 40;
  std::int64_t last = version_of(neighbour.Line());
  const int before = commits();
  for (int turns = 0; turns < kTurns;) {
    const std::int64_t version = version_of(neighbour.Line());
    if (std::exchange(last, version) + 1 < version) ++turns;
  }
  // About one a turn, and tens where nobody gives way. A neighbour may be held up by other things now and then.
  EXPECT_LE(commits() - before, 4 * kTurns);
  EXPECT_EQ(flood.failed(), 0);
  neighbour.Kill();
  neighbour.Wait();
}

TEST_F(ProcessesTest, ManyProcessesOpenANewFileAtOnce) {
  std::vector<std::unique_ptr<ChildProcess>> children;
  for (int i = 0; i < 4; ++i)
    children.push_back(std::make_unique<ChildProcess>("write-once", dir_.File(), "k" + std::to_string(i)));
  for (auto& child : children) EXPECT_EQ(child->Wait(), 0);
  Share share = Open();
  for (int i = 0; i < 4; ++i) EXPECT_EQ(share.Get("k" + std::to_string(i)), "1");
}

TEST_F(ProcessesTest, AcknowledgedWritesSurviveSigkill) {
  constexpr int kBatch = 7;
  for (int round = 0; round < 4; ++round) {
    const std::string path = dir_.File("killed" + std::to_string(round) + ".db");
    int last = -1;
    {
      ChildProcess child("write-forever", path, std::to_string(kBatch));
      for (int i = 0; i < 20 + 60 * round; ++i) last = std::stoi(child.Line());
      child.Kill();
      for (std::string line = child.Line(); !line.empty(); line = child.Line()) last = std::stoi(line);
      EXPECT_EQ(child.Wait(), -SIGKILL);
    }
    Share share = Open(Options(path));
    for (int i = 0; i <= last; ++i) {
      for (int k = 0; k < kBatch; ++k) {
        ASSERT_EQ(share.Get("k" + std::to_string(i) + "-" + std::to_string(k)), std::to_string(i));
      }
    }
    // What was under way is there whole or not at all.
    const auto count = std::get<std::int64_t>(share.Read(CountSpec{"default", {}}).value());
    EXPECT_EQ(count % kBatch, 0);
    const auto diagnosis = std::get<std::string>(share.Read(DiagnoseSpec{}).value());
    EXPECT_NE(diagnosis.find("\"integrity\":\"ok\""), std::string::npos) << diagnosis;
    EXPECT_TRUE(share.Set("after").ok());
  }
}

TEST_F(ProcessesTest, ADeadWritersLogIsRecoveredBesideALivingReader) {
  Share share = Open();
  ASSERT_TRUE(share.Set("mine").ok());
  ChildProcess child("write-forever", dir_.File(), "1");
  int last = 0;
  while (last < 50) last = std::stoi(child.Line());
  child.Kill();
  child.Wait();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(share.Set("mine", std::to_string(i)).ok());
    share.reader()->EndTurn();
    ASSERT_EQ(share.Inline("mine"), std::to_string(i));
  }
  EXPECT_EQ(share.Get("k" + std::to_string(last) + "-0"), std::to_string(last));
}

}  // namespace
}  // namespace hypha
