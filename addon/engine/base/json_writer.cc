#include "base/json_writer.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/utf8.h"

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

constexpr std::uint64_t kHighs = 0x8080808080808080;

std::uint64_t Load(const char* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Not 0 when any of eight bytes needs an escape: below 0x20, a quote or a backslash. The usual tests for a small or a
// zero byte in a word (https://graphics.stanford.edu/~seander/bithacks.html, "determine if a word has a zero byte").
// With its second bit turned over the quote is 0x20, right above the others, which change places among themselves.
std::uint64_t Escapes(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  static_assert(('"' ^ 2) == 0x20);
  const std::uint64_t small = (word ^ (kOnes * 2)) - kOnes * 0x21;
  const std::uint64_t backslash = (word ^ (kOnes * '\\')) - kOnes;
  return (small | backslash) & ~word & kHighs;
}

std::size_t PlainLength(std::string_view text, std::size_t from) {
  std::size_t i = from;
  while (i + sizeof(std::uint64_t) <= text.size() && Escapes(Load(text.data() + i)) == 0) i += sizeof(std::uint64_t);
  while (i < text.size() && !NeedsEscape(text[i])) ++i;
  return i - from;
}

// What a text holds besides plain ASCII; not 0: yes.
struct Found {
  std::uint64_t escapes = 0;
  std::uint64_t highs = 0;
};

Found Look(std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  Found found;
  if (text.size() < kWord) {
    for (const char c : text) {
      found.escapes |= static_cast<std::uint64_t>(NeedsEscape(c));
      found.highs |= static_cast<std::uint64_t>(static_cast<unsigned char>(c));
    }
  } else {
    const auto look = [&](std::size_t at) {
      const std::uint64_t word = Load(text.data() + at);
      found.escapes |= Escapes(word);
      found.highs |= word;
    };
    const std::size_t last = text.size() - kWord;
    for (std::size_t at = 0; at < last; at += kWord) look(at);
    look(last);  // overlaps the one before
  }
  found.highs &= kHighs;
  return found;
}

void AppendQuoted(std::string& out, std::string_view text, bool plain_text) {
  out.push_back('"');
  if (plain_text) {
    out.append(text);
    out.push_back('"');
    return;
  }
  for (std::size_t i = 0;;) {
    const std::size_t plain = PlainLength(text, i);
    out.append(text, i, plain);
    i += plain;
    if (i == text.size()) break;
    AppendEscaped(out, text[i++]);
  }
  out.push_back('"');
}

}  // namespace

void AppendJsonString(std::string& out, std::string_view text) { AppendQuoted(out, text, Look(text).escapes == 0); }

bool AppendJsonText(std::string& out, std::string_view text) {
  const Found found = Look(text);
  if (found.highs != 0 && !IsUtf8(text)) return false;
  AppendQuoted(out, text, found.escapes == 0);
  return true;
}

}  // namespace hypha
