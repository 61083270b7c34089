#include "kill_copies.h"

#include <sys/stat.h>

#include <utility>

#include "ops/bundle_writer.h"
#include "support/bundles.h"
#include "support/copies.h"

namespace hypha::reliability {
namespace {

// A restore compares the backup with its manifest.
Result<Content> ContentOfBackup(const std::string& path, const std::string& scratch) {
  const auto restored = RestoreStore(path, scratch, {});
  return restored.ok() ? ContentOf(scratch, {}, true) : restored.status();
}

}  // namespace

std::optional<CopyJudge::Identity> CopyJudge::IdentityOf(CopyKind kind) const {
  std::string path = TargetOf(kind, database_);
  if (kind == CopyKind::kFolder) path = FindBundle(path) + "/" + std::string(bundle::kManifest);
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return std::nullopt;
  return Identity{info.st_ino, info.st_size, info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
}

Result<Content> CopyJudge::Read(CopyKind kind) const {
  const std::string path = TargetOf(kind, database_);
  if (kind == CopyKind::kBackup) return ContentOfBackup(path, scratch_.File("restored.db"));
  return kind == CopyKind::kRestore ? ContentOf(path, {}, true) : ContentOfBundle(path);
}

void CopyJudge::JudgeOne(CopyKind kind, const CopyRecord& record, const std::array<ClientRun, kClients>& runs,
                         const Problem& problem, CopyTotals* totals) {
  const auto number = static_cast<std::size_t>(kind);
  const bool acked = record.acked != 0;
  if (record.asked != record.answered) ++totals->cut_short[number];
  totals->made[number] += static_cast<std::int64_t>(record.answered.load());
  const auto tell = [&](const std::string& what) { problem(std::string(NameOf(kind)) + ": " + what); };
  const auto now = IdentityOf(kind);
  Before& before = before_[number];
  if (!now && (acked || before.identity)) return tell("is gone");
  if (now == before.identity) {
    if (acked) tell("was acknowledged, and the one before is there");
    return;
  }
  // What is imported was exported a moment before.
  if (record.asked == 0 && kind != CopyKind::kImport) tell("is there although nobody asked for it");
  ++totals->judged;
  auto content = Read(kind);
  before.identity = IdentityOf(kind);  // a restored store was opened
  if (!content.ok()) return tell("is not whole: " + content.status().message());
  // Before a file is replaced, what its log holds is copied into it.
  const bool is_old = !acked && Difference(before.content, content.value()).empty();
  before.content = content.value();
  if (is_old) return;
  auto generation = GenerationOf(content.value());
  if (!generation.ok()) tell(generation.status().message());
  if (kind == CopyKind::kImport) return;
  const Since& since = record.since[acked ? record.acked - 1U : 0U];
  for (std::size_t client = 0; client < runs.size(); ++client) {
    const Content found = ContentOfClient(content.value(), static_cast<int>(client));
    const PrefixMatch match = FindPrefix(runs[client], since[client], found);
    if (!match.matches) tell((acked ? "acknowledged, " : "not acknowledged, ") + match.difference);
  }
}

// Who makes the steps waits for each: but for the last one all have an answer.
void CopyJudge::JudgeGeneration(const Ledger& ledger, const Content& content, const Problem& problem) {
  const auto found = GenerationOf(content);
  if (!found.ok()) return problem("torn: " + found.status().message());
  std::uint64_t expected = generation_;
  std::optional<std::uint64_t> open;
  for (const Generation& step : ledger.page().generations) {
    const Told told = step.told;
    if (told == Told::kNothing) break;
    if (told == Told::kAcked) expected = step.number;
    if (told == Told::kAsked || told == Told::kUnknown) open = step.number;
  }
  generation_ = found.value();
  if (generation_ == expected || (open && generation_ == *open)) return;
  problem("generation " + std::to_string(generation_) + ", expected " + std::to_string(expected) +
          (open ? " or " + std::to_string(*open) : ""));
}

void CopyJudge::Judge(const Ledger& ledger, const std::array<ClientRun, kClients>& runs, const Content& content,
                      const Problem& problem, CopyTotals* totals) {
  for (std::size_t kind = 0; kind < kCopyKinds; ++kind) {
    const auto which = static_cast<CopyKind>(kind);
    JudgeOne(which, ledger.copy(which), runs, problem, totals);
  }
  JudgeGeneration(ledger, content, problem);
}

}  // namespace hypha::reliability
