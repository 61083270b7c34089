#include "support/copier.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "support/driver.h"

namespace hypha::reliability {
namespace {

constexpr int kEntries = 20;
constexpr std::array<const char*, kCopyKinds> kSuffixes{".copy", ".restored", ".bundle", ".jsonl", ".generation"};
constexpr std::array<const char*, kCopyKinds> kNames{"backup", "restore", "export of a folder", "export of a file",
                                                     "import"};

bool StartsWith(const std::string& text, const std::string& start) { return text.rfind(start, 0) == 0; }

}  // namespace

std::string TargetOf(CopyKind kind, const std::string& database) {
  return database + kSuffixes[static_cast<std::size_t>(kind)];
}

const char* NameOf(CopyKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

Result<std::uint64_t> GenerationOf(const Content& content) {
  std::uint64_t number = 0;
  int entries = 0;
  for (auto at = content.lower_bound({kGenerations, ""}); at != content.end() && at->first.first == kGenerations;
       ++at) {
    const std::uint64_t here = std::strtoull(at->second.value.c_str(), nullptr, 10);
    if (entries++ != 0 && here != number) {
      return Status(Code::kCorrupt, "generation " + std::to_string(number) + " and " + std::to_string(here));
    }
    number = here;
  }
  if (entries == 0 || entries == kEntries) return number;
  return Status(Code::kCorrupt, std::to_string(entries) + " entries of a generation");
}

void Copier::Anomaly(CopyKind kind, const std::string& what) {
  ledger_.Anomaly(std::string(NameOf(kind)) + ": " + what);
}

// Nothing of an earlier copy to the same target is left, and no log of the file that was replaced.
void Copier::CheckFolder(CopyKind kind) {
  const std::filesystem::path target = TargetOf(kind, database_);
  const std::string name = target.filename();
  for (const auto& file : std::filesystem::directory_iterator(target.parent_path())) {
    const std::string found = file.path().filename();
    if (found != name && (StartsWith(found, name + ".") || StartsWith(found, name + "-"))) {
      Anomaly(kind, found + " is left");
    }
  }
}

bool Copier::Make(CopyKind kind, const std::function<Status()>& work, const Since* since) {
  CopyRecord& record = ledger_.copy(kind);
  const std::size_t place = record.next();
  for (int client = 0; client < kClients; ++client) {
    const auto slot = static_cast<std::size_t>(client);
    record.since[place][slot] = since == nullptr ? ledger_.CountCertain(client) : (*since)[slot].load();
  }
  ++record.asked;
  const Status status = work();
  if (status.ok()) record.acked = static_cast<std::uint8_t>(place + 1);
  ++record.answered;
  if (!status.ok()) Anomaly(kind, status.message());
  if (status.ok()) CheckFolder(kind);
  return status.ok();
}

Status Copier::Export(Engine& engine, const std::string& path, BundleForm form, std::int64_t part_rows,
                      const std::vector<std::string>& namespaces) {
  ExportSpec spec;
  spec.path = path;
  spec.form = form;
  spec.overwrite = true;
  spec.part_rows = part_rows;
  spec.namespaces = namespaces;
  BundleSummary summary;
  return ExportBundle(engine, spec, nullptr, &summary).status;
}

bool Copier::Step(std::uint64_t number, const std::function<Told()>& work) {
  if (steps_ == kGenerationsPerRun) return false;
  Generation& step = ledger_.page().generations[steps_++];
  step.number = number;
  step.told = Told::kAsked;
  step.told = work();
  return step.told == Told::kAcked;
}

bool Copier::WriteGeneration(Engine& engine, std::uint64_t number) {
  Unit unit;
  unit.atomic = true;
  for (int i = 0; i < kEntries; ++i) {
    WriteOp op;
    op.ns = kGenerations;
    op.key = "k" + std::to_string(i);
    op.value = std::to_string(number);
    unit.ops.push_back(std::move(op));
  }
  return Step(number, [&] { return reliability::Run(engine, unit, Durability::kNormal).told; });
}

// An older generation, exported, replaces a newer one.
void Copier::ExportAndImport(Engine& engine, Random& random) {
  const std::uint64_t older = 1 + random.Below(1'000'000'000);
  const std::string path = TargetOf(CopyKind::kImport, database_);
  if (!WriteGeneration(engine, older)) return;
  const Status exported = Export(engine, path, BundleForm::kFile, 1000, {kGenerations});
  if (!exported.ok()) return Anomaly(CopyKind::kImport, exported.message());
  if (!WriteGeneration(engine, older + 1)) return;
  Make(CopyKind::kImport, [&] {
    Status status;
    Step(older, [&] {
      ImportSpec spec;
      spec.path = path;
      spec.on_conflict = OnConflict::kUpdate;
      ImportSummary summary;
      status = ImportBundle(engine, *QueueImport(engine, this), spec, nullptr, &summary).status;
      if (status.ok()) return Told::kAcked;
      return status.code() == Code::kIndeterminate ? Told::kUnknown : Told::kFailed;
    });
    return status;
  });
}

void Copier::Run(Engine& engine, Random& random, bool all) {
  const std::string backup = TargetOf(CopyKind::kBackup, database_);
  const auto chosen = [&] { return random.OneIn(2) || all; };
  const bool made = chosen() && Make(CopyKind::kBackup, [&] { return engine.Backup({backup, true, {}}).status(); });
  if (made && chosen()) {
    const CopyRecord& source = ledger_.copy(CopyKind::kBackup);
    Make(
        CopyKind::kRestore,
        [&] { return RestoreStore(backup, TargetOf(CopyKind::kRestore, database_), {}, hooks_).status(); },
        &source.since[source.acked - 1U]);
  }
  for (const CopyKind kind : {CopyKind::kFolder, CopyKind::kFile}) {
    const BundleForm form = kind == CopyKind::kFolder ? BundleForm::kDirectory : BundleForm::kFile;
    const auto part_rows = static_cast<std::int64_t>(1 + random.Below(100));
    if (!chosen()) continue;
    Make(kind, [&] { return Export(engine, TargetOf(kind, database_), form, part_rows, {}); });
  }
  if (chosen()) ExportAndImport(engine, random);
}

}  // namespace hypha::reliability
