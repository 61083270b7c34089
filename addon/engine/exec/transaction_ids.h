// The numbers of transactions and snapshots.
#pragma once

#include <atomic>
#include <deque>
#include <new>
#include <optional>
#include <unordered_map>

#include "base/ended_by.h"
#include "hypha/types.h"

namespace hypha {

// One counter for the process: no two transactions or snapshots of it ever have the same number.
inline TransactionId NextTransactionId() {
  static std::atomic<TransactionId> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

// The numbers of those that ended by themselves, so that later uses can be told why. The oldest of very many are
// forgotten, and so is one for which there is no memory: its uses hear that it is not open.
class RecentEnds {
 public:
  static constexpr std::size_t kKept = 10'000;

  void Add(TransactionId id, EndedBy why) {
    try {
      order_.push_back(id);
    } catch (const std::bad_alloc&) {
      return;
    }
    try {
      ends_.emplace(id, why);
    } catch (const std::bad_alloc&) {
      order_.pop_back();
      return;
    }
    if (order_.size() <= kKept) return;
    ends_.erase(order_.front());
    order_.pop_front();
  }
  std::optional<EndedBy> Find(TransactionId id) const {
    const auto found = ends_.find(id);
    return found == ends_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  std::unordered_map<TransactionId, EndedBy> ends_;
  std::deque<TransactionId> order_;
};

}  // namespace hypha
