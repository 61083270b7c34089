// The process that is killed: clients that write without end, while the store is opened, checkpointed, closed and
// migrated around them.
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "roles.h"
#include "sqlite/vfs_shim.h"
#include "support/copier.h"
#include "support/driver.h"
#include "support/kill_points.h"
#include "support/random.h"

namespace hypha::reliability {
namespace {

constexpr int kWindow = 3;  // requests that one client has on their way

struct Job {
  std::string path;
  std::uint64_t seed;
  Random random;
  Ledger ledger;
  KillSwitch kill;
  Hooks hooks;
  std::array<std::uint64_t, kClients> next;  // unit of each client
  std::array<std::uint64_t, kClients> first;
  std::uint64_t copies = 0;  // are made in one of so many sessions; 0: in none
  Copier copier;
};

// "12,40,7,0"
std::array<std::uint64_t, kClients> Numbers(const std::string& text) {
  std::array<std::uint64_t, kClients> numbers{};
  const char* at = text.c_str();
  for (auto& number : numbers) {
    char* end = nullptr;
    number = std::strtoull(at, &end, 10);
    at = *end == ',' ? end + 1 : end;
  }
  return numbers;
}

Durability LevelOf(Random& random) {
  const std::uint64_t choice = random.Below(10);
  if (choice == 0) return Durability::kOff;
  if (choice < 3) return Durability::kPeriodic;
  return choice < 6 ? Durability::kNormal : Durability::kFull;
}

// What was acknowledged must be seen by every read that is issued afterwards.
void CheckOwnWrite(Job& job, Engine& engine, int client, std::uint64_t stamp) {
  auto reply = Read(engine, GetEntrySpec{NamespaceOf('a', client), "stamp"});
  if (!reply.ok()) return job.ledger.Anomaly("read after ack: " + reply.status().message());
  const auto& entry = std::get<std::optional<Entry>>(reply.value());
  if (!entry || entry->value != std::to_string(stamp)) {
    job.ledger.Anomaly("client " + std::to_string(client) + " was told that stamp " + std::to_string(stamp) +
                       " is stored and reads " + (entry ? entry->value : "nothing"));
  }
}

void RunClient(Job& job, Engine& engine, int client, std::uint64_t units, std::uint64_t seed) {
  Random random(seed);
  std::counting_semaphore<kWindow> window(kWindow);
  const auto slot = static_cast<std::size_t>(client);
  std::uint64_t stamp = 0;
  bool has_stamp = false;
  for (std::uint64_t i = 0; i < units && job.next[slot] - job.first[slot] < kUnitsPerRun; ++i) {
    const std::uint64_t index = job.next[slot]++;
    const Unit unit = MakeUnit(job.seed, client, index);
    window.acquire();
    const std::uint64_t place = index - job.first[slot];
    job.ledger.Tell(client, place, Told::kAsked);
    Start(engine, unit, LevelOf(random), [&job, &window, client, place](Outcome outcome) {
      job.ledger.Tell(client, place, outcome.told);
      window.release();
    });
    if (!unit.has_stamp || unit.rolls_back || !random.OneIn(4)) continue;
    for (int k = 0; k < kWindow; ++k) window.acquire();
    has_stamp = job.ledger.Asked(client, place) == Told::kAcked;
    stamp = index;
    if (has_stamp) CheckOwnWrite(job, engine, client, stamp);
    window.release(kWindow);
  }
  for (int k = 0; k < kWindow; ++k) window.acquire();
}

// A short write in the way that a JavaScript thread does it.
void RunInline(Job& job, Engine& engine, int client) {
  const auto slot = static_cast<std::size_t>(client);
  if (job.next[slot] - job.first[slot] >= kUnitsPerRun) return;
  const std::uint64_t index = job.next[slot]++;
  const std::uint64_t place = index - job.first[slot];
  const Unit unit = MakeUnit(job.seed, client, index);
  job.ledger.Tell(client, place, Told::kAsked);
  const Durability level = index % 2 == 0 ? Durability::kNormal : Durability::kPeriodic;
  WriteRequest request{unit.ops, unit.atomic, level};
  WriteReply reply;
  if (unit.shape == Unit::Shape::kTransaction || unit.ops.size() != 1 || !engine.TryWriteInline(request, &reply)) {
    return job.ledger.Tell(client, place, Run(engine, unit, level).told);
  }
  const bool failed = !reply.status.ok() || !reply.outcomes.at(0).status.ok();
  job.ledger.Tell(client, place, failed ? Told::kFailed : Told::kAcked);
}

// Opens, writes, closes; false when the store could not be opened.
bool RunSession(Job& job) {
  OpenOptions options;
  options.path = job.path;
  options.readers = 1;
  options.busy_timeout_ms = 20'000;
  if (job.random.OneIn(3)) options.durability = Durability::kPeriodic;  // that of transactions
  options.wal.sync_interval_ms = 5;                                     // deaths in a periodic sync as well
  if (job.random.OneIn(2)) options.wal.cache_kib = 16;  // larger transactions reach the log before they are committed
  auto opened = OpenStore(options, job.hooks);
  if (!opened.ok()) {
    std::fprintf(stderr, "open: %s\n", opened.status().message().c_str());
    return false;
  }
  Engine& engine = *opened.value().engine;
  for (int i = 0; i < 4; ++i) RunInline(job, engine, static_cast<int>(job.random.Below(kClients)));
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back(&RunClient, std::ref(job), std::ref(engine), client, 5 + job.random.Below(40),
                         job.random.Next());
  }
  std::thread copier;
  if (job.copies != 0 && job.random.OneIn(job.copies)) {
    copier = std::thread([&job, &engine, seed = job.random.Next()] {
      Random random(seed);
      job.copier.Run(engine, random, job.copies == 1);
    });
  }
  // A checkpoint in the middle of it: busy while readers are in the way, and that is no failure.
  if (job.random.OneIn(2)) static_cast<void>(Maintain(engine, Maintenance::kTruncate));
  for (auto& client : clients) client.join();
  if (copier.joinable()) copier.join();
  if (job.random.OneIn(3)) static_cast<void>(Maintain(engine, Maintenance::kTruncate));
  if (job.random.OneIn(12)) static_cast<void>(Maintain(engine, Maintenance::kVacuum));
  opened.value().reader.reset();
  const Status closed = CloseStore(opened.value().engine);
  if (!closed.ok() && closed.code() != Code::kBusy) job.ledger.Anomaly("close: " + closed.message());
  return true;
}

}  // namespace

// --path P --ledger P --seed S --first a,b,c,d [--point NAME:N] [--migrate] [--sessions N] [--copies N]
int KillWriter(const Flags& flags) {
  const std::string point = flags.Text("point", "none:1");
  const auto colon = point.rfind(':');
  const auto first = Numbers(flags.Text("first"));
  const std::uint64_t seed = flags.Seed();
  Job job{flags.Text("path"),
          seed,
          Random(seed, first[0] + 77),
          Ledger(flags.Text("ledger"), false),
          KillSwitch(point.substr(0, colon), std::atoi(point.c_str() + colon + 1)),
          {},
          first,
          first,
          static_cast<std::uint64_t>(flags.Number("copies", 0)),
          Copier(flags.Text("path"), job.ledger, job.hooks)};
  job.hooks = job.kill.AsHooks();
  RegisterInjectVfs("kill-points", PlatformVfs(), true);
  SetCallHook(&job.kill);
  const std::int64_t sessions = flags.Number("sessions", 1'000'000);
  for (std::int64_t session = 0; session < sessions; ++session) {
    if (!RunSession(job)) return 4;
    if (!flags.Has("migrate") || !job.random.OneIn(3)) continue;
    OpenOptions options;
    options.path = job.path;
    const Status status = MigrateStore(options, 1, job.hooks);
    if (!status.ok()) job.ledger.Anomaly("migrate: " + status.message());
  }
  return 0;
}

}  // namespace hypha::reliability
