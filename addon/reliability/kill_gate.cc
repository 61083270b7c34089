// Kills a writing process again and again, at random times and at every named point, and checks after each death what
// the file holds against what the clients were told.
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kill_copies.h"
#include "roles.h"
#include "support/check.h"
#include "support/driver.h"
#include "support/kill_points.h"
#include "support/problems.h"
#include "support/process.h"
#include "support/random.h"

namespace hypha::reliability {
namespace {

constexpr int kHangMs = 30'000;
constexpr int kRunsPerFile = 20;

struct Totals {
  explicit Totals(const Flags& flags) : problems("kill", flags) {}

  std::int64_t kills = 0;
  std::int64_t asked = 0;
  std::int64_t acked = 0;
  std::int64_t failed = 0;
  std::int64_t pending = 0;
  std::int64_t pending_present = 0;
  std::int64_t snapshots = 0;
  std::int64_t opens = 0;
  CopyTotals copies;
  std::vector<double> reopen_ms;
  std::map<std::string, int> points;
  Problems problems;
};

// One database, killed many times; what it must hold is carried from death to death.
class Victim {
 public:
  Victim(std::uint64_t seed, Totals& totals, bool with_witnesses)
      : seed_(seed), totals_(totals), path_(folder_.File("a.db")), copies_(path_) {
    if (!with_witnesses) return;
    bystander_.emplace(std::vector<std::string>{"kill-bystander", "--path", path_, "--report", folder_.File("seen")});
    opener_.emplace(std::vector<std::string>{"kill-opener", "--path", path_, "--report", folder_.File("opened")});
  }
  ~Victim() {
    EndWitness(bystander_, "bystander", "seen", &totals_.snapshots);
    EndWitness(opener_, "opener", "opened", &totals_.opens);
  }

  // Starts a writer, lets `end(writer, ledger)` end it, and checks.
  template <class End>
  void Run(const std::string& name, std::vector<std::string> extra, End end) {
    Ledger ledger(folder_.File("ledger"), true);
    std::string first;
    for (const std::uint64_t next : next_) first += (first.empty() ? "" : ",") + std::to_string(next);
    std::vector<std::string> arguments{
        "kill-writer",         "--path",  path_, "--ledger", folder_.File("ledger"), "--seed",
        std::to_string(seed_), "--first", first};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    Process writer(arguments);
    const std::string why = end(writer, ledger);
    ++totals_.kills;
    if (!why.empty()) Problem(name, why);
    if (ledger.page().anomalies != 0) Problem(name, ledger.page().anomaly.data());
    Check(name, ledger);
  }

  // After the last death: the next copies are made, and leave nothing behind that an earlier one left.
  void Finish() {
    Ledger ledger(folder_.File("ledger"), true);
    auto opened = OpenStore(Options());
    if (!opened.ok()) return;  // told already
    Random random(seed_);
    Copier(path_, ledger, Hooks()).Run(*opened.value().engine, random, true);
    opened.value().reader.reset();
    static_cast<void>(CloseStore(opened.value().engine));
    if (ledger.page().anomalies != 0) Problem("the next copies", ledger.page().anomaly.data());
  }

 private:
  void EndWitness(std::optional<Process>& witness, const std::string& name, const std::string& report,
                  std::int64_t* count) {
    if (!witness) return;
    witness->Signal(SIGTERM);
    const int code = witness->Wait(kHangMs);
    if (code != 0) Problem(name, "ended with " + std::to_string(code));
    std::int64_t number = 0;
    std::ifstream(folder_.File(report)) >> number;
    *count += number;
  }

  void Problem(const std::string& name, const std::string& what) {
    totals_.problems.Add("seed " + std::to_string(seed_) + ", " + name + ": " + what);
  }

  OpenOptions Options() const {
    OpenOptions options;
    options.path = path_;
    options.readers = 1;
    options.busy_timeout_ms = 20'000;
    return options;
  }

  void Check(const std::string& name, Ledger& ledger) {
    const double started = NowSeconds();
    auto opened = OpenStore(Options());
    totals_.reopen_ms.push_back((NowSeconds() - started) * 1000);
    if (!opened.ok()) return Problem(name, "cannot be opened again: " + opened.status().message());
    CheckOpen(name, ledger);
    opened.value().reader.reset();
    const Status closed = CloseStore(opened.value().engine);
    if (!closed.ok() && closed.code() != Code::kBusy) Problem(name, "close: " + closed.message());
    CheckFiles(name);
  }

  void CheckOpen(const std::string& name, Ledger& ledger) {
    auto db = Connection::Open(LookAt(path_, Hooks(), Role::kReader));
    if (!db.ok()) return Problem(name, "second connection: " + db.status().message());
    const Status structure = CheckStructure(*db.value());
    if (!structure.ok()) Problem(name, structure.message());
    auto content = ReadContent(*db.value());
    if (!content.ok()) return Problem(name, content.status().message());
    const auto runs = [&]<std::size_t... kAll>(std::index_sequence<kAll...>) {
      return std::array<ClientRun, kClients>{RunOf(static_cast<int>(kAll), ledger)...};
    }
    (std::make_index_sequence<kClients>());
    copies_.Judge(
        ledger, runs, content.value(), [&](const std::string& what) { Problem(name, what); }, &totals_.copies);
    for (const ClientRun& run : runs) CheckClient(name, run, content.value());
  }

  ClientRun RunOf(int client, const Ledger& ledger) const {
    const auto slot = static_cast<std::size_t>(client);
    return {ledger, expected_[slot], seed_, client, next_[slot], ledger.CountAsked(client)};
  }

  // Acknowledged units are there, failed ones are not, and of those without an answer a prefix is: nothing else can
  // have been, since a client's requests commit in the order of its calls.
  void CheckClient(const std::string& name, const ClientRun& run, const Content& all) {
    const auto slot = static_cast<std::size_t>(run.client);
    Content found = ContentOfClient(all, run.client);
    const std::uint64_t certain = run.ledger.CountCertain(run.client);  // units before this one have an answer
    const PrefixMatch match = FindPrefix(run, certain, found);
    if (!match.matches) Problem(name, match.difference);
    Count(run, certain, match.units);
    next_[slot] += run.asked;
    expected_[slot] = std::move(found);
  }

  void Count(const ClientRun& run, std::uint64_t certain, std::uint64_t applied) {
    totals_.asked += static_cast<std::int64_t>(run.asked);
    for (std::uint64_t unit = 0; unit < run.asked; ++unit) {
      const Told told = run.ledger.Asked(run.client, unit);
      if (told == Told::kAcked) ++totals_.acked;
      if (told == Told::kFailed) ++totals_.failed;
      if (told == Told::kAsked || told == Told::kUnknown) ++totals_.pending;
    }
    if (applied > certain) totals_.pending_present += static_cast<std::int64_t>(applied - certain);
  }

  // Modes by stat alone: opening a file of a live database by hand would drop SQLite's locks.
  void CheckFiles(const std::string& name) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
      const std::string file = entry.path().string().substr(folder_.path().size() + 1);
      if (file.rfind("a.db", 0) != 0) continue;
      struct stat info {};
      const mode_t wanted = entry.is_directory() ? 0700 : 0600;
      if (::stat(entry.path().c_str(), &info) == 0 && (info.st_mode & 0777) != wanted) {
        Problem(name, file + " has mode " + std::to_string(info.st_mode & 0777));
      }
      if (file.rfind("a.db.v1", 0) != 0) continue;
      if (file.find(".tmp-") == std::string::npos) CheckCopy(name, entry.path().string());
      std::filesystem::remove(entry.path());
    }
  }

  // A copy under its final name is a whole database, whenever its maker died.
  void CheckCopy(const std::string& name, const std::string& path) {
    sqlite3* db = nullptr;
    std::string answer;
    const auto keep = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) = values[0] == nullptr ? "" : values[0];
      return 0;
    };
    int rc = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr);
    if (rc == SQLITE_OK) {
      rc = sqlite3_exec(db, "SELECT quick_check FROM pragma_quick_check, (SELECT count(*) FROM storage_entries)", keep,
                        &answer, nullptr);
    }
    sqlite3_close(db);
    if (rc != SQLITE_OK || answer != "ok") Problem(name, "the kept copy " + path + " is not whole: " + answer);
  }

  const std::uint64_t seed_;
  Totals& totals_;
  Folder folder_;
  const std::string path_;
  CopyJudge copies_;
  std::array<std::uint64_t, kClients> next_{};  // unit of each client
  std::array<Content, kClients> expected_;
  std::optional<Process> bystander_;
  std::optional<Process> opener_;
};

std::string ExpectEnd(Process& writer, int wanted) {
  const int code = writer.Wait(kHangMs);
  if (code == wanted) return "";
  return code == Process::kTimedOut ? "hangs" : "ended with " + std::to_string(code);
}

// However busy the machine is, most deaths shall come while something is written, and not while the process starts.
void AwaitFirstRequest(Process& writer, const Ledger& ledger) {
  const auto asked = [&] {
    for (int client = 0; client < kClients; ++client) {
      if (ledger.Asked(client, 0) != Told::kNothing) return true;
    }
    return false;
  };
  for (const std::int64_t start = NowMs(); !asked() && !writer.Ended() && NowMs() - start < kHangMs;) SleepMs(1);
}

// Death from outside at a random time.
void RunBlackbox(const Flags& flags, std::uint64_t seed, Totals& totals) {
  const std::int64_t runs = flags.Number("runs", 300);
  std::unique_ptr<Victim> victim;
  bool witnesses = false;
  for (std::int64_t run = 0; run < runs && !totals.problems.enough(); ++run) {
    Random random(seed, 1, static_cast<std::uint64_t>(run));
    if (run % kRunsPerFile == 0) {
      if (victim) victim->Finish();
      victim.reset();
      witnesses = !witnesses;
      victim = std::make_unique<Victim>(random.Next(), totals, witnesses);
    }
    const auto wait = static_cast<std::int64_t>(8 + random.Below(static_cast<std::uint64_t>(flags.Number("ms", 110))));
    std::vector<std::string> extra{"--copies", random.OneIn(3) ? "1" : "2"};
    if (!witnesses) extra.emplace_back("--migrate");
    const std::uint64_t kind = random.Below(20);
    const int signal = kind == 0 ? SIGTERM : kind == 1 ? SIGABRT : SIGKILL;
    const bool stopped = kind == 2;
    const bool while_writing = !random.OneIn(5);
    const std::string name = kind == 0 ? "SIGTERM" : kind == 1 ? "SIGABRT" : stopped ? "SIGSTOP+SIGKILL" : "SIGKILL";
    victim->Run(name, extra, [&](Process& writer, const Ledger& ledger) {
      if (while_writing) AwaitFirstRequest(writer, ledger);
      SleepMs(wait);
      if (stopped) writer.Signal(SIGSTOP);
      if (stopped) SleepMs(flags.Number("stop-ms", 200));
      writer.Signal(signal);
      return ExpectEnd(writer, -signal);
    });
  }
  if (victim && !totals.problems.enough()) victim->Finish();
}

struct Points {
  std::span<const char* const> names;
  const char* copies;    // are made in one session of so many
  std::uint64_t spread;  // which passing of it is fatal: the first, then any of so many
};

// Death from inside, at each point several times.
void RunPoints(const Points& points, const Flags& flags, Random& random, Totals& totals) {
  const std::int64_t times = flags.Number("points", 2);
  const std::string only = flags.Text("point");
  for (const char* point : points.names) {
    const std::uint64_t seed = random.Next();
    if (!only.empty() && only != point) continue;
    Random counts(seed);
    Victim victim(counts.Next(), totals, false);
    for (std::int64_t i = 0; i < times && !totals.problems.enough(); ++i) {
      const std::string target =
          std::string(point) + ":" + std::to_string(1 + counts.Below(i == 0 ? 1 : points.spread));
      victim.Run(target, {"--migrate", "--copies", points.copies, "--point", target, "--sessions", "60"},
                 [&](Process& writer, const Ledger&) {
                   ++totals.points[point];
                   return ExpectEnd(writer, -SIGKILL);
                 });
    }
    if (!totals.problems.enough()) victim.Finish();
  }
}

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

// How often each was died at.
void TellPoints(const Totals& totals) {
  std::map<int, std::string> by_count;
  for (const auto& [point, count] : totals.points) by_count[count] += " " + point;
  for (const auto& [count, names] : by_count) std::printf("kill: %d times at each of:%s\n", count, names.c_str());
}

void TellCopies(const CopyTotals& all, const CopyTotals& at_random) {
  for (std::size_t kind = 0; kind < kCopyKinds; ++kind) {
    std::printf("kill: %s: %lld were made; %lld deaths in one, %lld of them at random\n",
                NameOf(static_cast<CopyKind>(kind)), static_cast<long long>(all.made[kind]),
                static_cast<long long>(all.cut_short[kind]), static_cast<long long>(at_random.cut_short[kind]));
  }
  std::printf("kill: %lld copies that a dead process left were read back\n", static_cast<long long>(all.judged));
}

}  // namespace

int KillGate(const Flags& flags) {
  const std::uint64_t seed = flags.Seed();
  std::printf("kill: seed %llu\n", static_cast<unsigned long long>(seed));
  const double started = NowSeconds();
  Totals totals(flags);
  if (!flags.Has("point")) RunBlackbox(flags, seed, totals);
  const std::int64_t blackbox = totals.kills;
  const CopyTotals at_random = totals.copies;
  Random random(seed, 2);
  RunPoints({KillPoints(), "3", 6}, flags, random, totals);
  RunPoints({CopyKillPoints(), "1", 15}, flags, random, totals);
  const double p99 = Percentile(totals.reopen_ms, 0.99);
  std::printf("kill: %lld random deaths, %lld at %zu named points, in %.0f s\n", static_cast<long long>(blackbox),
              static_cast<long long>(totals.kills - blackbox), totals.points.size(), NowSeconds() - started);
  TellPoints(totals);
  TellCopies(totals.copies, at_random);
  std::printf("kill: %lld units asked, %lld acknowledged, %lld failed, %lld without an answer (%lld of them present)\n",
              static_cast<long long>(totals.asked), static_cast<long long>(totals.acked),
              static_cast<long long>(totals.failed), static_cast<long long>(totals.pending),
              static_cast<long long>(totals.pending_present));
  std::printf(
      "kill: reopening took %.1f ms at the median, %.1f ms at p99; bystanders saw %lld snapshots, openers "
      "opened %lld times\n",
      Percentile(totals.reopen_ms, 0.5), p99, static_cast<long long>(totals.snapshots),
      static_cast<long long>(totals.opens));
  if (p99 > 1000 && totals.kills > 100) totals.problems.Add("reopening takes more than a second");
  if (totals.acked == 0) totals.problems.Add("nothing was acknowledged: nothing was tested");
  return totals.problems.Finish();
}

}  // namespace hypha::reliability
