#include "query/row_text.h"

#include <charconv>

#include "base/json_writer.h"

namespace hypha {
namespace {

void AppendInteger(std::string& out, std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

void AppendRow(std::string& out, const EntryView& row, QueryShape shape) {
  out += "{\"key\":";
  AppendJsonString(out, row.key);
  out += ",\"value\":";
  out += row.value;
  out += ",\"metadata\":";
  out += row.metadata.empty() ? std::string_view("{}") : row.metadata;
  if (shape == QueryShape::kEntries) {
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
