// Sort keys: what query() orders by, taken out of an entry so that the entry need not be kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hypha/filter.h"
#include "query/js_value.h"

namespace hypha {

// One owned sort value. Only a string longer than the small-string buffer allocates.
struct SortValue {
  // In this order whatever the direction.
  enum class Rank : std::uint8_t { kNumber, kString, kBoolean, kComposite, kMissing };
  Rank rank = Rank::kMissing;
  double number = 0;  // also 0 or 1 for a boolean
  std::string text;
};

// Thread-safe once made. A row is size() values side by side: the caller keeps many rows in one vector.
class SortExtractor {
 public:
  explicit SortExtractor(std::vector<SortKey> keys) : keys_(std::move(keys)) {}

  std::size_t size() const { return keys_.size(); }

  // Overwrites `row`. REQUIRES: row.size() == size().
  void Extract(const EntryView& entry, std::span<SortValue> row) const;

  // Negative, zero or positive. Absent and null come last in both directions; a descending key reverses only values of
  // one rank. Rows that tie are the caller's to order, by key.
  // REQUIRES: both rows came from Extract() of an extractor with these keys.
  int Compare(std::span<const SortValue> a, std::span<const SortValue> b) const;

 private:
  std::vector<SortKey> keys_;
};

}  // namespace hypha
