#include "query/shared_scan.h"

#include <optional>
#include <utility>

#include "query/row_reader.h"

namespace hypha {
namespace {

// Below this a second thread costs more than it saves.
constexpr std::size_t kWorthSharing = 64;

// One reader's part in a scan: counts the entries that match and, with a ranker, collects them.
class Matches final : public EntrySink {
 public:
  Matches(const ScanJob& job, Ranker* ranker) : job_(job), ranker_(ranker) {}

  Status Take(const EntryView& entry, std::optional<std::int64_t> crc) override {
    ++counts.examined;
    if (crc && !IsIntactFor(job_.evaluator, *crc, job_.of.id, entry)) return DamagedEntry(job_.of.name, entry.key);
    if (!job_.evaluator.Matches(entry)) return Status::Ok();
    ++counts.matched;
    if (ranker_ == nullptr) return Status::Ok();
    if (crc && !IsEntryIntact(*crc, job_.of.id, entry)) return DamagedEntry(job_.of.name, entry.key);
    return ranker_->Add(entry, job_.max_bytes) ? Status::Ok() : ResultTooLarge();
  }

  ScanCounts counts;

 private:
  const ScanJob& job_;
  Ranker* ranker_;
};

}  // namespace

Result<ScanCounts> RunScan(Connection& db, ScanPartner* partner, const ScanJob& job, Ranker* ranker) {
  TableParts parts;
  Status status = parts.Find(db);
  if (!status.ok()) return status;
  Matches mine(job, ranker);
  const auto run = [&] { status = TableScan(db).Run(parts, job.of.id, mine); };
  if (partner == nullptr || parts.count() < kWorthSharing) {
    run();
    return status.ok() ? Result<ScanCounts>(mine.counts) : Result<ScanCounts>(status);
  }
  std::optional<Ranker> their_ranker;
  if (ranker != nullptr) their_ranker.emplace(job.spec, job.after);
  Matches theirs(job, their_ranker ? &*their_ranker : nullptr);
  Status their_status;
  const bool shared =
      partner->Together(run, [&](Connection& other) { their_status = TableScan(other).Run(parts, job.of.id, theirs); });
  if (!shared) run();
  if (!status.ok()) return status;
  if (!their_status.ok()) return their_status;
  if (ranker != nullptr) ranker->Absorb(std::move(*their_ranker));
  return ScanCounts{mine.counts.examined + theirs.counts.examined, mine.counts.matched + theirs.counts.matched};
}

}  // namespace hypha
