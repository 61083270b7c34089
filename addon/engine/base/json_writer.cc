#include "base/json_writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

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

// Whether any of eight bytes needs an escape: below 0x20, a quote or a backslash. The usual tests for a small or a zero
// byte in a word (https://graphics.stanford.edu/~seander/bithacks.html, "determine if a word has a zero byte").
bool AnyNeedsEscape(const char* bytes) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  const std::uint64_t quote = word ^ (kOnes * '"');
  const std::uint64_t backslash = word ^ (kOnes * '\\');
  const std::uint64_t found =
      ((word - kOnes * 0x20) & ~word) | ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash);
  return (found & kHighs) != 0;
}

std::size_t PlainLength(std::string_view text, std::size_t from) {
  std::size_t i = from;
  while (i + sizeof(std::uint64_t) <= text.size() && !AnyNeedsEscape(text.data() + i)) i += sizeof(std::uint64_t);
  while (i < text.size() && !NeedsEscape(text[i])) ++i;
  return i - from;
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) {
  constexpr std::size_t kShort = 62;
  if (text.size() <= kShort && PlainLength(text, 0) == text.size()) {
    char quoted[kShort + 2];
    quoted[0] = quoted[text.size() + 1] = '"';
    if (!text.empty()) std::memcpy(quoted + 1, text.data(), text.size());
    out.append(quoted, text.size() + 2);
    return;
  }
  out.push_back('"');
  for (std::size_t i = 0;;) {
    const std::size_t plain = PlainLength(text, i);
    out.append(text, i, plain);
    i += plain;
    if (i == text.size()) break;
    AppendEscaped(out, text[i++]);
  }
  out.push_back('"');
}

}  // namespace hypha
