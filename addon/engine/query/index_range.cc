#include "query/index_range.h"

#include <algorithm>
#include <cmath>

#include "query/js_number.h"
#include "query/js_value.h"
#include "query/key_range.h"
#include "query/order_key.h"

namespace hypha {
namespace {

using Ranges = std::vector<IndexRange>;

std::string Tag(char tag) { return std::string(1, tag); }

// The least key above `key`.
std::string After(std::string key) {
  key.push_back('\0');
  return key;
}

js::Primitive PrimitiveOf(const Operand& operand) {
  switch (operand.tag) {
    case Operand::Tag::kNull: return js::Primitive::Null();
    case Operand::Tag::kBoolean: return js::Primitive::Boolean(operand.boolean);
    case Operand::Tag::kNumber: return js::Primitive::Number(operand.number);
    case Operand::Tag::kString: return js::Primitive::String(operand.text);
    default: return {};
  }
}

// The keys that === the operand: one value, none for NaN and undefined.
void AddEqual(const Operand& operand, Ranges& ranges) {
  if (operand.tag == Operand::Tag::kNumber && std::isnan(operand.number)) return;
  if (operand.tag == Operand::Tag::kNull) {
    ranges.push_back({Tag(order_tag::kNull), After(Tag(order_tag::kNullOverMetadata)), true});
    return;
  }
  const std::string key = OrderKey(PrimitiveOf(operand));
  if (!key.empty()) ranges.push_back({key, After(key), true});
}

Ranges InRanges(const std::vector<Operand>& list) {
  Ranges ranges;
  for (const auto& operand : list) {
    if (operand.tag != Operand::Tag::kList) AddEqual(operand, ranges);
  }
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.low < b.low; });
  const auto same = [](const auto& a, const auto& b) { return a.low == b.low; };
  ranges.erase(std::unique(ranges.begin(), ranges.end(), same), ranges.end());
  return ranges;
}

struct Bounds {
  std::string low;  // within the operand's own type
  std::string high;
};

// Values of the operand's own type that satisfy the relation; the type's whole range is `from` to `end`.
Bounds RelationBounds(Operator op, const std::string& key, const std::string& from, const std::string& end) {
  switch (op) {
    case Operator::kGt: return {After(key), end};
    case Operator::kGte: return {key, end};
    case Operator::kLt: return {from, key};
    default: return {from, After(key)};
  }
}

// Numbers relate to the operand as a number, and so do booleans, null and strings that read as numbers.
Ranges NumericRanges(const Bounds& numbers) {
  return {{numbers.low, numbers.high, true}, {Tag(order_tag::kString), Tag(order_tag::kEnd), false}};
}

Ranges TextRanges(const Bounds& strings, bool reads_as_number) {
  Ranges ranges;
  if (reads_as_number) ranges.push_back({Tag(order_tag::kNumber), Tag(order_tag::kString), false});
  ranges.push_back({strings.low, strings.high, true});
  // Objects and arrays relate as their text; the rest only to what reads as a number.
  ranges.push_back({reads_as_number ? Tag(order_tag::kFalse) : Tag(order_tag::kComposite),
                    reads_as_number ? Tag(order_tag::kEnd) : Tag(order_tag::kNull), false});
  return ranges;
}

Ranges RelationRanges(Operator op, const Operand& operand) {
  if (operand.tag == Operand::Tag::kList) return {};
  const js::Primitive primitive = PrimitiveOf(operand);
  const double number = js::ToNumber(primitive);
  if (operand.tag == Operand::Tag::kString) {
    const Bounds bounds = RelationBounds(op, OrderKey(primitive), Tag(order_tag::kString), Tag(order_tag::kFalse));
    return TextRanges(bounds, !std::isnan(number));
  }
  if (std::isnan(number)) return {};
  const std::string key = OrderKey(js::Primitive::Number(number));
  return NumericRanges(RelationBounds(op, key, Tag(order_tag::kNumber), Tag(order_tag::kString)));
}

std::optional<Ranges> BetweenRanges(const std::vector<Operand>& ends) {
  if (ends.size() != 2 || ends[0].tag != ends[1].tag) return std::nullopt;
  const Bounds bounds{OrderKey(PrimitiveOf(ends[0])), After(OrderKey(PrimitiveOf(ends[1])))};
  if (ends[0].tag == Operand::Tag::kString) return TextRanges(bounds, true);
  if (ends[0].tag != Operand::Tag::kNumber) return std::nullopt;
  if (std::isnan(ends[0].number) || std::isnan(ends[1].number)) return Ranges{};
  return NumericRanges(bounds);
}

bool StartsWith(std::string_view text, std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; }

// Everything whose text starts with `prefix`. Only strings are exact.
Ranges PrefixRanges(std::string_view prefix, bool exact) {
  Ranges ranges;
  const bool may_be_number =
      prefix.empty() || std::string_view("-0123456789I").find(prefix[0]) != std::string_view::npos;
  if (may_be_number) ranges.push_back({Tag(order_tag::kNumber), Tag(order_tag::kString), false});
  const std::string key = OrderKey(js::Primitive::String(prefix));
  ranges.push_back({key, PrefixEnd(key).value_or(Tag(order_tag::kFalse)), exact});
  if (StartsWith("false", prefix)) ranges.push_back({Tag(order_tag::kFalse), Tag(order_tag::kTrue), false});
  if (StartsWith("true", prefix)) ranges.push_back({Tag(order_tag::kTrue), Tag(order_tag::kComposite), false});
  ranges.push_back({Tag(order_tag::kComposite), Tag(order_tag::kNull), false});
  if (StartsWith("null", prefix)) ranges.push_back({Tag(order_tag::kNull), Tag(order_tag::kEnd), false});
  return ranges;
}

}  // namespace

std::optional<std::vector<IndexRange>> RangesOf(const Term& term) {
  const Operand& operand = term.operand;
  switch (term.op) {
    case Operator::kEq: {
      Ranges ranges;
      if (operand.tag != Operand::Tag::kList) AddEqual(operand, ranges);
      return ranges;
    }
    case Operator::kIn: return operand.tag == Operand::Tag::kList ? InRanges(operand.list) : Ranges{};
    case Operator::kGt:
    case Operator::kGte:
    case Operator::kLt:
    case Operator::kLte: return RelationRanges(term.op, operand);
    case Operator::kBetween: return BetweenRanges(operand.list);
    case Operator::kStartsWith:
      if (operand.tag != Operand::Tag::kString) return std::nullopt;
      return PrefixRanges(operand.text, true);
    case Operator::kLike:
      if (operand.tag != Operand::Tag::kString) return std::nullopt;
      return PrefixRanges(std::string_view(operand.text).substr(0, operand.text.find('*')), false);
    default: return std::nullopt;
  }
}

}  // namespace hypha
