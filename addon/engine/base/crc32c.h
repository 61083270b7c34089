// CRC-32C (Castagnoli), the checksum of RFC 3720: polynomial 0x1EDC6F41, reflected, initial value and final XOR all
// ones.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace hypha {

// The checksum of `data`; pass an earlier result as `seed` to continue over a next piece.
std::uint32_t Crc32c(std::string_view data, std::uint32_t seed = 0);
// The checksum of the parts put one behind the other.
std::uint32_t Crc32c(std::initializer_list<std::string_view> parts);
// The same from a table, as it runs where the processor has no instruction for it.
std::uint32_t PortableCrc32c(std::initializer_list<std::string_view> parts);

}  // namespace hypha
