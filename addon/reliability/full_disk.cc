// A real disk that is full: file systems of every size in memory. What does not fit is refused as a whole, reads go on,
// and once there is room again so do writes, without reopening.
#include <sched.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "roles.h"
#include "support/check.h"
#include "support/problems.h"
#include "support/process.h"
#include "support/random.h"
#include "support/stage.h"
#include "support/watch.h"

namespace hypha::reliability {
namespace {

constexpr int kSmallest = 12 * 4096;
constexpr int kUnits = 400;

// A tmpfs of a size that can be changed, at a folder of its own.
class SmallDisk {
 public:
  SmallDisk(const std::string& path, int bytes) : path_(path) { mounted_ = Mount(bytes, 0); }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  bool MakeRoom() { return Mount(64 << 20, MS_REMOUNT); }

 private:
  bool Mount(int bytes, unsigned long flags) {
    const std::string options = "mode=0700,size=" + std::to_string(bytes);
    return ::mount("hypha", path_.c_str(), "tmpfs", flags, options.c_str()) == 0;
  }

  const std::string path_;
  bool mounted_;
};

struct Totals {
  std::int64_t runs = 0;
  std::int64_t full = 0;
  std::map<Code, std::int64_t> codes;
};

OpenOptions OptionsFor(const std::string& path) {
  OpenOptions options;
  options.path = path;
  options.readers = 1;
  options.busy_timeout_ms = 1000;
  return options;
}

void Close(OpenedStore* store) {
  store->reader.reset();
  static_cast<void>(CloseStore(store->engine));
  store->engine.reset();
}

std::string Judge(const std::string& path, const std::vector<Step>& steps, bool structure) {
  auto db = Connection::Open(LookAt(path, Hooks(), Role::kReader));
  if (!db.ok()) return db.status().message();
  Status status = structure ? CheckStructure(*db.value()) : Status::Ok();
  if (!status.ok()) return status.message();
  auto content = ReadContent(*db.value());
  status = content.ok() ? Stage::Judge({}, steps, content.value(), false) : content.status();
  return status.ok() ? "" : status.message();
}

// Writes until the disk has been full for a while.
void Fill(Engine& engine, std::uint64_t seed, std::vector<Step>* steps, Totals* totals) {
  int full = 0;
  for (int i = 0; i < kUnits && full < 8; ++i) {
    steps->push_back({MakeUnit(seed, 1, static_cast<std::uint64_t>(i)), Durability::kFull, Told::kAsked, {}, {}});
    const Outcome outcome = Run(engine, steps->back().unit, steps->back().durability);
    steps->back().told = outcome.told;
    if (outcome.code != Code::kOk) ++totals->codes[outcome.code];
    if (outcome.code == Code::kFull) ++full;
  }
  if (full > 0) ++totals->full;
}

// Empty, or what went wrong.
std::string RunSize(const std::string& folder, int bytes, std::uint64_t seed, Totals* totals) {
  SmallDisk disk(folder, bytes);
  if (!disk.mounted()) return std::string("mount: ") + std::strerror(errno);
  const std::string path = folder + "/a.db";
  std::vector<Step> steps;
  auto opened = OpenStore(OptionsFor(path));
  if (!opened.ok()) {
    ++totals->codes[opened.status().code()];
    if (!disk.MakeRoom()) return "no more room could be made";
    opened = OpenStore(OptionsFor(path));
    if (!opened.ok()) return "cannot be opened with room again: " + opened.status().message();
  } else {
    Fill(*opened.value().engine, seed, &steps, totals);
    auto read = Read(*opened.value().engine, GetEntrySpec{"a1", "stamp"});
    if (!read.ok()) return "a read failed while the disk was full: " + read.status().message();
    if (!disk.MakeRoom()) return "no more room could be made";
  }
  steps.push_back({MakeUnit(seed, 1, 1'000'000), Durability::kFull, Told::kAsked, {}, {}});
  for (std::uint64_t i = 1; steps.back().unit.rolls_back || !steps.back().unit.has_stamp; ++i) {
    steps.back().unit = MakeUnit(seed, 1, 1'000'000 + i);
  }
  const Outcome control = Run(*opened.value().engine, steps.back().unit, Durability::kFull);
  steps.back().told = control.told;
  if (control.told != Told::kAcked) {
    return "not usable with room again: " + std::string(Describe(control.code).name);
  }
  std::string problem = Judge(path, steps, false);
  Close(&opened.value());
  if (!problem.empty()) return "open: " + problem;
  problem = Judge(path, steps, true);
  return problem.empty() ? "" : "reopened: " + problem;
}

bool MayMount() {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

int FullDisk(const Flags& flags) {
  const std::uint64_t seed = flags.Seed();
  std::printf("full-disk: seed %llu\n", static_cast<unsigned long long>(seed));
  if (!MayMount()) {
    const bool allowed = flags.Has("allow-no-mount");
    std::printf("full-disk: %s: this user may not mount a file system\n", allowed ? "skipped" : "problem");
    if (!allowed) std::printf("full-disk: --allow-no-mount leaves this part out\n");
    return allowed ? 0 : 1;
  }
  WatchCases("full-disk");
  const Folder folder;
  const std::int64_t runs = flags.Number("runs", 60);
  const double started = NowSeconds();
  Totals totals;
  Problems problems("full-disk", flags);
  for (std::int64_t run = 0; run < runs && !problems.enough(); ++run) {
    const int bytes = kSmallest + static_cast<int>(run) * 4096 * static_cast<int>(flags.Number("step", 2));
    NextCase(std::to_string(bytes) + " bytes");
    ++totals.runs;
    const std::string problem = RunSize(folder.path(), bytes, seed + static_cast<std::uint64_t>(run), &totals);
    if (!problem.empty()) problems.Add(std::to_string(bytes) + " bytes: " + problem);
  }
  std::printf("full-disk: %lld sizes, full while writing in %lld, in %.0f s\n", static_cast<long long>(totals.runs),
              static_cast<long long>(totals.full), NowSeconds() - started);
  for (const auto& [code, count] : totals.codes) {
    std::printf("full-disk:   %s %lld times\n", std::string(Describe(code).name).c_str(),
                static_cast<long long>(count));
  }
  if (totals.full == 0) problems.Add("the disk was never full: nothing was tested");
  return problems.Finish();
}

}  // namespace hypha::reliability
