#include "support/ledger.h"

#include <algorithm>

namespace hypha::reliability {

std::uint64_t Ledger::CountAsked(int client) const {
  std::uint64_t asked = 0;
  while (asked < kUnitsPerRun && Asked(client, asked) != Told::kNothing) ++asked;
  return asked;
}

std::uint64_t Ledger::CountCertain(int client) const {
  std::uint64_t certain = 0;
  for (std::uint64_t unit = 0; unit < kUnitsPerRun && Asked(client, unit) != Told::kNothing; ++unit) {
    if (Asked(client, unit) == Told::kAcked) certain = unit + 1;
  }
  return certain;
}

void Ledger::Anomaly(const std::string& text) {
  if (page_->anomalies.fetch_add(1) != 0) return;
  const std::size_t length = std::min(text.size(), page_->anomaly.size() - 1);
  std::copy_n(text.data(), length, page_->anomaly.data());
}

}  // namespace hypha::reliability
