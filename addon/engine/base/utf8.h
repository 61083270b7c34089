// UTF-8 as the standard has it: shortest forms only, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hypha {

// How many bytes the character of two bytes or more takes that starts at `at`; 0 when there is none before `end`.
inline std::size_t MultiByteLength(const char* at, const char* end) {
  const auto lead = static_cast<unsigned char>(*at);
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (static_cast<std::size_t>(end - at) < length) return 0;
  // The lead byte narrows the second one.
  const auto second = static_cast<unsigned char>(at[1]);
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((static_cast<unsigned char>(at[i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// Eight bytes at a time: most texts are ASCII.
inline bool IsAscii(std::string_view text) {
  constexpr std::uint64_t kHighs = 0x8080808080808080;
  std::uint64_t all = 0;
  std::size_t i = 0;
  for (std::uint64_t word = 0; i + sizeof word <= text.size(); i += sizeof word) {
    std::memcpy(&word, text.data() + i, sizeof word);
    all |= word;
  }
  for (; i < text.size(); ++i) all |= static_cast<std::uint64_t>(text[i] & 0x80);
  return (all & kHighs) == 0;
}

inline bool IsUtf8(std::string_view text) {
  if (IsAscii(text)) return true;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at < end;) {
    const std::size_t length = static_cast<unsigned char>(*at) < 0x80 ? 1 : MultiByteLength(at, end);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

}  // namespace hypha
