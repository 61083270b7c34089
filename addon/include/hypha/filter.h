// The filter language as a tree: what crosses from JavaScript, and what query/ evaluates and translates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hypha {

// A JavaScript primitive (or a list of them, for `in`, `nin` and `between`). Text is WTF-8: lone surrogates survive
// as three-byte sequences. Numbers keep NaN, infinities and -0.
struct Operand {
  enum class Tag : std::uint8_t { kUndefined, kNull, kBoolean, kNumber, kString, kList };
  Tag tag = Tag::kUndefined;
  bool boolean = false;
  double number = 0;
  std::string text;
  std::vector<Operand> list;
};

enum class Operator : std::uint8_t {
  kEq,
  kNe,
  kGt,
  kGte,
  kLt,
  kLte,
  kContains,
  kStartsWith,
  kEndsWith,
  kIn,
  kNin,
  kExists,   // operand: boolean
  kBetween,  // operand: list of two, both ends included
  kLike,     // operand: string; '*' matches any run, everything else is literal, case-sensitive
  kHas,      // the compared value is an array that includes the operand (SameValueZero)
};

// Where the compared value of a term or of a sort key comes from.
enum class Source : std::uint8_t {
  kField,      // own property `path[0]` of the value, else own property of the metadata
  kValue,      // the whole value
  kKey,        // the entry's key
  kPath,       // nested own properties path[0], path[1], ... of the value
  kMetadata,   // own property `path[0]` of the metadata
  kCreatedAt,  // milliseconds UTC
  kUpdatedAt,
  kVersion,
};

struct Term {
  Source source = Source::kField;
  std::vector<std::string> path;  // WTF-8; one element for kField and kMetadata, none for the others but kPath
  Operator op = Operator::kEq;
  Operand operand;
};

// AND of no children is true, OR of none is false, NOT has exactly one child.
struct FilterNode {
  enum class Kind : std::uint8_t { kAnd, kOr, kNot, kTerm };
  Kind kind = Kind::kAnd;
  std::vector<FilterNode> children;
  Term term;
};

struct SortKey {
  Source source = Source::kKey;
  std::vector<std::string> path;
  bool descending = false;
};

// One stored entry as the evaluator sees it. Views are valid during the call only. `value` is JSON text; `metadata` is
// the JSON text of an object, or empty when there is none.
struct EntryView {
  std::string_view key;
  std::string_view value;
  std::string_view metadata;
  std::int64_t created_at = 0;
  std::int64_t updated_at = 0;
  std::int64_t version = 0;
};

}  // namespace hypha
