// One term of a filter, ready to be tested many times.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypha/filter.h"
#include "query/glob.h"
#include "query/js_value.h"

namespace hypha {

// The value a source and path name, with a field's fallback to the metadata; nothing if there is no such property.
std::optional<js::Value> Resolve(Source source, const std::vector<std::string>& path, const EntryView& entry);

// An operand with the forms that comparing needs, worked out once.
class Comparand {
 public:
  // A list equals nothing, relates to nothing and has no text.
  explicit Comparand(const Operand& operand);

  bool Equals(const js::Value& value) const;
  // `value` against the operand; unordered where all of <, >, <= and >= are false.
  std::partial_ordering Compare(const js::Value& value) const;
  std::string Text() const;

 private:
  js::Primitive AsPrimitive() const { return {tag_, boolean_, number_, text_}; }

  bool is_list_ = false;
  js::Primitive::Tag tag_ = js::Primitive::Tag::kUndefined;
  bool boolean_ = false;
  double number_ = 0;
  std::string text_;
  double as_number_ = 0;
};

// The elements of an `in` list; looking one up costs the logarithm of their number.
class ValueSet {
 public:
  ValueSet() = default;
  explicit ValueSet(const std::vector<Operand>& elements);

  // Array.prototype.includes. No stored value is undefined or NaN, so those elements match nothing.
  bool Includes(const js::Value& value) const;

 private:
  bool has_null_ = false;
  bool has_true_ = false;
  bool has_false_ = false;
  std::vector<double> numbers_;       // sorted
  std::vector<std::string> strings_;  // sorted
};

// Thread-safe once made.
class Predicate {
 public:
  explicit Predicate(const Term& term);

  // Whether the entry satisfies the term. False where the property is absent, but for `exists: false`; false for an
  // operand of a kind the operator does not take.
  bool Test(const EntryView& entry) const;

  Source source() const { return source_; }

 private:
  bool TestPresent(const js::Value& value) const;
  bool Includes(const js::Value& value) const;

  Source source_;
  std::vector<std::string> path_;
  Operator op_;
  Operand::Tag tag_;
  bool wants_presence_;            // exists
  std::vector<Comparand> bounds_;  // the operand; for `between` its two elements
  ValueSet set_;                   // in, nin
  std::optional<Glob> glob_;       // contains, startsWith, endsWith, like
};

}  // namespace hypha
