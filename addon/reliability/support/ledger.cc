#include "support/ledger.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace hypha::reliability {

Ledger::Ledger(const std::string& path, bool create) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_TRUNC : 0), 0600);
  if (file < 0 || (create && ::ftruncate(file, sizeof(LedgerPage)) != 0)) {
    std::perror(path.c_str());
    std::abort();
  }
  void* memory = ::mmap(nullptr, sizeof(LedgerPage), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  if (memory == MAP_FAILED) std::abort();
  page_ = static_cast<LedgerPage*>(memory);
}

Ledger::~Ledger() { ::munmap(page_, sizeof(LedgerPage)); }

void Ledger::Anomaly(const std::string& text) {
  if (page_->anomalies.fetch_add(1) != 0) return;
  const std::size_t length = std::min(text.size(), page_->anomaly.size() - 1);
  std::copy_n(text.data(), length, page_->anomaly.data());
}

}  // namespace hypha::reliability
