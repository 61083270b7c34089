// The power goes at every write and every sync of a workload, and of what was not synced any part arrives: the store
// opens again with a prefix of the commits, and no acknowledged commit of level full is missing, nor one of level
// periodic after its sync interval.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "roles.h"
#include "schema/migrations.h"
#include "support/check.h"
#include "support/problems.h"
#include "support/process.h"
#include "support/random.h"
#include "support/watch.h"
#include "support/workloads.h"

namespace hypha::reliability {
namespace {

using Fate = PowerLine::Choice::Fate;

struct Totals {
  std::int64_t runs = 0;
  std::int64_t doubles = 0;
  std::int64_t lost_units = 0;  // acknowledged at a lower level and gone
  std::int64_t periodic = 0;    // losses that commits of level periodic had to survive, their interval being over
  std::int64_t points = 0;
};

// A session of random units at mixed levels, with checkpoints and reopenings; its steps say what was told, the marks in
// the trace when.
struct Session {
  DiskTrace trace;
  std::vector<Step> steps;
  Content start;
};

Durability StoreLevelOf(Random& random) {
  if (random.OneIn(2)) return Durability::kFull;
  return random.OneIn(2) ? Durability::kPeriodic : Durability::kNormal;
}

Session Record(std::uint64_t seed) {
  Random random(seed);
  const Workload& workload = Workloads()[random.Below(Workloads().size())];
  const StartingPoint& start = StartOf(workload);
  Stage stage(start.image, start.content);
  if (random.OneIn(3)) stage.set_cache_kib(Stage::kSmallCache);
  stage.set_durability(StoreLevelOf(random));
  if (!stage.Open()) std::abort();
  // In every other session much is written before the next sync.
  const std::uint64_t full_is_one_in = random.OneIn(2) ? 3 : 16;
  const std::uint64_t units = 8 + random.Below(25);
  for (std::uint64_t i = 0; i < units; ++i) {
    // A single write at kOff is one at kNormal in a store that was opened at more.
    constexpr Durability kWeak[] = {Durability::kNormal, Durability::kOff, Durability::kPeriodic};
    const Durability weak = kWeak[random.Below(3)];
    const Durability level = random.OneIn(full_is_one_in) ? Durability::kFull : weak;
    stage.Do(MakeUnit(seed, 1, i), level);
    // Up to two sync intervals of level kPeriodic pass.
    if (random.OneIn(3)) stage.Advance(std::chrono::milliseconds(random.Below(2000)));
    if (random.OneIn(5)) stage.Checkpoint();
    if (random.OneIn(15)) {
      stage.Close();
      if (!stage.Open()) std::abort();
    }
  }
  stage.Close();
  return {SimDisk::TakeTrace(), stage.steps(), start.content};
}

// What had been asked and told when the event number `at` was over.
std::vector<Step> ToldUntil(const Session& session, std::size_t at) {
  std::vector<Step> steps;
  for (std::size_t i = 0; i < at; ++i) {
    const DiskEvent& event = session.trace.events[i];
    if (event.kind != DiskEvent::Kind::kMark) continue;
    const auto index = static_cast<std::size_t>(event.mark / 2);
    if (event.mark % 2 == 0) {
      steps.push_back(session.steps[index]);
      // A failing unit stays absent, told or not.
      if (steps.back().told != Told::kFailed) steps.back().told = Told::kAsked;
    } else {
      steps[index].told = session.steps[index].told;
    }
  }
  return steps;
}

// With one write on its way, most of the variants are the same few; with none, all are one.
bool IsNew(std::uint64_t variant, std::size_t pending) {
  if (pending > 1 || variant == 0) return true;
  return pending == 1 && (variant == 1 || variant == 4 || variant == 5);
}

constexpr std::uint64_t kVariants = 12;

// At each point nothing arrives, and everything; of the other ways some, so that there is time for more sessions.
bool IsPicked(std::uint64_t variant, std::uint64_t wanted, Random random) {
  return variant < 2 || random.Below(kVariants - 2) + 2 < wanted;
}

PowerLine::Choice ChoiceOf(std::uint64_t variant, std::size_t pending, Random& random) {
  PowerLine::Choice choice;
  choice.seed = random.Next();
  choice.sector = random.OneIn(2) ? 512 : 4096;
  choice.fates.assign(pending, Fate::kLost);
  const auto all = [&](Fate fate) { std::fill(choice.fates.begin(), choice.fates.end(), fate); };
  switch (variant) {
    case 0: break;
    case 1: all(Fate::kKept); break;
    case 2:
    case 8:  // one alone arrives
      choice.fates[random.Below(pending)] = Fate::kKept;
      break;
    case 3:  // one alone is lost
      all(Fate::kKept);
      choice.fates[random.Below(pending)] = Fate::kLost;
      break;
    case 4: all(Fate::kTorn); break;
    case 5:  // the last one is torn
      all(Fate::kKept);
      choice.fates.back() = random.OneIn(2) ? Fate::kTorn : Fate::kGarbage;
      break;
    case 6:
    case 9:  // what was written first is lost, as in a log whose old start comes back
    case 7:  // what was written last
      for (std::size_t i = random.Below(pending); i < pending; ++i) choice.fates[i] = Fate::kKept;
      if (variant == 7) std::reverse(choice.fates.begin(), choice.fates.end());
      break;
    default:
      for (auto& fate : choice.fates) fate = static_cast<Fate>(random.Below(4));
      choice.order.resize(pending);
      for (std::size_t i = 0; i < pending; ++i) choice.order[i] = i;
      for (std::size_t i = pending; i > 1; --i) std::swap(choice.order[i - 1], choice.order[random.Below(i)]);
  }
  return choice;
}

// A light open: one connection recovers, reads everything and, sometimes, checks every page.
Result<Content> Recover(bool check) {
  auto db = Connection::Open(LookAt(kSimDatabase, OnSimDisk(), Role::kWriter));
  if (!db.ok()) return db.status();
  auto version = SchemaVersion(*db.value());
  if (!version.ok()) return version.status();
  if (version.value() == 0) return Content();
  if (check && version.value() > 1) {
    Status status = CheckStructure(*db.value());
    if (!status.ok()) return status;
  }
  return ReadContent(*db.value());
}

// The power goes again, while the store recovers.
void LoseTwice(const DiskImage& image, const Content& content, Random& random, const std::string& name, Totals* totals,
               Problems* problems) {
  SimDisk::Mount(image);
  auto first = ContentOnDisk(false);  // opens, empties the log, closes
  const DiskTrace trace = SimDisk::TakeTrace();
  if (!first.ok()) {
    problems->Add(name + ", full open: " + first.status().message());
    return;
  }
  PowerLine line(trace);
  while (line.Step()) {
    if (line.event().kind == DiskEvent::Kind::kMark || line.pending() == 0) continue;
    const auto choice = ChoiceOf(random.Below(9), line.pending(), random);
    SimDisk::Mount(line.Lose(choice));
    auto again = Recover(false);
    ++totals->doubles;
    const std::string difference = again.ok() ? Difference(content, again.value()) : again.status().message();
    if (!difference.empty()) problems->Add(name + ", again at " + std::to_string(line.at()) + ": " + difference);
  }
}

void RunPoint(const Session& session, const PowerLine& line, std::uint64_t variant, std::uint64_t seed,
              const std::string& name, Totals* totals, Problems* problems) {
  NextCase(name);
  Random random(seed, line.at(), variant);
  const PowerLine::Choice choice = ChoiceOf(variant, line.pending(), random);
  const DiskImage image = line.Lose(choice);
  SimDisk::Mount(image);
  auto content = Recover(random.OneIn(8));
  ++totals->runs;
  // Before the file was made there is nothing to be opened.
  if (!content.ok() && content.status().code() == Code::kCantOpen && image.count(kSimDatabase) == 0 &&
      session.trace.start.empty()) {
    content = Content();
  }
  const auto steps = ToldUntil(session, line.at());
  const Status judged = content.ok() ? Stage::Judge(session.start, steps, content.value(), true) : content.status();
  if (!judged.ok()) {
    problems->Add(name + ": " + judged.message());
    return;
  }
  if (!Stage::Judge(session.start, steps, content.value(), false).ok()) ++totals->lost_units;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].told != Told::kAcked || steps[i].durability != Durability::kPeriodic) continue;
    if (!SurvivesPowerLoss(steps, i)) continue;
    ++totals->periodic;
    break;
  }
  if (random.OneIn(200)) LoseTwice(image, content.value(), random, name, totals, problems);
}

// For --replay: what was told, and the end of the trace.
void Explain(const Session& session, const PowerLine& line) {
  const auto steps = ToldUntil(session, line.at());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& op = steps[i].unit.ops.at(0);
    std::printf(
        "power:   step %zu: told %d, level %d, shape %d, rolls back %d, %zu operations, first of kind %d on %s/%s\n", i,
        static_cast<int>(steps[i].told), static_cast<int>(steps[i].durability), static_cast<int>(steps[i].unit.shape),
        steps[i].unit.rolls_back ? 1 : 0, steps[i].unit.ops.size(), static_cast<int>(op.kind), op.ns.c_str(),
        op.key.c_str());
  }
  for (std::size_t i = line.at() > 60 ? line.at() - 60 : 0; i < line.at(); ++i) {
    const DiskEvent& event = session.trace.events[i];
    std::printf("power:   event %zu: kind %d, file %d, offset %llu, %zu bytes, mark %lld\n", i + 1,
                static_cast<int>(event.kind), event.file, static_cast<unsigned long long>(event.offset),
                event.text.size(), static_cast<long long>(event.mark));
  }
}

}  // namespace

int PowerLoss(const Flags& flags) {
  const std::uint64_t seed = flags.Seed();
  std::printf("power: seed %llu\n", static_cast<unsigned long long>(seed));
  RegisterSimDisk();
  WatchCases("power");
  const std::int64_t wanted = flags.Number("runs", 12'000);
  const std::string replay = flags.Text("replay");  // session,event,variant
  const auto variants = static_cast<std::uint64_t>(flags.Number("variants", 4));
  const double started = NowSeconds();
  Totals totals;
  Problems problems("power", flags);
  for (std::uint64_t number = 0; totals.runs < wanted && !problems.enough(); ++number) {
    const std::string prefix = std::to_string(number) + ",";
    if (!replay.empty() && replay.rfind(prefix, 0) != 0) {
      if (static_cast<std::int64_t>(number) > wanted) return 2;
      continue;
    }
    NextCase("recording session " + std::to_string(number));
    const Session session = Record(seed + number);
    PowerLine line(session.trace);
    while (line.Step()) {
      if (line.event().kind == DiskEvent::Kind::kMark) continue;
      ++totals.points;
      for (std::uint64_t variant = 0; variant < kVariants; ++variant) {
        if (!IsNew(variant, line.pending())) continue;
        const Random picks(seed + number, line.at(), kVariants + variant);
        if (replay.empty() && !IsPicked(variant, variants, picks)) continue;
        const std::string name = prefix + std::to_string(line.at()) + "," + std::to_string(variant);
        if (replay.empty() || replay == name) {
          RunPoint(session, line, variant, seed + number, name, &totals, &problems);
        }
        if (replay == name) Explain(session, line);
      }
      if (totals.runs >= wanted || problems.enough()) break;
    }
    if (!replay.empty()) break;
  }
  std::printf("power: %lld losses at %lld points, %lld more during the recovery, in %.0f s\n",
              static_cast<long long>(totals.runs), static_cast<long long>(totals.points),
              static_cast<long long>(totals.doubles), NowSeconds() - started);
  std::printf("power: in %lld of them commits of a lower level than full were gone, as promised a prefix stayed\n",
              static_cast<long long>(totals.lost_units));
  std::printf("power: %lld came when the sync interval of commits at periodic was over, which stayed\n",
              static_cast<long long>(totals.periodic));
  return problems.Finish();
}

}  // namespace hypha::reliability
