// Every call to the file system fails once, for ever, and a few times, in every workload; what was acknowledged stays,
// what failed is absent, and an error never ends as another value.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "roles.h"
#include "support/inject_vfs.h"
#include "support/problems.h"
#include "support/process.h"
#include "support/random.h"
#include "support/system_calls.h"
#include "support/watch.h"
#include "support/workloads.h"

namespace hypha::reliability {
namespace {

struct Fault {
  const char* name;
  Method method;
  int code;
  int landed = 0;      // bytes of a failing write that reach the file
  bool loses = false;  // a failing sync that drops what waited, as Linux does
};

constexpr Fault kFaults[] = {
    {"open-cantopen", Method::kOpen, SQLITE_CANTOPEN},
    {"open-ioerr", Method::kOpen, SQLITE_IOERR},
    {"read-ioerr", Method::kRead, SQLITE_IOERR_READ},
    {"write-ioerr", Method::kWrite, SQLITE_IOERR_WRITE},
    {"write-ioerr-after-511", Method::kWrite, SQLITE_IOERR_WRITE, 511},
    {"write-ioerr-after-all", Method::kWrite, SQLITE_IOERR_WRITE, 1 << 20},
    {"write-full", Method::kWrite, SQLITE_FULL},
    {"write-full-after-512", Method::kWrite, SQLITE_FULL, 512},
    {"write-full-after-4095", Method::kWrite, SQLITE_FULL, 4095},
    {"sync-ioerr", Method::kSync, SQLITE_IOERR_FSYNC},
    {"sync-ioerr-loses", Method::kSync, SQLITE_IOERR_FSYNC, 0, true},
    {"truncate-ioerr", Method::kTruncate, SQLITE_IOERR_TRUNCATE},
    {"file-size-ioerr", Method::kFileSize, SQLITE_IOERR_FSTAT},
    {"lock-ioerr", Method::kLock, SQLITE_IOERR_LOCK},
    {"lock-busy", Method::kLock, SQLITE_BUSY},
    {"check-reserved-ioerr", Method::kCheckReservedLock, SQLITE_IOERR_CHECKRESERVEDLOCK},
    {"shm-map-ioerr", Method::kShmMap, SQLITE_IOERR_SHMMAP},
    {"shm-map-nomem", Method::kShmMap, SQLITE_NOMEM},
    {"shm-lock-ioerr", Method::kShmLock, SQLITE_IOERR_SHMLOCK},
    {"shm-lock-busy", Method::kShmLock, SQLITE_BUSY},
    {"delete-ioerr", Method::kDelete, SQLITE_IOERR_DELETE},
    {"access-ioerr", Method::kAccess, SQLITE_IOERR_ACCESS},
    {"full-pathname-cantopen", Method::kFullPathname, SQLITE_CANTOPEN},
    {"unlock-ioerr", Method::kUnlock, SQLITE_IOERR_UNLOCK},
    {"shm-unmap-ioerr", Method::kShmUnmap, SQLITE_IOERR},
    {"file-control-ioerr", Method::kFileControl, SQLITE_IOERR},
    {"fsync-eio", Method::kFsync, EIO},
    {"fsync-enospc", Method::kFsync, ENOSPC},
    {"sync-file-range-eio", Method::kSyncFileRange, EIO},
    {"sync-file-range-enosys", Method::kSyncFileRange, ENOSYS},
    {"rename-eio", Method::kRename, EIO},
    {"unlink-eio", Method::kUnlink, EIO},
    {"mkdir-enospc", Method::kMakeDirectory, ENOSPC},
    {"plain-open-emfile", Method::kPlainOpen, EMFILE},
    {"plain-read-eio", Method::kPlainRead, EIO},
    {"plain-read-eintr", Method::kPlainRead, EINTR},
    {"plain-write-eio", Method::kPlainWrite, EIO},
    {"plain-write-enospc", Method::kPlainWrite, ENOSPC},
    {"plain-write-eintr", Method::kPlainWrite, EINTR},
    {"plain-write-short", Method::kPlainWrite, EINTR, 100},
    {"close-eio", Method::kClose, EIO},
};

bool IsLock(const Fault& fault) { return fault.method == Method::kLock || fault.method == Method::kShmLock; }

struct Mode {
  const char* name;
  int length;  // calls that fail
};
constexpr Mode kModes[] = {{"once", 1}, {"for-ever", 1 << 30}, {"then-recovers", 3}};

// Fails calls number `at`, at + 1, ... of one method.
class FaultHook final : public CallHook {
 public:
  FaultHook(const Fault& fault, std::int64_t at, int length) : fault_(fault), at_(at), length_(length) {}

  int Before(const VfsCall& call, int* landed) override {
    if (call.method != fault_.method) return SQLITE_OK;
    const std::int64_t number = ++calls_;
    if (number < at_ || number >= at_ + length_) return SQLITE_OK;
    ++fired_;
    // A disk that took every byte was not full.
    *landed = fault_.code == SQLITE_FULL ? std::min(fault_.landed, call.bytes - 1) : fault_.landed;
    if (IsLock(fault_)) NoteRefusedLock();
    if (fault_.loses && call.vfs == std::string_view(kSimInject)) SimDisk::NoteFailedSync(call.file == FileKind::kLog);
    return fault_.code;
  }
  std::int64_t fired() const { return fired_; }

 private:
  const Fault& fault_;
  const std::int64_t at_;
  const std::int64_t length_;
  std::atomic<std::int64_t> calls_{0};
  std::atomic<std::int64_t> fired_{0};
};

struct Case {
  const Workload* workload;
  const Fault* fault;
  const Mode* mode;
  std::int64_t at;

  std::string Text() const {
    return std::string(workload->name) + "," + fault->name + "," + mode->name + "," + std::to_string(at);
  }
};

struct Totals {
  std::int64_t runs = 0;
  std::int64_t fired = 0;
  std::map<std::string, std::int64_t> quiet;  // by fault: it came, and nobody had to be told
  std::map<Code, std::int64_t> codes;
};

bool MayBeTold(Code code) {
  // The last ones are what a workload says of a poisoned request, and of what an earlier failure left undone.
  constexpr std::array kAllowed{Code::kIo,
                                Code::kFull,
                                Code::kBusy,
                                Code::kCantOpen,
                                Code::kNoMem,
                                Code::kIndeterminate,
                                Code::kStopped,
                                Code::kTransactionInvalid,
                                Code::kReadOnly,
                                Code::kNotFound,
                                Code::kWalUnavailable,
                                Code::kNamespaceNotFound,
                                Code::kNamespaceNotEmpty,
                                Code::kConflict};
  return std::find(kAllowed.begin(), kAllowed.end(), code) != kAllowed.end();
}

class CountingHook final : public CallHook {
 public:
  int Before(const VfsCall& call, int*) override {
    ++calls_[static_cast<std::size_t>(call.method)];
    return SQLITE_OK;
  }
  std::int64_t calls(Method method) const { return calls_[static_cast<std::size_t>(method)]; }

 private:
  std::array<std::atomic<std::int64_t>, static_cast<std::size_t>(Method::kCount)> calls_{};
};

// How often the workload calls each method when nothing fails.
void CountCalls(const Workload& workload, CountingHook* hook) {
  NextCase(std::string("counting the calls of ") + workload.name);
  const StartingPoint& start = StartOf(workload);
  Stage stage(start.image, start.content);
  SetCallHook(hook);
  workload.run(stage);
  stage.Close();
  SetCallHook(nullptr);
}

void RunCase(const Case& which, Totals* totals, Problems* problems) {
  NextCase(which.Text());
  FaultHook hook(*which.fault, which.at, which.mode->length);
  const StartingPoint& start = StartOf(*which.workload);
  Stage stage(start.image, start.content);
  SetCallHook(&hook);
  which.workload->run(stage);
  SetCallHook(nullptr);
  stage.NoteDisk();
  // A directory has to be opened before it is removed.
  if (which.fault->method == Method::kUnlink || which.fault->method == Method::kPlainOpen) stage.NoteFailedRemovals();
  ++totals->runs;
  const auto problem = [&](const std::string& what) { problems->Add(which.Text() + ": " + what); };
  if (hook.fired() > 0) ++totals->fired;
  if (hook.fired() > 0 && stage.codes().empty()) ++totals->quiet[which.fault->name];
  for (const Code code : stage.codes()) {
    ++totals->codes[code];
    if (!MayBeTold(code)) problem("was told " + std::string(Describe(code).name));
  }
  for (const auto judge :
       {&Stage::JudgeCopies, &Stage::JudgeOpen, &Stage::JudgeReopened, &Stage::JudgeAfterPowerLoss}) {
    const Status status = (stage.*judge)();
    if (!status.ok()) return problem(status.message());
  }
  const Status killed = stage.JudgeKilled();
  if (!killed.ok()) problem(killed.message());
}

std::vector<Case> CasesOf(const Flags& flags, std::uint64_t seed) {
  const std::int64_t wanted = flags.Number("runs", 8000);
  std::vector<Case> cases;
  std::vector<Case> kinds;
  std::vector<std::int64_t> calls;
  for (const auto& workload : Workloads()) {
    if (flags.Text("workload", workload.name) != workload.name) continue;
    CountingHook hook;
    CountCalls(workload, &hook);
    for (const auto& fault : kFaults) {
      if (flags.Text("fault", fault.name) != fault.name) continue;
      const std::int64_t count = hook.calls(fault.method);
      for (const auto& mode : kModes) {
        // Who is interrupted for ever tries for ever.
        const bool never_ends = (workload.waits && IsLock(fault) && fault.code == SQLITE_BUSY) || fault.code == EINTR;
        if (count == 0 || (never_ends && mode.length > 3)) continue;
        kinds.push_back({&workload, &fault, &mode, 0});
        calls.push_back(count);
      }
    }
  }
  // The same number for each kind; those with fewer calls leave their share to the others.
  std::int64_t low = 1;
  std::int64_t high = wanted;
  const auto total = [&](std::int64_t each) {
    std::int64_t sum = 0;
    for (const std::int64_t count : calls) sum += std::min(count, each);
    return sum;
  };
  while (low < high) {
    const std::int64_t middle = (low + high + 1) / 2;
    (total(middle) <= wanted ? low : high) = total(middle) <= wanted ? middle : middle - 1;
  }
  Random random(seed);
  std::int64_t left = wanted - total(low);
  for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
    const bool one_more = calls[kind] > low && left > 0;
    if (one_more) --left;
    const std::int64_t points = std::min(calls[kind], low + (one_more ? 1 : 0));
    for (std::int64_t i = 0; i < points; ++i) {
      const std::int64_t from = i * calls[kind] / points;
      const std::int64_t next = (i + 1) * calls[kind] / points;
      cases.push_back(kinds[kind]);
      cases.back().at = 1 + from + static_cast<std::int64_t>(random.Below(static_cast<std::uint64_t>(next - from)));
    }
  }
  random.Shuffle(&cases);  // all kinds early on
  return cases;
}

// "workload,fault,mode,at"
bool ParseCase(const std::string& text, Case* which) {
  for (const auto& workload : Workloads()) {
    for (const auto& fault : kFaults) {
      for (const auto& mode : kModes) {
        const std::string start = std::string(workload.name) + "," + fault.name + "," + mode.name + ",";
        if (text.rfind(start, 0) != 0) continue;
        *which = {&workload, &fault, &mode, std::atoll(text.c_str() + start.size())};
        return true;
      }
    }
  }
  return false;
}

}  // namespace

int FaultSweep(const Flags& flags) {
  const std::uint64_t seed = flags.Seed();
  std::printf("faults: seed %llu\n", static_cast<unsigned long long>(seed));
  HookPlatformFiles();
  RegisterSimDisk();
  WatchCases("faults");
  Totals totals;
  Problems problems("faults", flags);
  const double started = NowSeconds();
  Case replay{};
  if (flags.Has("replay") && !ParseCase(flags.Text("replay"), &replay)) return 2;
  for (const auto& each : flags.Has("replay") ? std::vector<Case>{replay} : CasesOf(flags, seed)) {
    RunCase(each, &totals, &problems);
    if (problems.enough()) break;
  }
  std::int64_t quiet = 0;
  for (const auto& [fault, count] : totals.quiet) quiet += count;
  std::printf(
      "faults: %lld runs of %zu workloads, %zu faults and %zu ways, the fault came in %lld, in %lld nobody had "
      "to be told, in %.0f s\n",
      static_cast<long long>(totals.runs), Workloads().size(), std::size(kFaults), std::size(kModes),
      static_cast<long long>(totals.fired), static_cast<long long>(quiet), NowSeconds() - started);
  for (const auto& [code, count] : totals.codes) {
    std::printf("faults:   %s %lld times\n", std::string(Describe(code).name).c_str(), static_cast<long long>(count));
  }
  for (const auto& [fault, count] : totals.quiet) {
    std::printf("faults:   %s: nobody had to be told %lld times\n", fault.c_str(), static_cast<long long>(count));
  }
  if (totals.fired == 0) problems.Add("no fault came: nothing was tested");
  return problems.Finish();
}

}  // namespace hypha::reliability
