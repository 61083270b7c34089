// The pages of a SQLite database file as bytes: b-tree pages, cells and records, as https://sqlite.org/fileformat2.html
// (sections 1.5, 1.6 and 2.1) lays them out.
//
// Nothing here trusts the bytes: every function says "no" (false, nullptr, nullopt) where a page does not hold
// together, and none reads outside the view it was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hypha::btree {

using PageNumber = std::uint32_t;  // from 1

struct Geometry {
  std::uint32_t page_bytes = 0;
  std::uint32_t usable_bytes = 0;  // without the reserved bytes at a page's end
  std::uint32_t page_count = 0;

  // Of a file, from its first page.
  static std::optional<Geometry> FromFirstPage(std::string_view page);
};

inline std::uint32_t ReadU16(const char* at) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(at);
  return static_cast<std::uint32_t>(bytes[0] << 8 | bytes[1]);
}
inline std::uint32_t ReadU32(const char* at) { return ReadU16(at) << 16 | ReadU16(at + 2); }

// The end of the variable-length integer at `at`, or null when it does not end before `end`.
inline const char* ReadVarint(const char* at, const char* end, std::uint64_t* value) {
  if (at < end && static_cast<unsigned char>(*at) < 0x80) {
    *value = static_cast<unsigned char>(*at);
    return at + 1;
  }
  std::uint64_t result = 0;
  for (int i = 0; i < 8; ++i, ++at) {
    if (at >= end) return nullptr;
    const auto byte = static_cast<unsigned char>(*at);
    result = result << 7 | (byte & 0x7FU);
    if (byte < 0x80) {
      *value = result;
      return at + 1;
    }
  }
  if (at >= end) return nullptr;
  *value = result << 8 | static_cast<unsigned char>(*at);
  return at + 1;
}

enum class PageKind : std::uint8_t { kInteriorIndex = 2, kInteriorTable = 5, kLeafIndex = 10, kLeafTable = 13 };

struct Cell {
  std::int64_t rowid = 0;           // of table pages
  std::uint64_t payload_bytes = 0;  // of the whole record
  std::string_view local;           // as much of the record as the page holds
  PageNumber first_overflow = 0;    // where the rest goes on; 0: nowhere
  bool is_whole() const { return first_overflow == 0; }
};

// Views the bytes it was made of.
class Page {
 public:
  // Nothing if the bytes are no b-tree page. `number` tells the first page, which begins with the file's header.
  static std::optional<Page> Parse(std::string_view bytes, PageNumber number, const Geometry& geometry);

  PageKind kind() const { return kind_; }
  bool is_leaf() const { return kind_ == PageKind::kLeafIndex || kind_ == PageKind::kLeafTable; }
  bool is_index() const { return kind_ == PageKind::kLeafIndex || kind_ == PageKind::kInteriorIndex; }
  std::uint32_t cell_count() const { return cells_; }

  // Of an interior page: child `i` holds what comes before cell `i`; the one at cell_count() what comes after all.
  // 0 when the page is damaged.
  PageNumber Child(std::uint32_t i) const;
  // REQUIRES: i < cell_count(), and not an interior table page, whose cells have no payload. False when damaged.
  bool ReadCell(std::uint32_t i, Cell* cell) const;
  // The greatest rowid below child `i` of an interior table page. REQUIRES: i < cell_count(). False when damaged.
  bool ReadSeparator(std::uint32_t i, std::int64_t* rowid) const;

 private:
  const char* CellStart(std::uint32_t i) const;

  std::string_view bytes_;
  std::uint32_t pointers_ = 0;  // offset of the array of cell offsets
  std::uint32_t cells_ = 0;
  std::uint32_t usable_ = 0;
  std::uint32_t most_local_ = 0;  // records up to this long are whole in their page
  std::uint32_t right_child_ = 0;
  PageKind kind_ = PageKind::kLeafTable;
};

// How many bytes of a record of `payload` bytes its page holds: all, up to MostLocalBytes().
std::uint32_t MostLocalBytes(std::uint32_t usable_bytes, bool is_index);
std::uint32_t LocalBytes(std::uint64_t payload, std::uint32_t usable_bytes, bool is_index);

}  // namespace hypha::btree
