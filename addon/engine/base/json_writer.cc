#include "base/json_writer.h"

#include <array>
#include <cstddef>

namespace hypha {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

consteval std::array<bool, 256> MakeEscapes() {
  std::array<bool, 256> escapes{};
  for (std::size_t c = 0; c < 0x20; ++c) escapes[c] = true;
  escapes['"'] = escapes['\\'] = true;
  return escapes;
}
constexpr auto kEscapes = MakeEscapes();

bool NeedsEscape(char c) { return kEscapes[static_cast<unsigned char>(c)]; }

void AppendEscaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    default:
      out += "\\u00";
      out.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kHex[static_cast<unsigned char>(c) & 15]);
  }
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!NeedsEscape(text[i])) continue;
    out.append(text, plain, i - plain);
    AppendEscaped(out, text[i]);
    plain = i + 1;
  }
  out.append(text, plain, text.size() - plain);
  out.push_back('"');
}

}  // namespace hypha
