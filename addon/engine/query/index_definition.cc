#include "query/index_definition.h"

#include "base/json_writer.h"
#include "query/json_scan.h"
#include "query/order_key.h"

namespace hypha {
namespace {

// WTF-8 may hold lone surrogates, which SQL text may not: they travel as JSON escapes.
std::string EscapeSurrogates(std::string_view wtf8) {
  std::string out;
  for (std::size_t i = 0; i < wtf8.size(); ++i) {
    const auto byte = [&](std::size_t n) { return static_cast<unsigned char>(wtf8[i + n]); };
    if (i + 2 < wtf8.size() && byte(0) == 0xED && byte(1) >= 0xA0) {
      const unsigned unit = 0xD000U | ((byte(1) & 0x3FU) << 6) | (byte(2) & 0x3FU);
      constexpr std::string_view kHex = "0123456789abcdef";
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kHex[(unit >> shift) & 15]);
      i += 2;
    } else {
      out.push_back(wtf8[i]);
    }
  }
  return out;
}

std::string ColumnList(const IndexDefinition& index) {
  std::string list;
  for (const auto& field : index.fields) {
    if (!list.empty()) list += ", ";
    list += IndexExpression(field);
  }
  return list;
}

std::string On(const IndexDefinition& index) { return " ON hypha_entries(" + ColumnList(index); }

std::string Where(const IndexDefinition& index) { return ") WHERE ns_id = " + std::to_string(index.ns_id); }

std::string UniqueName(std::int64_t id) { return "hypha_ux_" + std::to_string(id); }

const char* NameOf(Source source) {
  switch (source) {
    case Source::kPath: return "path";
    case Source::kMetadata: return "metadata";
    default: return "field";
  }
}

std::optional<IndexField> FieldFromJson(std::string_view object) {
  json::ObjectMembers members(object);
  const auto member = members.Next();
  if (!member) return std::nullopt;
  const std::string name = json::DecodeString(member->name);
  if (name == "field") return IndexField{Source::kField, {json::DecodeString(member->value)}};
  if (name == "metadata") return IndexField{Source::kMetadata, {json::DecodeString(member->value)}};
  if (name != "path") return std::nullopt;
  IndexField field{Source::kPath, {}};
  json::ArrayElements parts(member->value);
  while (const auto part = parts.Next()) field.path.push_back(json::DecodeString(*part));
  return field;
}

}  // namespace

std::string JsonName(std::string_view name) {
  std::string json;
  AppendJsonString(json, name);
  return EscapeSurrogates(json);
}

std::string QuotePath(const std::vector<std::string>& path) {
  std::string text = "$";
  for (const auto& name : path) {
    text.push_back('.');
    text += JsonName(name);
  }
  std::string quoted = "'";
  for (const char c : text) {
    quoted.push_back(c);
    if (c == '\'') quoted.push_back(c);
  }
  quoted.push_back('\'');
  return quoted;
}

std::optional<std::vector<std::string>> ParsePath(std::string_view path) {
  if (path.empty() || path[0] != '$') return std::nullopt;
  std::vector<std::string> names;
  for (std::size_t at = 1; at < path.size();) {
    if (path[at] != '.' || at + 1 >= path.size() || path[at + 1] != '"') return std::nullopt;
    const std::size_t end = json::SkipValue(path, at + 1);
    if (end > path.size()) return std::nullopt;
    const std::string_view name = path.substr(at + 1, end - at - 1);
    if (!json::IsValid(name)) return std::nullopt;
    names.push_back(json::DecodeString(name));
    at = end;
  }
  return names;
}

std::string IndexExpression(const IndexField& field) {
  const std::string path = QuotePath(field.path);
  switch (field.source) {
    case Source::kPath: return "hypha_extract(value, " + path + ")";
    case Source::kMetadata: return "hypha_extract(metadata, " + path + ")";
    default: return "hypha_extract(value, metadata, " + path + ")";
  }
}

std::string IndexName(std::int64_t id) { return "hypha_ix_" + std::to_string(id); }

std::vector<std::string> CreateStatements(const IndexDefinition& index) {
  // The key comes last, so that entries of one value are in key order.
  std::vector<std::string> statements{"CREATE INDEX " + IndexName(index.id) + On(index) + ", key" + Where(index)};
  if (index.unique) {
    std::string guard = "CREATE UNIQUE INDEX " + UniqueName(index.id) + On(index) + Where(index);
    // Absent, null and composite values are free to repeat.
    for (const auto& field : index.fields) guard += " AND " + IndexExpression(field) + " < x'40'";
    statements.push_back(std::move(guard));
  }
  return statements;
}

std::vector<std::string> DropStatements(const IndexDefinition& index) {
  std::vector<std::string> statements{"DROP INDEX IF EXISTS " + IndexName(index.id)};
  if (index.unique) statements.push_back("DROP INDEX IF EXISTS " + UniqueName(index.id));
  return statements;
}

std::string FieldsToJson(const std::vector<IndexField>& fields) {
  std::string json = "[";
  for (const auto& field : fields) {
    if (json.size() > 1) json.push_back(',');
    json += std::string("{\"") + NameOf(field.source) + "\":";
    if (field.source != Source::kPath) {
      json += JsonName(field.path[0]);
    } else {
      json.push_back('[');
      for (std::size_t i = 0; i < field.path.size(); ++i) json += (i == 0 ? "" : ",") + JsonName(field.path[i]);
      json.push_back(']');
    }
    json.push_back('}');
  }
  return json + "]";
}

std::optional<std::vector<IndexField>> FieldsFromJson(std::string_view json) {
  std::vector<IndexField> fields;
  json::ArrayElements elements(json);
  while (const auto element = elements.Next()) {
    auto field = FieldFromJson(*element);
    if (!field) return std::nullopt;
    fields.push_back(std::move(*field));
  }
  return fields;
}

}  // namespace hypha
