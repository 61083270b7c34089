#include "support/ledger.h"

#include <algorithm>

namespace hypha::reliability {

void Ledger::Anomaly(const std::string& text) {
  if (page_->anomalies.fetch_add(1) != 0) return;
  const std::size_t length = std::min(text.size(), page_->anomaly.size() - 1);
  std::copy_n(text.data(), length, page_->anomaly.data());
}

}  // namespace hypha::reliability
