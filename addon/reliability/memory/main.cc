// hypha_out_of_memory --runs N --seed S [--workload NAME] [--replay workload,once|for-ever,N]: every allocation of
// every workload fails, of SQLite's and of ours. The answer is HYPHA_NOMEM or success; nothing crashes, leaks, or is
// half written.
#include <algorithm>
#include <array>
#include <cstdio>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "memory/failing_memory.h"
#include "support/exempt.h"
#include "support/flags.h"
#include "support/problems.h"
#include "support/process.h"
#include "support/random.h"
#include "support/system_calls.h"
#include "support/watch.h"
#include "support/workloads.h"

namespace hypha::reliability {
namespace {

// No lock is refused here: whoever waits gets his turn, on however busy a machine.
constexpr std::int64_t kBusyTimeoutMs = 20'000;

struct Case {
  const Workload* workload = nullptr;
  MemoryFault fault;

  std::string Text() const {
    return std::string(workload->name) + (fault.for_ever ? ",for-ever," : ",once,") + std::to_string(fault.at);
  }
};

struct Totals {
  std::int64_t allocations = 0;  // of all workloads, when none fails
  std::int64_t runs = 0;
  std::int64_t failed = 0;
  std::int64_t quiet = 0;
  std::map<Code, std::int64_t> codes;
};

// What lack of memory may turn into; the second line is what a workload says of something that an earlier failure left
// undone.
bool MayBeTold(Code code) {
  constexpr std::array kAllowed{
      Code::kNoMem,    Code::kIndeterminate,     Code::kStopped,           Code::kTransactionInvalid,
      Code::kNotFound, Code::kNamespaceNotFound, Code::kNamespaceNotEmpty, Code::kConflict};
  return std::find(kAllowed.begin(), kAllowed.end(), code) != kAllowed.end();
}

std::int64_t AllocationsOf(const Workload& workload) {
  NextCase(std::string("counting the allocations of ") + workload.name);
  const StartingPoint& start = StartOf(workload);
  Stage stage(start.image, start.content);
  stage.set_busy_timeout_ms(kBusyTimeoutMs);
  ArmMemory({});
  workload.run(stage);
  DisarmMemory();
  return Allocations();
}

Status RunStage(const Case& which, Totals* totals) {
  const StartingPoint& start = StartOf(*which.workload);
  Stage stage(start.image, start.content);
  stage.set_busy_timeout_ms(kBusyTimeoutMs);
  ArmMemory(which.fault);
  which.workload->run(stage);
  DisarmMemory();
  if (FailedAllocations() > 0) ++totals->failed;
  if (FailedAllocations() > 0 && stage.codes().empty()) ++totals->quiet;
  for (const Code code : stage.codes()) {
    ++totals->codes[code];
    if (!MayBeTold(code)) return {Code::kInternal, "was told " + std::string(Describe(code).name)};
  }
  for (const auto judge :
       {&Stage::JudgeCopies, &Stage::JudgeOpen, &Stage::JudgeReopened, &Stage::JudgeAfterPowerLoss}) {
    Status status = (stage.*judge)();
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

void RunCase(const Case& which, Totals* totals, Problems* problems) {
  NextCase(which.Text());
  const std::int64_t before = LiveSqliteBlocks();
  Status status = RunStage(which, totals);
  ++totals->runs;
  SimDisk::Mount({});
  if (status.ok() && LiveSqliteBlocks() > before) {
    status = Status(Code::kInternal, std::to_string(LiveSqliteBlocks() - before) + " blocks of SQLite's leaked");
  }
  if (!status.ok()) problems->Add(which.Text() + ": " + status.message());
}

// `wanted` or a little less, spread over all workloads; every allocation, when there are fewer.
std::vector<Case> CasesOf(const Flags& flags, std::uint64_t seed, Totals* totals) {
  std::vector<Case> cases;
  Random random(seed);
  const std::int64_t count_of_workloads = flags.Has("workload") ? 1 : std::ssize(Workloads());
  const std::int64_t share = flags.Number("runs", 6000) / (2 * count_of_workloads);
  for (const auto& workload : Workloads()) {
    if (flags.Text("workload", workload.name) != workload.name) continue;
    const std::int64_t count = AllocationsOf(workload);
    totals->allocations += count;
    const std::int64_t points = std::min(count, std::max<std::int64_t>(1, share));
    for (const bool for_ever : {false, true}) {
      for (std::int64_t i = 0; i < points; ++i) {
        const std::int64_t from = i * count / points;
        const std::int64_t width = (i + 1) * count / points - from;
        const auto at = 1 + from + static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(width)));
        cases.push_back({&workload, {at, for_ever}});
      }
    }
  }
  random.Shuffle(&cases);  // all workloads early on
  return cases;
}

bool ParseCase(const std::string& text, Case* which) {
  for (const auto& workload : Workloads()) {
    for (const bool for_ever : {false, true}) {
      const std::string start = std::string(workload.name) + (for_ever ? ",for-ever," : ",once,");
      if (text.rfind(start, 0) != 0) continue;
      *which = {&workload, {std::atoll(text.c_str() + start.size()), for_ever}};
      return true;
    }
  }
  return false;
}

int Main(const Flags& flags) {
  const std::uint64_t seed = flags.Seed();
  std::printf("memory: seed %llu\n", static_cast<unsigned long long>(seed));
  HookPlatformFiles();
  RegisterSimDisk();
  WatchCases("memory");
  const double started = NowSeconds();
  Totals totals;
  Problems problems("memory", flags);
  Case replay;
  if (flags.Has("replay") && !ParseCase(flags.Text("replay"), &replay)) return 2;
  for (const auto& workload : Workloads()) {  // what is made once and kept is made before anything is counted
    static_cast<void>(AllocationsOf(workload));
    static_cast<void>(ContentOnDisk(true));
  }
  const auto cases = flags.Has("replay") ? std::vector<Case>{replay} : CasesOf(flags, seed, &totals);
  for (const auto& each : cases) {
    RunCase(each, &totals, &problems);
    if (problems.enough()) break;
  }
  std::printf("memory: %lld allocations in %zu workloads, each to be failed in two ways\n",
              static_cast<long long>(totals.allocations), Workloads().size());
  std::printf("memory: %lld runs, an allocation failed in %lld, in %lld nobody had to be told, in %.0f s\n",
              static_cast<long long>(totals.runs), static_cast<long long>(totals.failed),
              static_cast<long long>(totals.quiet), NowSeconds() - started);
  for (const auto& [code, count] : totals.codes) {
    std::printf("memory:   %s %lld times\n", std::string(Describe(code).name).c_str(), static_cast<long long>(count));
  }
  if (totals.failed == 0) problems.Add("no allocation failed: nothing was tested");
  return problems.Finish();
}

}  // namespace
}  // namespace hypha::reliability

int main(int argc, char** argv) {
  using namespace hypha::reliability;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  InstallFailingMemory();
  const Exempt own;  // this thread, but for its calls into the engine
  std::vector<char*> shifted(argv, argv + argc);
  shifted.insert(shifted.begin() + 1, argv[0]);  // where the other program has its role
  return Main(Flags(argc + 1, shifted.data()));
}
