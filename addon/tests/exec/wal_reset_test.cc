// The race that SQLite had until 3.51.3: a checkpoint that overlaps with another one's end and a writer's new start of
// the log could lose committed pages. Two writers and two eager checkpointers on a log of a few pages, round after
// round.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

#include "exec/store_fixture.h"
#include "sqlite/vfs_shim.h"
#include "sqlite/vfs_test_util.h"

namespace hypha {
namespace {

using test::ChildProcess;
using test::Share;
using WalResetTest = test::StoreFixture;

// Few in every run of the tests; HYPHA_WAL_ROUNDS=500 is the whole probe.
int Rounds() {
  const char* given = std::getenv("HYPHA_WAL_ROUNDS");
  return given == nullptr ? 40 : std::atoi(given);
}

constexpr int kWritesARound = 12;
constexpr std::chrono::seconds kLongestRound(60);

// Empties the log as often as it can, each time in one of two ways, until told to stop.
class EagerCheckpointer {
 public:
  explicit EagerCheckpointer(const std::string& path) : thread_([this, path] { Run(path); }) {}
  ~EagerCheckpointer() {
    stop_ = true;
    thread_.join();
  }
  EagerCheckpointer(const EagerCheckpointer&) = delete;
  EagerCheckpointer& operator=(const EagerCheckpointer&) = delete;
  int completed() const { return completed_; }

 private:
  void Run(const std::string& path) {
    TestDb db(path, kFileVfs, SQLITE_OPEN_READWRITE);
    sqlite3_busy_timeout(db.get(), 10);
    db.Query("SELECT count(*) FROM hypha_entries");  // until it has read, it does not know of a log
    for (int i = 0; !stop_; ++i) {
      int frames = 0;
      const int mode = i % 3 == 0 ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
      const int result = sqlite3_wal_checkpoint_v2(db.get(), nullptr, mode, nullptr, &frames);
      if (result == SQLITE_OK && frames > 0) ++completed_;
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<int> completed_{0};
  std::thread thread_;
};

TEST_F(WalResetTest, NoCommitIsLostBetweenTwoWritersAndTwoCheckpointers) {
  const std::string path = dir_.File();
  OpenOptions options = Options(path);
  options.busy_timeout_ms = 30'000;  // the checkpointers are in the way on purpose
  Share share = Open(options);
  ChildProcess other("write-forever", path, "1");
  std::map<std::string, std::string> expected;
  int of_other = -1;
  int checkpoints = 0;
  for (int round = 0; round < Rounds(); ++round) {
    {
      EagerCheckpointer first(path);
      EagerCheckpointer second(path);
      // Until both checkpointers have emptied the log at least once, or the probe would have probed nothing.
      const auto deadline = std::chrono::steady_clock::now() + kLongestRound;
      for (int i = 0; i < kWritesARound || !first.completed() || !second.completed(); ++i) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "round " << round;
        const std::string key = "a" + std::to_string(i % kWritesARound);
        expected[key] = std::to_string(round);
        const Status written = share.Set(key, expected[key]);
        ASSERT_TRUE(written.ok()) << "round " << round << ": " << written.message();
      }
      for (const int until = of_other + kWritesARound; of_other < until;) of_other = std::stoi(other.Line());
      checkpoints += first.completed() + second.completed();
    }
    // Another connection than those that wrote, so that nothing comes from their caches.
    TestDb reader(path, kFileVfs, SQLITE_OPEN_READWRITE);
    sqlite3_busy_timeout(reader.get(), 5000);
    for (const auto& [key, value] : expected) {
      ASSERT_EQ(reader.Query("SELECT value FROM hypha_entries WHERE key = '" + key + "'"), value) << "round " << round;
    }
    const std::string missing = "SELECT " + std::to_string(of_other + 1) +
                                " - count(*) FROM hypha_entries WHERE key GLOB 'k*-0' AND CAST(substr(key, 2) AS "
                                "INTEGER) <= " +
                                std::to_string(of_other);
    ASSERT_EQ(reader.Query(missing), "0") << "round " << round;
    if (round % 10 != 0) continue;
    ASSERT_EQ(reader.Query("PRAGMA integrity_check"), "ok") << "round " << round;
  }
  EXPECT_GE(checkpoints, 2 * Rounds());
  std::printf("%d rounds, %d checkpoints\n", Rounds(), checkpoints);
  other.Kill();
  other.Wait();
}

}  // namespace
}  // namespace hypha
