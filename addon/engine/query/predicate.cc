#include "query/predicate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "query/json_scan.h"

namespace hypha {
namespace {

std::optional<js::Value> NestedProperty(std::string_view json, const std::vector<std::string>& path) {
  js::Value current = js::Value::Json(json);
  for (const std::string& name : path) {
    if (!current.is_json) return std::nullopt;
    const std::optional<js::Value> next = js::OwnProperty(current.json, name);
    if (!next) return std::nullopt;
    current = *next;
  }
  return current;
}

std::optional<js::Value> Named(std::string_view json, const std::vector<std::string>& path) {
  if (path.empty()) return std::nullopt;
  return js::OwnProperty(json, path.front());
}

js::Value NumberValue(std::int64_t number) { return js::Value::Of(js::Primitive::Number(static_cast<double>(number))); }

js::Primitive::Tag PrimitiveTag(Operand::Tag tag) {
  switch (tag) {
    case Operand::Tag::kNull: return js::Primitive::Tag::kNull;
    case Operand::Tag::kBoolean: return js::Primitive::Tag::kBoolean;
    case Operand::Tag::kNumber: return js::Primitive::Tag::kNumber;
    case Operand::Tag::kString: return js::Primitive::Tag::kString;
    case Operand::Tag::kUndefined:
    case Operand::Tag::kList: break;
  }
  return js::Primitive::Tag::kUndefined;
}

template <class T>
void SortUnique(std::vector<T>* items) {
  std::sort(items->begin(), items->end());
  items->erase(std::unique(items->begin(), items->end()), items->end());
}

std::optional<Glob> MakeGlob(const Term& term) {
  if (term.operand.tag == Operand::Tag::kList) return std::nullopt;
  switch (term.op) {
    case Operator::kContains: return Glob::Containing(Comparand(term.operand).Text());
    case Operator::kStartsWith: return Glob::StartingWith(Comparand(term.operand).Text());
    case Operator::kEndsWith: return Glob::EndingWith(Comparand(term.operand).Text());
    case Operator::kLike:
      if (term.operand.tag == Operand::Tag::kString) return Glob(term.operand.text);
      break;
    default: break;
  }
  return std::nullopt;
}

std::vector<Comparand> MakeBounds(const Term& term) {
  std::vector<Comparand> bounds;
  if (term.op != Operator::kBetween) {
    bounds.emplace_back(term.operand);
  } else if (term.operand.tag == Operand::Tag::kList && term.operand.list.size() == 2) {
    for (const Operand& bound : term.operand.list) bounds.emplace_back(bound);
  }
  return bounds;
}

}  // namespace

std::optional<js::Value> Resolve(Source source, const std::vector<std::string>& path, const EntryView& entry) {
  switch (source) {
    case Source::kField: {
      std::optional<js::Value> own = Named(entry.value, path);
      return own ? own : Named(entry.metadata, path);
    }
    case Source::kValue: return js::Value::Json(entry.value);
    case Source::kKey: return js::Value::Of(js::Primitive::String(entry.key));
    case Source::kPath: return NestedProperty(entry.value, path);
    case Source::kMetadata: return Named(entry.metadata, path);
    case Source::kCreatedAt: return NumberValue(entry.created_at);
    case Source::kUpdatedAt: return NumberValue(entry.updated_at);
    case Source::kVersion: return NumberValue(entry.version);
  }
  return std::nullopt;
}

Comparand::Comparand(const Operand& operand)
    : is_list_(operand.tag == Operand::Tag::kList),
      tag_(PrimitiveTag(operand.tag)),
      boolean_(operand.boolean),
      number_(operand.number),
      text_(operand.text),
      as_number_(js::ToNumber(AsPrimitive())) {}

bool Comparand::Equals(const js::Value& value) const {
  std::string scratch;
  const std::optional<js::Primitive> primitive = js::AsPrimitive(value, &scratch);
  return !is_list_ && primitive && js::StrictEquals(*primitive, AsPrimitive());
}

std::partial_ordering Comparand::Compare(const js::Value& value) const {
  std::string scratch;
  const js::Primitive primitive = js::ToPrimitive(value, &scratch);
  const bool both_text = primitive.tag == js::Primitive::Tag::kString && tag_ == js::Primitive::Tag::kString;
  return js::Relate(primitive, both_text ? AsPrimitive() : js::Primitive::Number(as_number_));
}

std::string Comparand::Text() const {
  std::string scratch;
  return std::string(js::ToText(AsPrimitive(), &scratch));
}

ValueSet::ValueSet(const std::vector<Operand>& elements) {
  for (const Operand& element : elements) {
    switch (element.tag) {
      case Operand::Tag::kNull: has_null_ = true; break;
      case Operand::Tag::kBoolean: (element.boolean ? has_true_ : has_false_) = true; break;
      case Operand::Tag::kNumber:
        if (!std::isnan(element.number)) numbers_.push_back(element.number);
        break;
      case Operand::Tag::kString: strings_.push_back(element.text); break;
      case Operand::Tag::kUndefined:
      case Operand::Tag::kList: break;
    }
  }
  SortUnique(&numbers_);
  SortUnique(&strings_);
}

bool ValueSet::Includes(const js::Value& value) const {
  std::string scratch;
  const std::optional<js::Primitive> primitive = js::AsPrimitive(value, &scratch);
  if (!primitive) return false;
  switch (primitive->tag) {
    case js::Primitive::Tag::kUndefined: return false;
    case js::Primitive::Tag::kNull: return has_null_;
    case js::Primitive::Tag::kBoolean: return primitive->boolean ? has_true_ : has_false_;
    case js::Primitive::Tag::kNumber: return std::binary_search(numbers_.begin(), numbers_.end(), primitive->number);
    case js::Primitive::Tag::kString: break;
  }
  return std::binary_search(strings_.begin(), strings_.end(), primitive->text, std::less<>());
}

Predicate::Predicate(const Term& term)
    : source_(term.source),
      path_(term.path),
      op_(term.op),
      tag_(term.operand.tag),
      wants_presence_(term.operand.boolean),
      bounds_(MakeBounds(term)),
      glob_(MakeGlob(term)) {
  if (op_ == Operator::kIn || op_ == Operator::kNin) set_ = ValueSet(term.operand.list);
}

bool Predicate::Test(const EntryView& entry) const {
  const std::optional<js::Value> value = Resolve(source_, path_, entry);
  if (op_ == Operator::kExists) return tag_ == Operand::Tag::kBoolean && wants_presence_ == value.has_value();
  return value && TestPresent(*value);
}

bool Predicate::TestPresent(const js::Value& value) const {
  switch (op_) {
    case Operator::kEq: return bounds_[0].Equals(value);
    case Operator::kNe: return !bounds_[0].Equals(value);
    case Operator::kGt: return std::is_gt(bounds_[0].Compare(value));
    case Operator::kGte: return std::is_gteq(bounds_[0].Compare(value));
    case Operator::kLt: return std::is_lt(bounds_[0].Compare(value));
    case Operator::kLte: return std::is_lteq(bounds_[0].Compare(value));
    case Operator::kBetween:
      return bounds_.size() == 2 && std::is_gteq(bounds_[0].Compare(value)) && std::is_lteq(bounds_[1].Compare(value));
    case Operator::kContains:
    case Operator::kStartsWith:
    case Operator::kEndsWith:
    case Operator::kLike: {
      std::string scratch;
      return glob_ && glob_->Matches(js::ToText(value, &scratch));
    }
    case Operator::kIn: return tag_ == Operand::Tag::kList && set_.Includes(value);
    case Operator::kNin: return tag_ == Operand::Tag::kList && !set_.Includes(value);
    case Operator::kHas: return Includes(value);
    case Operator::kExists: return wants_presence_;
  }
  return false;
}

bool Predicate::Includes(const js::Value& value) const {
  if (!value.is_json) return false;
  json::ArrayElements elements(value.json);
  while (const std::optional<std::string_view> element = elements.Next()) {
    if (bounds_[0].Equals(js::Value::Json(*element))) return true;
  }
  return false;
}

}  // namespace hypha
