// The race that SQLite had until 3.51.3: a checkpoint that has read the log's header is overtaken by a writer that
// starts the log over, takes the new frames for copied ones, and a later checkpoint leaves them out
// (sqlite.org/wal.html, "The WAL-Reset Bug"). Two processes write, two checkpointers pause at just that place, and all
// that was acknowledged must be there.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>
#include <utility>

#include "roles.h"
#include "sqlite/vfs_shim.h"
#include "sqlite3.h"
#include "support/answer.h"
#include "support/check.h"
#include "support/driver.h"
#include "support/mapped.h"
#include "support/problems.h"
#include "support/process.h"
#include "support/random.h"
#include "support/watch.h"

namespace hypha::reliability {
namespace {

constexpr int kWritesARound = 12;
constexpr std::uint64_t kMostRows = 16;  // of one write: of logs of unequal length the shorter one is the dangerous one
constexpr int kWholeCheckEvery = 10;     // rounds
constexpr std::int64_t kLongestRoundMs = 60'000;
constexpr std::uint64_t kLongestPauseUs = 500;
constexpr std::uint64_t kLongestRestUs = 1000;
// The fault that SQLite lets tests inject once a checkpoint has read the header: here it succeeds, but takes its time.
constexpr int kHeaderRead = 660;

std::atomic<std::uint64_t> acknowledged{0};  // by this process
std::atomic<std::int64_t> overtaken{0};      // pauses in which it wrote
thread_local Random* pauses = nullptr;       // of a checkpointer

int PauseAfterHeader(int place) {
  if (place != kHeaderRead || pauses == nullptr) return 0;
  const std::uint64_t before = acknowledged;
  ::usleep(static_cast<useconds_t>(pauses->Below(kLongestPauseUs)));
  if (acknowledged != before) ++overtaken;
  return 0;
}

// Empties the log as often as it can until it ends.
class EagerCheckpointer {
 public:
  EagerCheckpointer(const std::string& path, std::uint64_t seed) : thread_([this, path, seed] { Run(path, seed); }) {}
  ~EagerCheckpointer() {
    stop_ = true;
    thread_.join();
  }
  EagerCheckpointer(const EagerCheckpointer&) = delete;
  EagerCheckpointer& operator=(const EagerCheckpointer&) = delete;
  int completed() const { return completed_; }

 private:
  void Run(const std::string& path, std::uint64_t seed) {
    Random random(seed);
    pauses = &random;
    auto db = Connection::Open(LookAt(path, Hooks(), Role::kWriter));
    // Until it has read, it does not know of a log.
    if (!db.ok() || !db.value()->QueryInteger("SELECT count(*) FROM hypha_meta").ok()) return;
    sqlite3_busy_timeout(db.value()->handle(), 10);
    while (!stop_) {
      const int mode = random.OneIn(3) ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
      int frames = 0;
      const int result = sqlite3_wal_checkpoint_v2(db.value()->handle(), nullptr, mode, nullptr, &frames);
      if (result == SQLITE_OK && frames > 0) ++completed_;
      ::usleep(static_cast<useconds_t>(random.Below(kLongestRestUs)));  // or the other one would never get the lock
    }
  }

  std::atomic<bool> stop_{false};
  std::atomic<int> completed_{0};
  std::thread thread_;
};

// Seen by both processes.
struct Progress {
  std::atomic<std::uint64_t> written;  // by the other process: its last number
  std::atomic<bool> may_write;
};

// The keys of a writer are its letter and the numbers from 1 on; each value names its key, and two fill a page.
WriteOp SetNumber(char writer, std::uint64_t number) {
  char key[16];
  std::snprintf(key, sizeof key, "%c%010llu", writer, static_cast<unsigned long long>(number));
  WriteOp op;
  op.kind = WriteKind::kSet;
  op.ns = "log";
  op.key = key;
  op.value = "\"" + op.key + std::string(1500, '.') + "\"";
  return op;
}

Status WriteNext(Engine& engine, Random& random, char writer, std::atomic<std::uint64_t>* written) {
  WriteRequest request;
  request.atomic = true;
  request.durability = Durability::kNormal;
  const std::uint64_t before = *written;
  const std::uint64_t rows = 1 + random.Below(kMostRows);
  for (std::uint64_t i = 1; i <= rows; ++i) request.ops.push_back(SetNumber(writer, before + i));
  const Answer<WriteReply> answer;
  engine.Write(std::move(request), answer);
  Status status = answer.Get().status;
  if (status.ok()) *written = before + rows;
  return status;
}

Result<OpenedStore> OpenWriter(const std::string& path) {
  OpenOptions options;
  options.path = path;
  options.readers = 1;
  options.busy_timeout_ms = 30'000;  // the checkpointers are in the way on purpose
  return OpenStore(options);
}

// Empty, or which of the acknowledged entries are not there. Its connection is a new one: no page is in its cache.
std::string Missing(Connection& db, char writer, std::uint64_t first, std::uint64_t last) {
  const std::string sql =
      "SELECT count(*) FROM hypha_entries WHERE ns_id = (SELECT id FROM hypha_namespaces WHERE name "
      "= 'log') AND key BETWEEN '" +
      SetNumber(writer, first).key + "' AND '" + SetNumber(writer, last).key + "' AND substr(value, 2, 11) = key";
  const auto count = db.QueryInteger(sql.c_str());
  if (!count.ok()) return count.status().message();
  const auto expected = static_cast<std::int64_t>(last + 1 - first);
  if (count.value() == expected) return "";
  return std::to_string(expected - count.value()) + " of the entries " + std::to_string(first) + " to " +
         std::to_string(last) + " of writer " + writer + " are missing";
}

struct Writers {
  Engine& here;
  Progress& there;
};

// Both write, while both checkpointers empty the log at least once: or nothing was probed.
std::string RunRound(const std::string& path, Random& random, const Writers& writers, std::int64_t* checkpoints) {
  EagerCheckpointer first(path, random.Next());
  EagerCheckpointer second(path, random.Next());
  writers.there.may_write = true;
  const std::uint64_t there = writers.there.written + kWritesARound;
  const std::int64_t deadline = NowMs() + kLongestRoundMs;
  for (int i = 0;
       i < kWritesARound || first.completed() == 0 || second.completed() == 0 || writers.there.written < there; ++i) {
    if (NowMs() > deadline) return "a writer or a checkpointer does not come on";
    const Status status = WriteNext(writers.here, random, 'a', &acknowledged);
    if (!status.ok()) return "a write failed: " + status.message();
  }
  writers.there.may_write = false;
  *checkpoints += first.completed() + second.completed();
  return "";
}

std::string Judge(const std::string& path, std::uint64_t first_a, std::uint64_t first_b, const Writers& writers,
                  bool whole) {
  const std::uint64_t last_b = writers.there.written;
  auto db = Connection::Open(LookAt(path, Hooks(), Role::kReader));
  if (!db.ok()) return db.status().message();
  std::string problem = Missing(*db.value(), 'a', whole ? 1 : first_a, acknowledged);
  if (problem.empty()) problem = Missing(*db.value(), 'b', whole ? 1 : first_b, last_b);
  if (!problem.empty() || !whole) return problem;
  const Status status = CheckStructure(*db.value());
  return status.ok() ? "" : status.message();
}

struct Totals {
  std::int64_t rounds = 0;
  std::int64_t checkpoints = 0;
};

// Until all have been run, or the first problem: what is damaged stays so.
Totals RunRounds(const std::string& path, std::int64_t runs, std::uint64_t seed, const Writers& writers,
                 Problems* problems) {
  Random random(seed, 1);
  Totals totals;
  std::string problem;
  while (totals.rounds < runs && problem.empty()) {
    const std::string name = "round " + std::to_string(totals.rounds);
    NextCase(name);
    const std::uint64_t first_a = acknowledged + 1;
    const std::uint64_t first_b = writers.there.written + 1;
    problem = RunRound(path, random, writers, &totals.checkpoints);
    const bool whole = totals.rounds % kWholeCheckEvery == 0 || totals.rounds + 1 == runs;
    if (problem.empty()) problem = Judge(path, first_a, first_b, writers, whole);
    if (!problem.empty()) problems->Add(name + ": " + problem);
    ++totals.rounds;
  }
  return totals;
}

}  // namespace

// --path P --progress FILE --seed S; until SIGTERM.
int LogResetWriter(const Flags& flags) {
  const std::atomic<bool>& stop = StopOnTerm();
  const Mapped<Progress> progress(flags.Text("progress"), false);
  Random random(flags.Seed());
  auto opened = OpenWriter(flags.Text("path"));
  Status status = opened.status();
  while (status.ok() && !stop) {
    if (progress->may_write) {
      status = WriteNext(*opened.value().engine, random, 'b', &progress->written);
    } else {
      SleepMs(1);
    }
  }
  if (!status.ok()) std::fprintf(stderr, "log-reset: the other writer: %s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}

int LogReset(const Flags& flags) {
  const std::uint64_t seed = flags.Seed();
  std::printf("log-reset: seed %llu\n", static_cast<unsigned long long>(seed));
  WatchCases("log-reset");
  Problems problems("log-reset", flags);
  const Folder folder;
  const std::string path = folder.File("a.db");
  const Mapped<Progress> of_other(folder.File("progress"), true);
  sqlite3_test_control(SQLITE_TESTCTRL_FAULT_INSTALL, &PauseAfterHeader);
  auto opened = OpenWriter(path);
  if (!opened.ok()) {
    problems.Add(opened.status().message());
    return problems.Finish();
  }
  const Writers writers{*opened.value().engine, *of_other};
  Process other(
      {"log-reset-writer", "--path", path, "--progress", folder.File("progress"), "--seed", std::to_string(seed)});
  const Totals totals = RunRounds(path, flags.Number("runs", 500), seed, writers, &problems);
  other.Signal(SIGTERM);
  if (other.Wait(60'000) != 0) problems.Add("the other writer failed");
  opened.value().reader.reset();
  const Status closed = CloseStore(opened.value().engine);
  if (!closed.ok()) problems.Add("close: " + closed.message());
  const std::uint64_t entries = acknowledged + of_other->written;
  std::printf("log-reset: %lld rounds, %lld checkpoints of a log, writes during %lld pauses, %llu entries\n",
              static_cast<long long>(totals.rounds), static_cast<long long>(totals.checkpoints),
              static_cast<long long>(overtaken), static_cast<unsigned long long>(entries));
  if (overtaken == 0) problems.Add("nothing was written during a pause: nothing was tested");
  return problems.Finish();
}

}  // namespace hypha::reliability
