#include "ops/bundle_format.h"

#include <array>
#include <cstdio>

#include "base/crc32c.h"
#include "base/json_writer.h"
#include "query/json_scan.h"

namespace hypha::bundle {
namespace {

std::string Hex(std::uint32_t crc) {
  std::array<char, 9> text{};
  std::snprintf(text.data(), text.size(), "%08x", crc);
  return text.data();
}

void AppendNumber(std::string& out, std::string_view name, std::int64_t number) {
  out += ",\"";
  out += name;
  out += "\":";
  out += std::to_string(number);
}

void AppendTotals(std::string& out, const LineTotals& totals) {
  AppendNumber(out, "lines", totals.lines);
  AppendNumber(out, "bytes", totals.bytes);
  out += ",\"crc32c\":\"" + Hex(totals.crc) + "\"";
}

// JSON text goes into a line as it is. Where that would not give it back byte for byte, since there is a line end in it
// or white space around it, it goes in as a string.
void AppendText(std::string& out, std::string_view name, std::string_view text) {
  const bool plain = text.find_first_of("\n\r") == std::string_view::npos && json::Trim(text).size() == text.size();
  out += ",\"";
  out += name;
  out += plain ? "\":" : "Text\":";
  if (plain) {
    out += text;
  } else {
    AppendJsonString(out, text);
  }
}

Status Damaged(std::string_view prefix, std::string_view key, const char* what) {
  std::string message = "an entry cannot be exported: " + std::string(what) + " (";
  message += prefix.substr(1);
  message += key;
  return {Code::kCorrupt, message + ")"};
}

}  // namespace

std::string PartName(std::int64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return "part-" + digits + ".jsonl";
}

bool IsPartName(std::string_view name) {
  if (!name.starts_with("part-") || !name.ends_with(".jsonl")) return false;
  const std::string_view digits = name.substr(5, name.size() - 11);
  return digits.size() >= 6 && digits.size() <= 12 && digits.find_first_not_of("0123456789") == std::string_view::npos;
}

void Seal(std::string& object) {
  object.pop_back();
  const std::uint32_t crc = Crc32c(object);
  object += ",\"crc\":\"" + Hex(crc) + "\"}";
}

std::string HeaderLine(std::int64_t created_at) {
  std::string line = "{\"type\":\"bundle\",\"format\":\"hyphadb-bundle\"";
  AppendNumber(line, "version", kVersion);
  AppendNumber(line, "createdAt", created_at);
  line.push_back('}');
  Seal(line);
  return line;
}

std::string EndLine(const LineTotals& totals) {
  std::string line = "{\"type\":\"end\"";
  AppendTotals(line, totals);
  line.push_back('}');
  Seal(line);
  return line;
}

std::string NamespaceLine(const NamespaceInfo& info) {
  std::string line = "{\"type\":\"namespace\",\"namespace\":";
  AppendJsonString(line, info.name);
  line += info.is_explicit ? ",\"explicit\":true" : ",\"explicit\":false";
  if (!info.metadata.empty()) AppendText(line, "metadata", info.metadata);
  AppendNumber(line, "createdAt", info.created_at);
  line.push_back('}');
  Seal(line);
  return line;
}

std::string IndexLine(std::string_view ns, std::string_view fields, bool unique) {
  std::string line = "{\"type\":\"index\",\"namespace\":";
  AppendJsonString(line, ns);
  line += ",\"fields\":";
  line += fields;
  line += unique ? ",\"unique\":true}" : ",\"unique\":false}";
  Seal(line);
  return line;
}

std::string EntryPrefix(std::string_view ns) {
  std::string prefix = "{\"type\":\"entry\",\"namespace\":";
  AppendJsonString(prefix, ns);
  prefix += ",\"key\":";
  return prefix;
}

Status EntryLine(std::string_view prefix, const EntryView& entry, std::string* line) {
  line->assign(prefix);
  AppendJsonString(*line, entry.key);
  const std::string_view key = std::string_view(*line).substr(prefix.size());
  if (!json::IsValid(key)) return Damaged(prefix, "...", "its key is not UTF-8");
  if (!json::IsValid(entry.value)) return Damaged(prefix, key, "its value is not JSON");
  if (!entry.metadata.empty() && !json::IsValid(entry.metadata)) {
    return Damaged(prefix, key, "its metadata is not JSON");
  }
  AppendText(*line, "value", entry.value);
  if (!entry.metadata.empty()) AppendText(*line, "metadata", entry.metadata);
  AppendNumber(*line, "createdAt", entry.created_at);
  AppendNumber(*line, "updatedAt", entry.updated_at);
  AppendNumber(*line, "version", entry.version);
  line->push_back('}');
  Seal(*line);
  return Status::Ok();
}

std::string ManifestText(const Manifest& manifest) {
  std::string text = "{\"format\":\"hyphadb-bundle\"";
  AppendNumber(text, "version", kVersion);
  AppendNumber(text, "createdAt", manifest.created_at);
  text += ",\"parts\":[";
  for (const auto& part : manifest.parts) {
    if (text.back() != '[') text.push_back(',');
    text += "{\"name\":\"" + part.name + "\"";
    AppendTotals(text, part.totals);
    text.push_back('}');
  }
  text += "]}";
  Seal(text);
  return text;
}

}  // namespace hypha::bundle
