#include "query/sort_value.h"

#include <optional>

#include "query/json_scan.h"
#include "query/predicate.h"

namespace hypha {
namespace {

bool IsMissing(const std::optional<js::Value>& value) {
  return !value || (value->is_json && json::KindOf(value->json) == json::Kind::kNull);
}

// As a filter resolves it, but here a null gives way to the metadata too.
std::optional<js::Value> ResolveForSort(const SortKey& key, const EntryView& entry) {
  std::optional<js::Value> value = Resolve(key.source, key.path, entry);
  if (key.source == Source::kField && IsMissing(value)) value = Resolve(Source::kMetadata, key.path, entry);
  return value;
}

void Store(const std::optional<js::Value>& value, SortValue* out) {
  out->rank = SortValue::Rank::kMissing;
  out->number = 0;
  out->text.clear();
  if (IsMissing(value)) return;
  std::string scratch;
  const std::optional<js::Primitive> primitive = js::AsPrimitive(*value, &scratch);
  if (!primitive) {
    out->rank = SortValue::Rank::kComposite;
    return;
  }
  switch (primitive->tag) {
    case js::Primitive::Tag::kNumber:
      out->rank = SortValue::Rank::kNumber;
      out->number = primitive->number;
      break;
    case js::Primitive::Tag::kString:
      out->rank = SortValue::Rank::kString;
      out->text = primitive->text;
      break;
    case js::Primitive::Tag::kBoolean:
      out->rank = SortValue::Rank::kBoolean;
      out->number = primitive->boolean ? 1 : 0;
      break;
    case js::Primitive::Tag::kUndefined:
    case js::Primitive::Tag::kNull: break;
  }
}

int CompareWithinRank(const SortValue& a, const SortValue& b) {
  if (a.rank == SortValue::Rank::kString) return js::CompareUtf16(a.text, b.text);
  return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
}

}  // namespace

void SortExtractor::Extract(const EntryView& entry, std::span<SortValue> row) const {
  for (std::size_t i = 0; i < keys_.size(); ++i) Store(ResolveForSort(keys_[i], entry), &row[i]);
}

int SortExtractor::Compare(std::span<const SortValue> a, std::span<const SortValue> b) const {
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (a[i].rank != b[i].rank) return a[i].rank < b[i].rank ? -1 : 1;
    const int order = CompareWithinRank(a[i], b[i]);
    if (order != 0) return keys_[i].descending ? -order : order;
  }
  return 0;
}

}  // namespace hypha
