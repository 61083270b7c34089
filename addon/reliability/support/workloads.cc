#include "support/workloads.h"

#include <array>
#include <cstdlib>
#include <utility>

namespace hypha::reliability {
namespace {

constexpr std::uint64_t kSeed = 20'261'125;  // the content is the same in every run

WriteOp Set(const std::string& ns, const std::string& key, std::string value) {
  WriteOp op;
  op.ns = ns;
  op.key = key;
  op.value = std::move(value);
  return op;
}

WriteOp Of(WriteKind kind, const std::string& ns, const std::string& value = "") {
  WriteOp op;
  op.kind = kind;
  op.ns = ns;
  op.value = value;
  return op;
}

Unit Request(std::vector<WriteOp> ops, bool atomic) {
  Unit unit;
  unit.ops = std::move(ops);
  unit.atomic = atomic;
  return unit;
}

std::string Document(int i, std::size_t filler = 40) {
  return "{\"i\":" + std::to_string(i) + ",\"s\":\"" + std::string(filler, 'x') + "\"}";
}

Unit Batch(const std::string& ns, int from, int count, std::size_t filler = 40) {
  std::vector<WriteOp> ops;
  for (int i = from; i < from + count; ++i) ops.push_back(Set(ns, "k" + std::to_string(i), Document(i, filler)));
  return Request(std::move(ops), true);
}

void Prepare(Stage& stage) {
  if (!stage.Open()) std::abort();
  stage.Do(Batch("base", 0, 60));
  stage.Do(Request({Set("small", "a", "1"), Set("small", "b", "[1,2]")}, true));
  for (std::uint64_t i = 0; i < 8; ++i) stage.Do(MakeUnit(kSeed, 0, i));
}

FilterNode Greater(double number) {
  FilterNode node;
  node.kind = FilterNode::Kind::kTerm;
  node.term.path = {"i"};
  node.term.op = Operator::kGt;
  node.term.operand.tag = Operand::Tag::kNumber;
  node.term.operand.number = number;
  return node;
}

void OpenAndClose(Stage& stage) {
  stage.Open();
  stage.Look(NamespacesSpec{});
  stage.Close();
}

void BatchOfFifty(Stage& stage) {
  stage.Open();
  stage.Do(Batch("base", 40, 50));
}

void Group(Stage& stage) {
  stage.Open();
  Unit poisoned = Batch("other", 0, 3);
  poisoned.ops.push_back(Of(WriteKind::kDelete, "other"));
  poisoned.ops.back().key = "k0";
  poisoned.ops.back().if_version = 4'000'000'000'000;
  poisoned.rolls_back = true;
  const auto counting = [](const std::string& ns, int from) {
    Unit unit = Batch(ns, from, 4);
    unit.ops.push_back(Of(WriteKind::kEdit, "small", "1"));
    unit.ops.back().key = "a";
    return unit;
  };
  // One group, or the first alone and then the others: of either the first counts, so that doing it twice shows. What
  // the poisoned one writes first, k0 of "other", nobody else writes.
  for (int i = 0; i < 4; ++i) {
    stage.DoTogether({counting("third", i), counting("base", i), poisoned, counting("other", 1 + i),
                      Request({Set("third", "x", std::to_string(i))}, false)});
  }
}

void DeleteAndQuery(Stage& stage) {
  stage.Open();
  WriteOp gone = Of(WriteKind::kDelete, "base");
  gone.key = "k3";
  stage.Do(Request({gone}, false));
  QuerySpec query;
  query.ns = "base";
  query.filter = Greater(20);
  stage.Look(query);
  ListSpec list;
  list.ns = "base";
  stage.Look(list);
  WriteOp sum = Of(WriteKind::kEdit, "small", "5");
  sum.key = "a";
  stage.Do(Request({sum}, true));
  stage.Do(Request({Of(WriteKind::kClear, "small")}, false));
}

void Index(Stage& stage) {
  stage.set_cache_kib(Stage::kSmallCache);
  stage.Open();
  stage.Do(Request({Of(WriteKind::kCreateIndex, "base", "[{\"field\":\"i\"}]")}, false));
  QuerySpec query;
  query.ns = "base";
  query.filter = Greater(50);
  stage.Look(query);
  stage.Do(Batch("base", 58, 5));
  stage.Do(Request({Of(WriteKind::kDropIndex, "base", "[{\"field\":\"i\"}]")}, false));
}

void MigrateUp(Stage& stage) {
  stage.Open();
  stage.Do(Batch("base", 0, 2));
}

void MigrateDown(Stage& stage) {
  stage.Migrate(1);
  stage.Open();
  stage.Do(Batch("base", 0, 2));
}

void Interactive(Stage& stage) {
  stage.set_cache_kib(Stage::kSmallCache);
  stage.Open();
  Unit unit = Batch("base", 10, 3);
  unit.shape = Unit::Shape::kTransaction;
  stage.Do(unit);
  unit = Batch("base", 20, 3);
  unit.shape = Unit::Shape::kTransaction;
  unit.rolls_back = true;
  stage.Do(unit);
  stage.Do(Request({Of(WriteKind::kClear, "small")}, false));
  // A namespace that is taken back, and then made again.
  unit = Batch("fresh", 0, 2);
  unit.shape = Unit::Shape::kTransaction;
  unit.ops.insert(unit.ops.begin(),
                  {Of(WriteKind::kSavepoint, ""), Set("fresh", "gone", "1"), Of(WriteKind::kRollbackTo, "")});
  stage.Do(unit);
}

void CheckpointAndWrite(Stage& stage) {
  stage.Open();
  stage.Do(Batch("base", 0, 10));
  stage.Checkpoint();
  stage.Do(Batch("base", 5, 10));
  stage.Checkpoint();
  stage.Do(Request({Set("base", "last", "true")}, false));
}

// At a level whose commits rest on the syncs of what comes after them.
void Maintain(Stage& stage) {
  stage.set_autocheckpoint_pages(4);
  stage.Open();
  stage.Do(Batch("base", 0, 10), Durability::kNormal);
  stage.Maintain(Maintenance::kAnalyze);
  stage.Do(Batch("base", 5, 10), Durability::kNormal);
  stage.Maintain(Maintenance::kVacuum);
  stage.Do(Request({Set("base", "last", "true")}, false));
}

void WriteAndClose(Stage& stage) {
  stage.Open();
  stage.DoTogether({Batch("base", 0, 5), Batch("base", 3, 5), Request({Set("base", "k9", "9")}, false)},
                   Stage::Then::kClose);
}

// Another process takes a namespace away and makes it again, so that its number changes.
void TwoProcesses(Stage& stage) {
  stage.Open();
  stage.Do(Batch("shared", 0, 2));
  WriteOp gone = Of(WriteKind::kDeleteNamespace, "shared");
  gone.recursive = true;
  stage.DoElsewhere({Request({gone}, false), Batch("shared", 5, 2)});
  stage.Do(Batch("shared", 1, 3));
}

void LargeValues(Stage& stage) {
  stage.set_cache_kib(Stage::kSmallCache);
  stage.Open();
  stage.Do(Batch("large", 0, 3, 60'000));
  stage.Do(Batch("large", 1, 2, 10));
}

void BackUp(Stage& stage) {
  stage.Open();
  stage.Do(Batch("large", 0, 3, 60'000));
  stage.Backup();
  stage.Backup();
}

void Restore(Stage& stage) {
  stage.Restore();
  stage.Restore();
}

void Export(Stage& stage) {
  stage.Open();
  stage.Do(Batch("large", 0, 3, 60'000));
  for (const BundleForm form : {BundleForm::kDirectory, BundleForm::kFile}) {
    stage.Export(form);
    stage.Export(form);
  }
}

void Import(Stage& stage) {
  stage.Open();
  stage.Import();
  stage.Do(Batch("base", 55, 10));
  stage.Import();
}

constexpr std::array kWorkloads{
    Workload{"open-new", &OpenAndClose, Workload::Start::kEmpty},
    Workload{"open-hot-log", &OpenAndClose, Workload::Start::kHotLog},
    Workload{"batch-of-fifty", &BatchOfFifty, Workload::Start::kClosed},
    Workload{"group-with-a-poisoned-request", &Group, Workload::Start::kClosed},
    Workload{"delete-query-edit-clear", &DeleteAndQuery, Workload::Start::kClosed},
    Workload{"index", &Index, Workload::Start::kClosed},
    Workload{"migrate-up", &MigrateUp, Workload::Start::kKernelLayout},
    Workload{"migrate-down-and-up", &MigrateDown, Workload::Start::kClosed},
    Workload{"transactions", &Interactive, Workload::Start::kClosed},
    Workload{"checkpoints", &CheckpointAndWrite, Workload::Start::kHotLog},
    Workload{"maintenance", &Maintain, Workload::Start::kHotLog},
    Workload{"write-and-close", &WriteAndClose, Workload::Start::kClosed},
    Workload{"two-processes", &TwoProcesses, Workload::Start::kClosed},
    Workload{"large-values", &LargeValues, Workload::Start::kClosed},
    Workload{"backup", &BackUp, Workload::Start::kHotLog},
    Workload{"restore", &Restore, Workload::Start::kClosed, true},
    Workload{"export", &Export, Workload::Start::kHotLog},
    Workload{"import", &Import, Workload::Start::kClosed},
};

StartingPoint MakeStart(Workload::Start start) {
  if (start == Workload::Start::kEmpty) return {};
  StartingPoint point;
  Stage stage({}, {});
  Prepare(stage);
  if (start == Workload::Start::kHotLog) point.image = SimDisk::Visible();  // as a killed process leaves it
  stage.Close();
  if (start == Workload::Start::kKernelLayout) stage.Migrate(1);
  if (start != Workload::Start::kHotLog) point.image = SimDisk::Visible();
  SimDisk::Mount(point.image);
  auto content = ContentOnDisk(true);
  if (!content.ok()) std::abort();
  point.content = std::move(content.value());
  return point;
}

}  // namespace

std::span<const Workload> Workloads() { return kWorkloads; }

const StartingPoint& StartOf(const Workload& workload) {
  CopyFolder::Prepare();
  BundleFolder::Prepare();
  return StartOf(workload.start);
}

const StartingPoint& StartOf(Workload::Start start) {
  static std::array<StartingPoint, 4> points;
  static std::array<bool, 4> made{};
  const auto kind = static_cast<std::size_t>(start);
  if (!std::exchange(made[kind], true)) points[kind] = MakeStart(start);
  return points[kind];
}

}  // namespace hypha::reliability
