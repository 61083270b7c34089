// CRC-32C (Castagnoli), the checksum of RFC 3720: polynomial 0x1EDC6F41, reflected, initial value and final XOR all
// ones.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace hypha {

// The checksum of `data`; pass an earlier result as `seed` to continue over a next piece.
std::uint32_t Crc32c(std::string_view data, std::uint32_t seed = 0);

// Two texts between numbers, which count as eight bytes each, the lowest first.
struct CrcInput {
  std::array<std::uint64_t, 2> head;
  std::string_view first;
  std::string_view second;
  std::span<const std::uint64_t> tail;
};
std::uint32_t Crc32c(const CrcInput& input);
// The same from a table, as it runs where the processor has no instruction for it.
std::uint32_t PortableCrc32c(const CrcInput& input);

// CRC is linear: of two inputs of one length that differ in the last two numbers alone, the XOR of their checksums
// follows from the XOR of those numbers, whatever comes before.
std::uint32_t Crc32cDifference(std::uint64_t last_but_one, std::uint64_t last);

}  // namespace hypha
