// The exact filter: decides whether an entry matches, as JavaScript's operators would on the parsed value.
#pragma once

#include <vector>

#include "base/entry_checksum.h"
#include "hypha/filter.h"
#include "query/predicate.h"

namespace hypha {

// Thread-safe once made. Matches() does not recurse, whatever the nesting of filter and value, and allocates only to
// decode escaped strings and to make text of numbers and arrays.
class Evaluator {
 public:
  // Keeps nothing of `filter`.
  explicit Evaluator(const FilterNode& filter);

  bool Matches(const EntryView& entry) const;

  // Which parts of an entry Matches() reads; the others may be left empty.
  bool needs_value() const { return needs_value_; }
  bool needs_metadata() const { return needs_metadata_; }
  bool needs_numbers() const { return needs_numbers_; }  // times and version

 private:
  static constexpr int kAccept = -1;
  static constexpr int kReject = -2;

  // A test and where to go with its result: the index of another step, kAccept or kReject.
  struct Step {
    Predicate predicate;
    int on_true;
    int on_false;
  };

  int Compile(const FilterNode& root);
  int AddStep(const Term& term, int on_true, int on_false);

  std::vector<Step> steps_;
  int entry_ = kReject;
  bool needs_value_ = false;
  bool needs_metadata_ = false;
  bool needs_numbers_ = false;
};

// Whether what the evaluator reads of an entry is what its checksum `crc` was computed from.
inline bool IsIntactFor(const Evaluator& evaluator, std::int64_t crc, std::int64_t ns_id, const EntryView& entry) {
  if (evaluator.needs_value() && !IsValueIntact(crc, ns_id, entry.key, entry.value)) return false;
  return !(evaluator.needs_metadata() || evaluator.needs_numbers()) || AreAttributesIntact(crc, ns_id, entry);
}

}  // namespace hypha
