// A row or index entry in SQLite's record format (https://sqlite.org/fileformat2.html, section 2.1). Trusts no byte.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "sqlite/btree_page.h"

namespace hypha::btree {

// The bytes of an integer column of serial type `type`, big endian and signed; false when that is no integer.
inline bool DecodeInteger(std::uint64_t type, const char* at, std::int64_t* value) {
  const auto first = [at] { return static_cast<std::int64_t>(static_cast<signed char>(*at)); };
  const auto wide = [](std::int64_t high, std::uint64_t low, int bits) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(high) << bits | low);
  };
  switch (type) {
    case 1: *value = first(); return true;
    case 2: *value = wide(first(), static_cast<unsigned char>(at[1]), 8); return true;
    case 3: *value = wide(first(), ReadU16(at + 1), 16); return true;
    case 4: *value = static_cast<std::int32_t>(ReadU32(at)); return true;
    case 5: *value = wide(static_cast<std::int16_t>(ReadU16(at)), ReadU32(at + 2), 32); return true;
    case 6: *value = wide(ReadU32(at), ReadU32(at + 4), 32); return true;
    case 8: *value = 0; return true;
    case 9: *value = 1; return true;
    default: return false;
  }
}

// The bytes that a value of this serial type takes.
inline std::uint64_t SerialBytes(std::uint64_t type) {
  constexpr std::array<std::uint8_t, 12> kFixed{0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < kFixed.size() ? kFixed[type] : (type - 12) / 2;
}

// The first kColumns columns of a record. Views the bytes given to Parse().
template <std::size_t kColumns>
class Record {
 public:
  // `start` is the beginning of a record of `total` bytes. False when the header does not hold together, or is not
  // whole. Columns that the record does not have read as NULL.
  bool Parse(std::string_view start, std::uint64_t total) {
    const char* const begin = start.data();
    std::uint64_t header = 0;
    const char* at = ReadVarint(begin, begin + start.size(), &header);
    if (at == nullptr || header > start.size() || header > total) return false;
    const char* const end = begin + header;
    std::uint64_t offset = header;
    bytes_ = start;
    for (std::size_t i = 0; i < kColumns; ++i) {
      std::uint64_t type = 0;
      if (at < end && static_cast<unsigned char>(*at) < 0x80) {
        type = static_cast<unsigned char>(*at++);  // nearly every column
      } else if (at < end) {
        at = ReadVarint(at, end, &type);
        if (at == nullptr) return false;
      }
      const std::uint64_t bytes = SerialBytes(type);
      if (bytes > total - offset) return false;
      types_[i] = type;
      offsets_[i] = offset;
      offset += bytes;
    }
    end_ = offset;
    return true;
  }

  // Where these columns end: of a record without more, its length.
  std::uint64_t end() const { return end_; }
  bool IsNull(std::size_t i) const { return types_[i] == 0; }
  // Whether the column's bytes are among those given.
  bool IsPresent(std::size_t i) const { return offsets_[i] + SerialBytes(types_[i]) <= bytes_.size(); }
  // REQUIRES of both: IsPresent(i). False when the column is of another type.
  bool Integer(std::size_t i, std::int64_t* value) const {
    return DecodeInteger(types_[i], bytes_.data() + offsets_[i], value);
  }
  bool Text(std::size_t i, std::string_view* text) const {
    if (types_[i] < 13 || (types_[i] & 1U) == 0) return false;
    *text = bytes_.substr(offsets_[i], SerialBytes(types_[i]));
    return true;
  }

 private:
  std::string_view bytes_;
  std::array<std::uint64_t, kColumns> types_{};
  std::array<std::uint64_t, kColumns> offsets_{};
  std::uint64_t end_ = 0;
};

}  // namespace hypha::btree
