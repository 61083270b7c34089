#include "store/value_edit.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "query/index_definition.h"
#include "query/js_number.h"
#include "query/json_scan.h"

namespace hypha {
namespace {

Status Unfit(const char* what) { return {Code::kInvalidValue, std::string("the value there is not ") + what}; }

Result<std::string> EditNumber(std::optional<std::string_view> present, EditKind edit, std::string_view operand) {
  const double by = js::ParseJsonNumber(json::Trim(operand));
  if (!present && edit != EditKind::kSum) return js::NumberToString(by);
  if (present && json::KindOf(*present) != json::Kind::kNumber) return Unfit("a number");
  const double now = present ? js::ParseJsonNumber(json::Trim(*present)) : 0;
  double result = now + by;
  if (edit == EditKind::kMin) result = std::min(now, by);
  if (edit == EditKind::kMax) result = std::max(now, by);
  if (!std::isfinite(result)) return Status(Code::kInvalidValue, "the sum is too large for JSON");
  return js::NumberToString(result);
}

Result<std::string> AppendElement(std::optional<std::string_view> present, std::string_view operand) {
  if (!present) return "[" + std::string(operand) + "]";
  if (json::KindOf(*present) != json::Kind::kArray) return Unfit("an array");
  std::string text(json::Trim(*present));
  text.pop_back();
  if (json::ArrayLength(*present) > 0) text.push_back(',');
  return text + std::string(operand) + "]";
}

Result<std::string> Leaf(std::optional<std::string_view> present, EditKind edit, std::string_view operand) {
  return edit == EditKind::kAppend ? AppendElement(present, operand) : EditNumber(present, edit, operand);
}

// `object` with one more member.
std::string WithMember(std::string_view object, const std::string& name, const std::string& member) {
  std::string text(json::Trim(object));
  text.pop_back();
  const bool empty = !json::ObjectMembers(object).Next().has_value();
  return text + (empty ? "" : ",") + JsonName(name) + ":" + member + "}";
}

// The leaf wrapped in the objects that are missing above it.
std::string Nest(const std::vector<std::string>& path, std::size_t from, const std::string& leaf) {
  std::string open;
  for (std::size_t i = from; i < path.size(); ++i) open += "{" + JsonName(path[i]) + ":";
  return open + leaf + std::string(path.size() - from, '}');
}

}  // namespace

Result<std::string> EditValue(std::string_view value, EditKind edit, const std::vector<std::string>& path,
                              std::string_view operand) {
  if (value.empty()) {
    auto leaf = Leaf(std::nullopt, edit, operand);
    return leaf.ok() ? Result<std::string>(Nest(path, 0, leaf.value())) : leaf;
  }
  std::string_view at = value;
  std::size_t depth = 0;
  for (; depth < path.size(); ++depth) {
    if (json::KindOf(at) != json::Kind::kObject) return Unfit("an object");
    const auto member = json::FindMember(at, path[depth]);
    if (!member) break;
    at = *member;
  }
  const bool present = depth == path.size();
  auto leaf = Leaf(present ? std::optional(at) : std::nullopt, edit, operand);
  if (!leaf.ok()) return leaf;
  const std::string changed =
      present ? std::move(leaf.value()) : WithMember(at, path[depth], Nest(path, depth + 1, leaf.value()));
  const auto start = static_cast<std::size_t>(at.data() - value.data());
  return std::string(value.substr(0, start)) + changed + std::string(value.substr(start + at.size()));
}

}  // namespace hypha
