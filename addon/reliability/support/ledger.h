// What each client asked for and was told, and each maker of copies, in memory that outlives a killed process: a file
// mapped by both sides.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "support/mapped.h"

namespace hypha::reliability {

enum class Told : std::uint8_t {
  kNothing,  // not asked for
  kAsked,    // and no answer seen: whole or absent
  kAcked,
  kFailed,   // told that nothing was written
  kUnknown,  // HYPHA_INDETERMINATE: whole or absent
};

inline constexpr int kClients = 4;
inline constexpr std::uint64_t kUnitsPerRun = 1 << 16;

// What is made of a store beside its clients; the names of the first four end up beside the database.
enum class CopyKind : std::uint8_t { kBackup, kRestore, kFolder, kFile, kImport, kCount };
inline constexpr auto kCopyKinds = static_cast<std::size_t>(CopyKind::kCount);

// How much of each client was acknowledged when a copy began.
using Since = std::array<std::atomic<std::uint64_t>, kClients>;

struct CopyRecord {
  std::array<Since, 2> since;       // of the copy that was acknowledged last, and of the next one
  std::atomic<std::uint8_t> acked;  // 0: none yet, else one more than the place of it in `since`
  std::atomic<std::uint64_t> asked;
  std::atomic<std::uint64_t> answered;

  std::size_t next() const { return acked.load() == 1 ? 1 : 0; }
};

// The entries of one namespace all have the same number, which a request or an import changes.
struct Generation {
  std::atomic<std::uint64_t> number;
  std::atomic<Told> told;
};
inline constexpr std::size_t kGenerationsPerRun = 1 << 12;

struct LedgerPage {
  std::array<std::array<std::atomic<Told>, kUnitsPerRun>, kClients> told;
  std::array<CopyRecord, kCopyKinds> copies;
  std::array<Generation, kGenerationsPerRun> generations;
  std::atomic<std::uint64_t> anomalies;  // seen by the killed process itself
  std::array<char, 512> anomaly;         // the first one, for a person
};

class Ledger {
 public:
  Ledger(const std::string& path, bool create) : page_(path, create) {}

  LedgerPage& page() const { return *page_; }
  CopyRecord& copy(CopyKind kind) const { return page_->copies[static_cast<std::size_t>(kind)]; }
  void Tell(int client, std::uint64_t unit, Told told) {
    page_->told[static_cast<std::size_t>(client)][unit].store(told, std::memory_order_release);
  }
  Told Asked(int client, std::uint64_t unit) const {
    return page_->told[static_cast<std::size_t>(client)][unit].load(std::memory_order_acquire);
  }
  // How many units the client asked for, and before which of them all have an answer.
  std::uint64_t CountAsked(int client) const;
  std::uint64_t CountCertain(int client) const;
  void Anomaly(const std::string& text);

 private:
  Mapped<LedgerPage> page_;
};

}  // namespace hypha::reliability
