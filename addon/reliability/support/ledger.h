// What each client asked for and was told, in memory that outlives a killed process: a file mapped by both sides.
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

struct LedgerPage {
  std::array<std::array<std::atomic<Told>, kUnitsPerRun>, kClients> told;
  std::atomic<std::uint64_t> anomalies;  // seen by the killed process itself
  std::array<char, 512> anomaly;         // the first one, for a person
};

class Ledger {
 public:
  Ledger(const std::string& path, bool create) : page_(path, create) {}

  LedgerPage& page() { return *page_; }
  void Tell(int client, std::uint64_t unit, Told told) {
    page_->told[static_cast<std::size_t>(client)][unit].store(told, std::memory_order_release);
  }
  Told Asked(int client, std::uint64_t unit) const {
    return page_->told[static_cast<std::size_t>(client)][unit].load(std::memory_order_acquire);
  }
  void Anomaly(const std::string& text);

 private:
  Mapped<LedgerPage> page_;
};

}  // namespace hypha::reliability
