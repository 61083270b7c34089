// A few bytes of text compared at once: 16 with SSE2, 8 in a plain integer elsewhere.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace hypha::json {

#if defined(__SSE2__)

class ByteBlock {
 public:
  using Mask = std::uint32_t;  // one bit a byte, the first byte lowest
  static constexpr std::size_t kWidth = 16;
  static constexpr Mask kAll = 0xffff;
  static constexpr Mask kLast = 0x8000;

  // REQUIRES: kWidth readable bytes at `bytes`.
  static ByteBlock Load(const char* bytes) {
    return ByteBlock(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)));
  }
  ByteBlock Or(char bits) const { return ByteBlock(_mm_or_si128(bytes_, _mm_set1_epi8(bits))); }
  Mask Equal(char byte) const {
    return static_cast<Mask>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(byte))));
  }
  static std::size_t First(Mask mask) { return static_cast<std::size_t>(std::countr_zero(mask)); }
  // The mask of one byte, and the highest byte of a mask. REQUIRES: mask != 0.
  static Mask At(std::size_t i) { return Mask{1} << i; }
  static Mask LastOf(Mask mask) { return std::bit_floor(mask); }
  // Marks each byte that an odd number of marks precede or fall on: between quotes, the opening one included.
  static Mask PrefixXor(Mask mask) {
    for (int shift = 1; shift < 16; shift *= 2) mask ^= mask << shift;
    return mask & kAll;
  }

 private:
  explicit ByteBlock(__m128i bytes) : bytes_(bytes) {}
  __m128i bytes_;
};

#else

class ByteBlock {
 public:
  using Mask = std::uint64_t;  // the highest bit of each byte, the first byte lowest
  static constexpr std::size_t kWidth = 8;
  static constexpr Mask kAll = 0x8080808080808080;
  static constexpr Mask kLast = 0x8000000000000000;

  // REQUIRES: kWidth readable bytes at `bytes`.
  static ByteBlock Load(const char* bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, kWidth);
    if constexpr (std::endian::native == std::endian::big) word = Reverse(word);
    return ByteBlock(word);
  }
  ByteBlock Or(char bits) const { return ByteBlock(bytes_ | Repeat(bits)); }
  Mask Equal(char byte) const {
    const std::uint64_t difference = bytes_ ^ Repeat(byte);
    // The shorter zero-byte test also marks bytes above a match; masks are combined here, so each bit must be exact.
    return ~(((difference & kLowBits) + kLowBits) | difference | kLowBits);
  }
  static std::size_t First(Mask mask) { return static_cast<std::size_t>(std::countr_zero(mask)) / 8; }
  // The mask of one byte, and the highest byte of a mask. REQUIRES: mask != 0.
  static Mask At(std::size_t i) { return Mask{0x80} << (8 * i); }
  static Mask LastOf(Mask mask) { return std::bit_floor(mask); }
  // Marks each byte that an odd number of marks precede or fall on: between quotes, the opening one included.
  static Mask PrefixXor(Mask mask) {
    for (int shift = 8; shift < 64; shift *= 2) mask ^= mask << shift;
    return mask;
  }

 private:
  static constexpr std::uint64_t kLowBits = 0x7f7f7f7f7f7f7f7f;
  static std::uint64_t Repeat(char byte) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(byte)) * 0x0101010101010101;
  }
  static std::uint64_t Reverse(std::uint64_t word) {
    std::uint64_t reversed = 0;
    for (std::size_t i = 0; i < kWidth; ++i) reversed = reversed << 8 | (word >> (8 * i) & 0xff);
    return reversed;
  }
  explicit ByteBlock(std::uint64_t bytes) : bytes_(bytes) {}
  std::uint64_t bytes_;
};

#endif

// The block at `from`, filled up with zeros beyond the end. REQUIRES: from <= size.
inline ByteBlock LoadPadded(const char* bytes, std::size_t from, std::size_t size) {
  if (size - from >= ByteBlock::kWidth) return ByteBlock::Load(bytes + from);
  char padded[ByteBlock::kWidth] = {};
  if (from < size) std::memcpy(padded, bytes + from, size - from);
  return ByteBlock::Load(padded);
}

}  // namespace hypha::json
