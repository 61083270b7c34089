// A database on the simulated disk, what its one client was told, and the judgement afterwards: shared by the sweeps of
// failing calls, failing allocations and lost power.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hypha/engine.h"
#include "hypha/hooks.h"
#include "support/bundles.h"
#include "support/copies.h"
#include "support/driver.h"
#include "support/sim_disk.h"
#include "support/units.h"

namespace hypha::reliability {

inline constexpr char kSimDatabase[] = "a.db";

struct Step {
  Unit unit;
  Durability durability = Durability::kFull;
  Told told = Told::kAsked;
  SteadyTime asked_at{};  // by the clock of the stage
  SteadyTime told_at{};
};

// Whether a loss of power after the last of `steps` leaves the step number `index`, which was acknowledged and changed
// something: one of level full, or one of level periodic whose sync interval had passed when a later step began.
bool SurvivesPowerLoss(const std::vector<Step>& steps, std::size_t index);

class Stage {
 public:
  // The disk starts with `image`, which holds `content` once opened.
  Stage(const DiskImage& image, Content content);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  // From the next Open() on. With a small one a transaction reaches the log before it is committed, and some of its
  // pages more than once.
  static constexpr std::int64_t kSmallCache = 16;
  void set_cache_kib(std::int64_t kib) { cache_kib_ = kib; }
  // From the next Open() on. Short, for locks that are refused for ever; where none is, a starved thread needs more.
  void set_busy_timeout_ms(std::int64_t timeout) { busy_timeout_ms_ = timeout; }
  // From the next Open() on: a commit copies the log once it has so many pages.
  void set_autocheckpoint_pages(std::int64_t pages) { autocheckpoint_pages_ = pages; }
  // From the next Open() on: the level of the store, which is that of its transactions.
  void set_durability(Durability durability) { durability_ = durability; }

  // What a workload does. Each notes the codes it sees; none of them throws or stops the run.
  bool Open();
  void Close();
  void Do(Unit unit, Durability durability = Durability::kFull);
  // All at once; then the answers are awaited, or the store closed before that.
  enum class Then : std::uint8_t { kWait, kClose };
  void DoTogether(std::vector<Unit> units, Then then = Then::kWait);
  // In another engine on the same file, as another process would.
  void DoElsewhere(std::vector<Unit> units);
  void Look(ReadRequest request);
  void Note(const Status& status);
  void Migrate(int target);
  void Maintain(Maintenance what);
  void Checkpoint() { Maintain(Maintenance::kTruncate); }
  // Puts the engine's clock forward: what waits for a moment is due before the next step.
  void Advance(std::chrono::milliseconds by) { ahead_ms_ += by.count(); }
  // Over a store with a hot log on the real file system; a workload has copies of one kind, and no step after the
  // first.
  void Backup();
  void Restore();
  // Over an older bundle on the real file system. A workload exports or imports, or copies; no step after the first.
  void Export(BundleForm form);
  // A bundle from there, as a step like any other.
  void Import();
  Engine* engine() { return opened_.engine.get(); }

  // What a copy could not remove, the next one to its target does.
  void NoteFailedRemovals() { removals_failed_ = true; }
  // OK, or what is wrong with the target of the copies. Makes another one.
  Status JudgeCopies();
  // OK, or what is wrong with what the open store answers now.
  Status JudgeOpen();
  // The same after closing, on what the process would see when it opens the file again.
  Status JudgeReopened();
  // And after a loss of power that took all that was not synced: acknowledged units of level full are there.
  Status JudgeAfterPowerLoss();

  // And what another process finds that comes after this one was killed at the time of NoteDisk(), with the store open.
  void NoteDisk();
  Status JudgeKilled() const;

  Status ReadOwnWrites();

  const std::set<Code>& codes() const { return codes_; }
  const std::vector<Step>& steps() const { return steps_; }

  // Whether `found` is what the first of the steps left, the acknowledged ones among them; if `full_only` only those
  // that survive a loss of power.
  static Status Judge(const Content& start, const std::vector<Step>& steps, const Content& found, bool full_only);

 private:
  SteadyTime Now() const { return std::chrono::steady_clock::now() + std::chrono::milliseconds(ahead_ms_.load()); }
  enum class Copies : std::uint8_t { kNone, kBackups, kRestores };
  Status Copy(Copies kind);
  Status ExportTo(BundleForm form);
  Status JudgeBundles();

  OpenedStore opened_;
  Content start_;
  std::vector<Step> steps_;
  std::size_t elsewhere_from_ = 0;  // steps that another engine was given
  std::size_t elsewhere_to_ = 0;
  std::set<Code> codes_;
  DiskImage noted_disk_;
  std::vector<Step> noted_steps_;
  Copies copies_ = Copies::kNone;
  bool copy_acked_ = false;
  bool removals_failed_ = false;
  std::optional<CopyFolder> folder_;
  std::optional<BundleFolder> bundles_;
  std::map<BundleForm, bool> exports_;  // whether one was acknowledged
  std::int64_t cache_kib_ = 64;
  std::int64_t autocheckpoint_pages_ = 0;
  std::int64_t busy_timeout_ms_ = 50;
  Durability durability_ = Durability::kFull;
  std::atomic<std::int64_t> ahead_ms_{0};
  std::atomic<bool> held_{false};  // the next transaction does not begin yet
};

// What a database on the disk holds; it is brought to the latest schema.
Result<Content> ContentOnDisk(bool check_structure);

}  // namespace hypha::reliability
