#include "sqlite/btree_page.h"

namespace hypha::btree {
namespace {

constexpr std::uint32_t kFileHeaderBytes = 100;
constexpr std::uint32_t kMinPageBytes = 512;
constexpr std::uint32_t kMinUsableBytes = 480;
constexpr std::uint32_t kMaxPageBytes = 65536;

bool IsPageKind(unsigned char byte) { return byte == 2 || byte == 5 || byte == 10 || byte == 13; }

}  // namespace

std::optional<Geometry> Geometry::FromFirstPage(std::string_view page) {
  if (page.size() < kFileHeaderBytes) return std::nullopt;
  constexpr std::size_t kPageSizeAt = 16;
  constexpr std::size_t kReservedAt = 20;
  constexpr std::size_t kPageCountAt = 28;
  const std::uint32_t stored = ReadU16(page.data() + kPageSizeAt);
  const std::uint32_t bytes = stored == 1 ? kMaxPageBytes : stored;  // the one size that two bytes cannot hold
  const std::uint32_t reserved = static_cast<unsigned char>(page[kReservedAt]);
  if (bytes < kMinPageBytes || (bytes & (bytes - 1)) != 0 || bytes != page.size()) return std::nullopt;
  if (bytes - reserved < kMinUsableBytes) return std::nullopt;
  return Geometry{bytes, bytes - reserved, ReadU32(page.data() + kPageCountAt)};
}

std::optional<Page> Page::Parse(std::string_view bytes, PageNumber number, const Geometry& geometry) {
  const std::uint32_t header = number == 1 ? kFileHeaderBytes : 0;
  if (bytes.size() != geometry.page_bytes) return std::nullopt;
  const auto kind = static_cast<unsigned char>(bytes[header]);
  if (!IsPageKind(kind)) return std::nullopt;
  Page page;
  page.bytes_ = bytes;
  page.usable_ = geometry.usable_bytes;
  page.kind_ = static_cast<PageKind>(kind);
  page.cells_ = ReadU16(bytes.data() + header + 3);
  page.pointers_ = header + (page.is_leaf() ? 8 : 12);
  if (page.pointers_ + 2 * page.cells_ > page.usable_) return std::nullopt;
  page.most_local_ = MostLocalBytes(page.usable_, page.is_index());
  if (!page.is_leaf()) page.right_child_ = ReadU32(bytes.data() + header + 8);
  return page;
}

// Null when the cell's first bytes are not inside the page.
const char* Page::CellStart(std::uint32_t i) const {
  const std::uint32_t offset = ReadU16(bytes_.data() + pointers_ + 2 * i);
  constexpr std::uint32_t kSmallestCell = 4;
  if (offset < pointers_ + 2 * cells_ || offset + kSmallestCell > usable_) return nullptr;
  return bytes_.data() + offset;
}

PageNumber Page::Child(std::uint32_t i) const {
  if (i >= cells_) return right_child_;
  const char* at = CellStart(i);
  return at == nullptr ? 0 : ReadU32(at);
}

bool Page::ReadCell(std::uint32_t i, Cell* cell) const {
  const char* at = CellStart(i);
  if (at == nullptr) return false;
  const char* const end = bytes_.data() + usable_;
  if (kind_ == PageKind::kInteriorIndex) at += 4;  // the child's number
  at = ReadVarint(at, end, &cell->payload_bytes);
  if (at == nullptr) return false;
  if (kind_ == PageKind::kLeafTable) {
    std::uint64_t rowid = 0;
    at = ReadVarint(at, end, &rowid);
    if (at == nullptr) return false;
    cell->rowid = static_cast<std::int64_t>(rowid);
  }
  if (cell->payload_bytes <= most_local_) {  // nearly every record
    if (static_cast<std::size_t>(end - at) < cell->payload_bytes) return false;
    cell->local = {at, static_cast<std::size_t>(cell->payload_bytes)};
    cell->first_overflow = 0;
    return true;
  }
  const std::uint32_t local = LocalBytes(cell->payload_bytes, usable_, is_index());
  constexpr std::size_t kNextBytes = 4;
  if (static_cast<std::size_t>(end - at) < local + kNextBytes) return false;
  cell->local = {at, local};
  cell->first_overflow = ReadU32(at + local);
  return cell->first_overflow != 0;
}

bool Page::ReadSeparator(std::uint32_t i, std::int64_t* rowid) const {
  const char* const at = CellStart(i);
  std::uint64_t value = 0;
  constexpr std::size_t kChildBytes = 4;
  if (at == nullptr || ReadVarint(at + kChildBytes, bytes_.data() + usable_, &value) == nullptr) return false;
  *rowid = static_cast<std::int64_t>(value);
  return true;
}

std::uint32_t MostLocalBytes(std::uint32_t usable_bytes, bool is_index) {
  return is_index ? (usable_bytes - 12) * 64 / 255 - 23 : usable_bytes - 35;
}

std::uint32_t LocalBytes(std::uint64_t payload, std::uint32_t usable_bytes, bool is_index) {
  const std::uint32_t most = MostLocalBytes(usable_bytes, is_index);
  if (payload <= most) return static_cast<std::uint32_t>(payload);
  const std::uint32_t least = (usable_bytes - 12) * 32 / 255 - 23;
  const auto even = static_cast<std::uint32_t>(least + (payload - least) % (usable_bytes - 4));
  return even <= most ? even : least;
}

}  // namespace hypha::btree
