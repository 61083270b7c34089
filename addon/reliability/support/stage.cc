#include "support/stage.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "hypha/caught.h"
#include "support/answer.h"
#include "support/check.h"
#include "support/copies.h"
#include "support/exempt.h"

namespace hypha::reliability {
namespace {

OpenOptions StoreOptions() {
  OpenOptions options;
  options.path = kSimDatabase;
  options.readers = 1;
  options.limits.transaction_timeout_ms = 20'000;
  return options;
}

Status With(const char* when, const Status& status) {
  return status.ok() ? status : Status(status.code(), std::string(when) + ": " + status.message());
}

}  // namespace

Result<Content> ContentOnDisk(bool check_structure) { return ContentOf(kSimDatabase, OnSimDisk(), check_structure); }

Stage::Stage(const DiskImage& image, Content content) : start_(std::move(content)) { SimDisk::Mount(image); }

Stage::~Stage() {
  if (opened_.engine != nullptr) Close();
}

void Stage::Note(const Status& status) {
  if (!status.ok()) codes_.insert(status.code());
}

bool Stage::Open() {
  OpenOptions options = StoreOptions();
  options.wal.cache_kib = cache_kib_;
  options.wal.autocheckpoint_pages = autocheckpoint_pages_;
  options.durability = durability_;
  options.busy_timeout_ms = busy_timeout_ms_;
  Hooks hooks = OnSimDisk();
  hooks.steady_now = [this] { return Now(); };
  hooks.reached = [this](const char* point) {
    if (std::string_view(point) == "before-begin") held_.wait(true);
  };
  auto opened = [&] {
    const NotExempt engine;
    return OpenStore(options, hooks);
  }();
  Note(opened.status());
  if (opened.ok()) opened_ = std::move(opened.value());
  return opened.ok();
}

void Stage::Close() {
  if (opened_.engine == nullptr) return;
  opened_.reader.reset();
  Status closed;
  {
    const NotExempt engine;
    closed = CloseStore(opened_.engine);
  }
  opened_.engine.reset();
  Note(closed);
}

void Stage::Do(Unit unit, Durability durability) {
  if (opened_.engine == nullptr) return;
  if (unit.shape == Unit::Shape::kTransaction) durability = durability_;
  steps_.push_back({std::move(unit), durability, Told::kAsked, Now(), {}});
  SimDisk::Mark(static_cast<std::int64_t>(2 * (steps_.size() - 1)));
  const Outcome outcome = Run(*opened_.engine, steps_.back().unit, durability);
  steps_.back().told = outcome.told;
  steps_.back().told_at = Now();
  SimDisk::Mark(static_cast<std::int64_t>(2 * (steps_.size() - 1) + 1));
  if (outcome.code != Code::kOk) codes_.insert(outcome.code);
}

void Stage::DoTogether(std::vector<Unit> units, Then then) {
  if (opened_.engine == nullptr) return;
  std::vector<Answer<Outcome>> answers(units.size());
  const std::size_t first = steps_.size();
  for (auto& unit : units) steps_.push_back({std::move(unit), Durability::kFull, Told::kAsked, {}, {}});
  // The first waits for the others, which become one group whatever the scheduler does.
  held_ = true;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    Start(*opened_.engine, steps_[first + i].unit, Durability::kFull, answers[i]);
  }
  held_ = false;
  held_.notify_all();
  if (then == Then::kClose) Close();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const Outcome outcome = answers[i].Get();
    steps_[first + i].told = outcome.told;
    if (outcome.code != Code::kOk) codes_.insert(outcome.code);
  }
}

void Stage::DoElsewhere(std::vector<Unit> units) {
  OpenedStore mine = std::exchange(opened_, {});
  elsewhere_from_ = steps_.size();
  if (mine.engine != nullptr && Open()) {
    for (auto& unit : units) Do(std::move(unit));
    Close();
  }
  elsewhere_to_ = steps_.size();
  opened_ = std::move(mine);
}

void Stage::Look(ReadRequest request) {
  if (opened_.engine != nullptr) Note(Read(*opened_.engine, std::move(request)).status());
}

void Stage::Migrate(int target) {
  OpenOptions options = StoreOptions();
  options.busy_timeout_ms = busy_timeout_ms_;
  const Hooks hooks = OnSimDisk();
  Status status;
  {
    const NotExempt engine;
    status = MigrateStore(options, target, hooks);
  }
  Note(status);
}

void Stage::Maintain(Maintenance what) {
  if (opened_.engine != nullptr) Note(reliability::Maintain(*opened_.engine, what));
}

bool SurvivesPowerLoss(const std::vector<Step>& steps, std::size_t index) {
  const Step& step = steps[index];
  if (step.durability == Durability::kFull) return true;
  if (step.durability != Durability::kPeriodic) return false;
  const SteadyTime due = step.told_at + std::chrono::milliseconds(WalOptions().sync_interval_ms);
  return std::any_of(steps.begin() + static_cast<std::ptrdiff_t>(index) + 1, steps.end(),
                     [&](const Step& later) { return later.told == Told::kAcked && later.asked_at >= due; });
}

Status Stage::Copy(Copies kind) {
  if (copies_ == Copies::kNone) {
    copies_ = kind;
    folder_.emplace();
    folder_->LayTarget();
    if (kind == Copies::kRestores) folder_->LaySource();
  }
  const std::string source = folder_->source();
  const BackupSpec spec{folder_->target(), true, {}};
  const auto report = [&] {
    const NotExempt engine;
    return kind == Copies::kRestores ? RestoreStore(source, spec.path, spec.control) : opened_.engine->Backup(spec);
  }();
  return report.status();
}

void Stage::Backup() {
  if (opened_.engine == nullptr) return;
  const Status status = Copy(Copies::kBackups);
  copy_acked_ = copy_acked_ || status.ok();
  Note(status);
}

void Stage::Restore() {
  const Status status = Copy(Copies::kRestores);
  copy_acked_ = copy_acked_ || status.ok();
  Note(status);
}

Status Stage::ExportTo(BundleForm form) {
  ExportSpec spec;
  spec.path = bundles_->target(form);
  spec.form = form;
  spec.overwrite = true;
  spec.part_rows = 40;
  BundleSummary summary;
  const NotExempt engine;
  return ExportBundle(*opened_.engine, spec, nullptr, &summary).status;
}

void Stage::Export(BundleForm form) {
  if (opened_.engine == nullptr) return;
  if (!bundles_) bundles_.emplace().LayTargets();
  const Status status = ExportTo(form);
  exports_[form] = exports_[form] || status.ok();
  Note(status);
}

void Stage::Import() {
  if (opened_.engine == nullptr) return;
  if (!bundles_) bundles_.emplace().LaySource();
  steps_.push_back({BundleFolder::SourceUnit(), durability_, Told::kAsked, Now(), {}});
  SimDisk::Mark(static_cast<std::int64_t>(2 * (steps_.size() - 1)));
  ImportSpec spec;
  spec.path = bundles_->source();
  spec.on_conflict = OnConflict::kUpdate;
  ImportSummary summary;
  const Status status = [&] {
    const NotExempt engine;
    return Caught([&] {
      return ImportBundle(*opened_.engine, *QueueImport(*opened_.engine, this), spec, nullptr, &summary).status;
    });
  }();
  const Told failed = status.code() == Code::kIndeterminate ? Told::kUnknown : Told::kFailed;
  steps_.back().told = status.ok() ? Told::kAcked : failed;
  steps_.back().told_at = Now();
  SimDisk::Mark(static_cast<std::int64_t>(2 * (steps_.size() - 1) + 1));
  Note(status);
}

Status Stage::JudgeBundles() {
  const auto is_export = [this](const Content& found) { return Judge(start_, steps_, found, false); };
  for (const bool again : {false, true}) {
    Status status;
    for (auto& [form, acked] : exports_) {
      if (again && opened_.engine == nullptr) return Status::Ok();
      if (again) status = With("the next export", ExportTo(form));  // nothing fails any more
      if (status.ok()) status = bundles_->JudgeTarget(form, acked || again, is_export);
      if (!status.ok()) return status;
    }
    // Without a free descriptor a directory cannot be removed either.
    if (!again && (removals_failed_ || codes_.contains(Code::kCantOpen))) continue;
    status = bundles_->JudgeFolder();
    if (!status.ok()) return With(again ? "the next copy" : "the copies", status);
  }
  return Status::Ok();
}

Status Stage::JudgeCopies() {
  if (bundles_) return JudgeBundles();
  if (copies_ == Copies::kNone) return Status::Ok();
  const auto is_copy = [this](const Content& found) {
    if (copies_ == Copies::kBackups) return Judge(start_, steps_, found, false);
    const std::string difference = Difference(CopyFolder::source_content(), found);
    return difference.empty() ? Status::Ok() : Status(Code::kCorrupt, difference);
  };
  Status status = folder_->Judge(copy_acked_, removals_failed_, is_copy);
  if (!status.ok() || (copies_ == Copies::kBackups && opened_.engine == nullptr)) return status;
  status = Copy(copies_);  // nothing fails any more
  if (!status.ok()) return With("the next copy", status);
  return With("the next copy", folder_->Judge(true, false, is_copy));
}

Status Stage::Judge(const Content& start, const std::vector<Step>& steps, const Content& found, bool full_only) {
  std::size_t certain = 0;
  Content expected = start;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool acked = steps[i].told == Told::kAcked;
    const Content before = acked && full_only ? expected : Content();
    if (steps[i].told != Told::kFailed) ApplyUnit(steps[i].unit, &expected);
    // What changes nothing has nothing to sync, and makes nothing before it durable.
    const bool counts = !full_only || (acked && before != expected && SurvivesPowerLoss(steps, i));
    if (acked && counts) certain = i + 1;
  }
  // What may be there. A step whose outcome nobody knows stops its process, and may be in or not while another process
  // goes on; a process alone has a prefix of its steps.
  std::vector<Content> possible{start};
  std::string difference;
  for (std::size_t i = 0;; ++i) {
    for (const Content& content : possible) {
      if (i < certain) break;
      const std::string here = Difference(content, found);
      if (here.empty()) return Status::Ok();
      if (difference.empty()) difference = here;
    }
    if (i == steps.size()) break;
    if (steps[i].told == Told::kFailed) continue;
    const std::vector<Content> without = possible;
    for (Content& content : possible) ApplyUnit(steps[i].unit, &content);
    if (steps[i].told == Told::kUnknown) possible.insert(possible.end(), without.begin(), without.end());
  }
  return {Code::kCorrupt,
          "after " + std::to_string(certain) + " of " + std::to_string(steps.size()) + " steps: " + difference};
}

Status Stage::JudgeOpen() {
  if (opened_.engine == nullptr) return Status::Ok();
  bool unknown = false;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    const bool elsewhere = i >= elsewhere_from_ && i < elsewhere_to_;
    unknown = unknown || (steps_[i].told == Told::kUnknown && !elsewhere);
  }
  // A control: a store that says it is usable is.
  Unit control;
  WriteOp op;
  op.ns = "control";
  op.key = "k";
  op.value = "1";
  control.ops.push_back(op);
  steps_.push_back({control, Durability::kFull, Told::kAsked, {}, {}});
  const Outcome outcome = Run(*opened_.engine, control, Durability::kFull);
  steps_.back().told = outcome.told;
  if (unknown) {
    return outcome.code == Code::kStopped ? Status::Ok()
                                          : Status(Code::kInternal, "writes go on after a commit of unknown outcome");
  }
  if (outcome.told != Told::kAcked && outcome.code != Code::kStopped) {
    return {Code::kInternal, "the store is not usable after the fault: " + std::string(Describe(outcome.code).name)};
  }
  if (outcome.told == Told::kAcked) {
    Status own = ReadOwnWrites();
    if (!own.ok()) return own;
  }
  auto db = Connection::Open(LookAt(kSimDatabase, OnSimDisk(), Role::kReader));
  if (!db.ok()) return With("second connection", db.status());
  auto content = ReadContent(*db.value());
  return content.ok() ? With("still open", Judge(start_, steps_, content.value(), false)) : content.status();
}

// By both ways of reading; the values that the inline reader keeps must be given up when they change.
Status Stage::ReadOwnWrites() {
  const auto wrong = [](const char* who) { return Status(Code::kInternal, std::string(who) + " reads an old value"); };
  for (const char* value : {"1", "2", "3"}) {
    Unit unit = steps_.back().unit;
    unit.ops[0].value = value;
    steps_.push_back({unit, Durability::kFull, Told::kAsked, {}, {}});
    steps_.back().told = Run(*opened_.engine, unit, Durability::kFull).told;
    if (steps_.back().told != Told::kAcked) return {Code::kInternal, "a second write after the fault failed"};
    auto read = Read(*opened_.engine, GetEntrySpec{"control", "k"});
    if (!read.ok()) return With("read after the fault", read.status());
    const auto& entry = std::get<std::optional<Entry>>(read.value());
    if (!entry || entry->value != value) return wrong("a reader thread");
    if (opened_.reader == nullptr) continue;
    opened_.reader->EndSnapshot();  // as the binding does before it tells of a write
    for (int i = 0; i < 3; ++i) {
      std::string_view text;
      const auto answer = opened_.reader->Get("control", "k", &text);
      if (answer == InlineReader::Answer::kAbsent) return wrong("the inline reader");
      if (answer == InlineReader::Answer::kFound && text != value) return wrong("the inline reader");
      opened_.reader->EndTurn();
    }
  }
  return Status::Ok();
}

Status Stage::JudgeReopened() {
  Close();
  if (SimDisk::OpenHandles() != 0) return {Code::kInternal, "files are still open after close"};
  auto content = ContentOnDisk(true);
  return content.ok() ? With("reopened", Judge(start_, steps_, content.value(), false)) : content.status();
}

Status Stage::JudgeAfterPowerLoss() {
  const DiskTrace trace = SimDisk::TakeTrace();
  PowerLine line(trace);
  while (line.Step()) {
  }
  PowerLine::Choice choice;
  choice.fates.assign(line.pending(), PowerLine::Choice::Fate::kLost);
  SimDisk::Mount(line.Lose(choice));
  auto content = ContentOnDisk(false);
  return content.ok() ? With("after a loss of power", Judge(start_, steps_, content.value(), true)) : content.status();
}

void Stage::NoteDisk() {
  if (opened_.engine == nullptr) return;
  noted_disk_ = SimDisk::Visible();
  noted_steps_ = steps_;
}

Status Stage::JudgeKilled() const {
  if (noted_disk_.empty()) return Status::Ok();
  SimDisk::Mount(noted_disk_);
  auto content = ContentOnDisk(false);
  return content.ok() ? With("killed", Judge(start_, noted_steps_, content.value(), false)) : content.status();
}

}  // namespace hypha::reliability
