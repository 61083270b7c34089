// libFuzzer on JSON text: IsValid() accepts what nlohmann's parser accepts (but for numbers beyond a double and invalid
// UTF-8 inside strings, where that is stricter or laxer), and the walkers see what a parser sees.
//   npm run fuzz:json -- --seconds 60

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "query/json_scan.h"

namespace hypha {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void Fail(const char* what, std::string_view text) {
  std::fprintf(stderr, "FINDING: %s\n%.*s\n", what, static_cast<int>(text.size()), text.data());
  std::abort();
}

// Nothing may be read outside the text, and every call must end, whatever the bytes are.
void WalkAnything(std::string_view text) {
  static_cast<void>(json::KindOf(text));
  static_cast<void>(json::SkipValue(text, 0));
  static_cast<void>(json::FindMember(text, "a"));
  static_cast<void>(json::ArrayLength(text));
  static_cast<void>(json::ArrayElement(text, 3));
  static_cast<void>(json::DecodeString(text));
  static_cast<void>(json::MergeObjects(text, text));
}

void CompareObject(std::string_view text, const Json& parsed) {
  json::ObjectMembers members(text);
  while (const auto member = members.Next()) {
    if (!json::IsValid(member->name) || !json::IsValid(member->value)) Fail("a member is no JSON", text);
  }
  for (const auto& [name, value] : parsed.items()) {
    const auto found = json::FindMember(text, name);
    if (!found) Fail("a member is not found", text);
    const Json same = Json::parse(*found, nullptr, false);
    if (same.is_discarded() || same != value) Fail("a member has another value", text);
  }
}

void CompareArray(std::string_view text, const Json& parsed) {
  json::ArrayElements elements(text);
  std::size_t count = 0;
  while (const auto element = elements.Next()) {
    if (count >= parsed.size() || Json::parse(*element, nullptr, false) != parsed[count])
      Fail("an element differs", text);
    ++count;
  }
  if (count != parsed.size() || json::ArrayLength(text) != count) Fail("another number of elements", text);
}

// Nesting has no limit with us; nlohmann's destructor and comparison are not made for much of it.
bool IsDeep(std::string_view text) {
  int depth = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') ++depth;
  }
  return depth > 200;
}

bool OtherParserIsStricter(const Json& parsed, std::string_view text) {
  // It refuses numbers that are infinite as a double, and escapes of lone surrogates; JSON.parse takes both.
  return parsed.is_discarded() && text.find_first_of("0123456789\\") != std::string_view::npos;
}

}  // namespace
}  // namespace hypha

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace hypha;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  WalkAnything(text);
  if (IsDeep(text)) return 0;
  const bool valid = json::IsValid(text);
  const bool has_mark = text.rfind("\xEF\xBB\xBF", 0) == 0;  // that parser skips it
  const Json parsed = Json::parse(text, nullptr, false);
  // That parser takes a NUL byte between two values for the end of the text.
  const std::string_view read_by_it = text.substr(0, text.find('\0'));
  const bool refused = read_by_it.size() == text.size() ? !valid : !json::IsValid(read_by_it);
  if (refused && !parsed.is_discarded() && !has_mark) Fail("refused, but it is JSON", text);
  if (!valid) return 0;
  if (parsed.is_discarded()) {
    if (!OtherParserIsStricter(parsed, text)) Fail("accepted, but it is no JSON", text);
    return 0;
  }
  if (parsed.is_object()) CompareObject(text, parsed);
  if (parsed.is_array()) CompareArray(text, parsed);
  if (parsed.is_string() && json::DecodeString(json::Trim(text)) != parsed.get<std::string>())
    Fail("a string differs", text);
  return 0;
}
