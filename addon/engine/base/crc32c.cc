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

// In what follows `crc` is the register inside a computation: without the ones before and behind.
std::uint32_t Portable(std::string_view data, std::uint32_t crc) {
  for (const char c : data) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xFF];
  return crc;
}

std::uint32_t Portable(std::span<const std::uint64_t> numbers, std::uint32_t crc) {
  for (const std::uint64_t number : numbers) {
    for (int shift = 0; shift < 64; shift += 8) crc = (crc >> 8) ^ kTable[(crc ^ (number >> shift)) & 0xFF];
  }
  return crc;
}

#if defined(__x86_64__)
#define HYPHA_HARDWARE __attribute__((target("sse4.2"))) inline

template <class Word>
Word Load(const char* at) {
  Word word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// The instruction takes 1, 2, 4 or 8 bytes, each in the same time.
HYPHA_HARDWARE std::uint32_t Hardware(std::string_view data, std::uint32_t crc) {
  const char* at = data.data();
  std::size_t left = data.size();
  std::uint64_t wide = crc;
  for (; left >= 32; at += 32, left -= 32) {
    wide = _mm_crc32_u64(wide, Load<std::uint64_t>(at));
    wide = _mm_crc32_u64(wide, Load<std::uint64_t>(at + 8));
    wide = _mm_crc32_u64(wide, Load<std::uint64_t>(at + 16));
    wide = _mm_crc32_u64(wide, Load<std::uint64_t>(at + 24));
  }
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

HYPHA_HARDWARE std::uint32_t Hardware(std::span<const std::uint64_t> numbers, std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (const std::uint64_t number : numbers) wide = _mm_crc32_u64(wide, number);
  return static_cast<std::uint32_t>(wide);
}

HYPHA_HARDWARE std::uint32_t Hardware(const CrcInput& input) {
  const std::uint32_t head = Hardware(std::span<const std::uint64_t>(input.head), ~0U);
  return Hardware(input.tail, Hardware(input.second, Hardware(input.first, head)));
}

// Where it is asked before it is set, the answer is no, which is slower and not wrong.
const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
#endif

}  // namespace

std::uint32_t Crc32c(std::string_view data, std::uint32_t seed) {
#if defined(__x86_64__)
  if (kHasInstruction) return ~Hardware(data, ~seed);
#endif
  return ~Portable(data, ~seed);
}

std::uint32_t Crc32c(const CrcInput& input) {
#if defined(__x86_64__)
  if (kHasInstruction) return ~Hardware(input);
#endif
  return PortableCrc32c(input);
}

std::uint32_t PortableCrc32c(const CrcInput& input) {
  const std::uint32_t head = Portable(std::span<const std::uint64_t>(input.head), ~0U);
  return ~Portable(input.tail, Portable(input.second, Portable(input.first, head)));
}

std::uint32_t Crc32cDifference(std::uint64_t last_but_one, std::uint64_t last) {
  const std::array numbers{last_but_one, last};
#if defined(__x86_64__)
  if (kHasInstruction) return Hardware(std::span<const std::uint64_t>(numbers), 0);
#endif
  return Portable(std::span<const std::uint64_t>(numbers), 0);
}

}  // namespace hypha
