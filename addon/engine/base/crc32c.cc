#include "base/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace hypha {
namespace {

constexpr std::uint32_t kReflectedPolynomial = 0x82F63B78;

consteval std::array<std::uint32_t, 256> MakeTable() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? kReflectedPolynomial : 0U);
    table[i] = crc;
  }
  return table;
}
constexpr auto kTable = MakeTable();

std::uint32_t Portable(std::string_view data, std::uint32_t crc) {
  for (const char c : data) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xFF];
  return crc;
}

#if defined(__x86_64__)
template <class Word>
Word Load(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The instruction takes 1, 2, 4 or 8 bytes, each in the same time.
__attribute__((target("sse4.2"))) inline std::uint32_t Hardware(std::string_view data, std::uint32_t crc) {
  const char* at = data.data();
  std::size_t left = data.size();
  std::uint64_t wide = crc;
  for (; left >= 8; at += 8, left -= 8) wide = _mm_crc32_u64(wide, Load<std::uint64_t>(at));
  auto narrow = static_cast<std::uint32_t>(wide);
  if ((left & 4U) != 0) {
    narrow = _mm_crc32_u32(narrow, Load<std::uint32_t>(at));
    at += 4;
  }
  if ((left & 2U) != 0) {
    narrow = _mm_crc32_u16(narrow, Load<std::uint16_t>(at));
    at += 2;
  }
  if ((left & 1U) != 0) narrow = _mm_crc32_u8(narrow, static_cast<std::uint8_t>(*at));
  return narrow;
}

__attribute__((target("sse4.2"))) std::uint32_t Hardware(std::initializer_list<std::string_view> parts,
                                                         std::uint32_t crc) {
  for (const std::string_view part : parts) crc = Hardware(part, crc);
  return crc;
}

bool HasInstruction() {
  static const bool has_sse42 = __builtin_cpu_supports("sse4.2") != 0;
  return has_sse42;
}
#endif

}  // namespace

std::uint32_t Crc32c(std::string_view data, std::uint32_t seed) {
  const std::uint32_t start = ~seed;
#if defined(__x86_64__)
  if (HasInstruction()) return ~Hardware(data, start);
#endif
  return ~Portable(data, start);
}

std::uint32_t Crc32c(std::initializer_list<std::string_view> parts) {
#if defined(__x86_64__)
  if (HasInstruction()) return ~Hardware(parts, ~0U);
#endif
  return PortableCrc32c(parts);
}

std::uint32_t PortableCrc32c(std::initializer_list<std::string_view> parts) {
  std::uint32_t crc = ~0U;
  for (const std::string_view part : parts) crc = Portable(part, crc);
  return ~crc;
}

}  // namespace hypha
