#include "query/row_text.h"

#include <charconv>

#include "base/json_writer.h"
#include "query/index_definition.h"
#include "query/json_scan.h"

namespace hypha {
namespace {

void AppendInteger(std::string& out, std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void AppendValue(std::string& out, std::string_view value, const std::vector<std::string>& select) {
  if (select.empty() || json::KindOf(value) != json::Kind::kObject) {
    out += value;
    return;
  }
  char separator = '{';
  for (const auto& name : select) {
    const auto member = json::FindMember(value, name);
    if (!member) continue;
    out.push_back(separator);
    separator = ',';
    out += JsonName(name);
    out.push_back(':');
    out += *member;
  }
  out += separator == '{' ? "{}" : "}";
}

}  // namespace

void AppendRow(std::string& out, const EntryView& row, const RowShape& shape) {
  out += "{\"key\":";
  AppendJsonString(out, row.key);
  out += ",\"value\":";
  AppendValue(out, row.value, shape.select);
  out += ",\"metadata\":";
  out += row.metadata.empty() ? std::string_view("{}") : row.metadata;
  if (shape.shape == QueryShape::kEntries) {
    out += ",\"createdAt\":";
    AppendInteger(out, row.created_at);
    out += ",\"updatedAt\":";
    AppendInteger(out, row.updated_at);
    out += ",\"version\":";
    AppendInteger(out, row.version);
  }
  out.push_back('}');
}

}  // namespace hypha
