#include "base/json_object.h"

#include "base/json_writer.h"
#include "base/utf8.h"

namespace hypha {
namespace {

std::string Repaired(std::string_view bytes) {
  std::string text;
  const char* const end = bytes.data() + bytes.size();
  for (const char* at = bytes.data(); at < end;) {
    const std::size_t length = static_cast<unsigned char>(*at) < 0x80 ? 1 : MultiByteLength(at, end);
    length == 0 ? text.append("\xef\xbf\xbd") : text.append(at, length);
    at += length == 0 ? 1 : length;
  }
  return text;
}

}  // namespace

std::string JsonText(std::string_view bytes) {
  std::string out;
  if (!AppendJsonText(out, bytes)) AppendJsonString(out, Repaired(bytes));
  return out;
}

void JsonObject::Name(std::string_view name) {
  if (text_.size() > 1) text_.push_back(',');
  text_.push_back('"');
  text_.append(name).append("\":");
}

JsonObject& JsonObject::Text(std::string_view name, std::string_view text) { return Raw(name, JsonText(text)); }

JsonObject& JsonObject::Raw(std::string_view name, std::string_view json) {
  Name(name);
  text_.append(json);
  return *this;
}

}  // namespace hypha
